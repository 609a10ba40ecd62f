//! The deque and the injector of this crate, whichever backend its names stand for.

mod buffer;
mod landing;
mod shared;
mod stealer;
mod worker;

pub use crate::injector::Injector;
pub(crate) use landing::Landing;
pub use stealer::Stealer;
pub(crate) use worker::Flavor;
pub use worker::Worker;
