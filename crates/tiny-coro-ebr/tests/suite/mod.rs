//! The suite that epoch reclamation is put through in this field, on its usual names. It knows nothing of a crate but
//! what `crate::names` calls so.

mod collector;
mod list;
mod pointer;
mod queue;
mod stack;
