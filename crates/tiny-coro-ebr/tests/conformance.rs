//! What every backend promises: one menu, served by the default backend, by `crossbeam-epoch`, and by whichever of the
//! two the crate's own names stand for in this build.
#![cfg(not(tiny_coro_loom))]
#![expect(clippy::duplicate_mod, reason = "the menu is compiled once for each backend")]

use tiny_coro_ebr::{Limits, Shared, Stall, Statistics};

#[path = "../src/crossbeam.rs"]
pub mod crossbeam;

#[path = "."]
mod own {
    use tiny_coro_ebr::native as backend;
    #[path = "conformance/menu.rs"]
    mod menu;
}

#[path = "."]
mod rival {
    use crate::crossbeam as backend;
    #[path = "conformance/menu.rs"]
    mod menu;
}

#[path = "."]
mod chosen {
    use tiny_coro_ebr as backend;
    #[path = "conformance/menu.rs"]
    mod menu;
}
