//! `std::thread::park`, parking, crossbeam-utils.

use std::thread::{self, Thread};

use super::Parker;

/// `std::thread::park`.
#[derive(Debug)]
pub struct Std;

impl Parker for Std {
    type Unparker = Thread;

    fn new() -> Self {
        Std
    }

    fn unparker(&self) -> Thread {
        thread::current()
    }

    fn park(&self) {
        thread::park();
    }

    fn unpark(unparker: &Thread) {
        unparker.unpark();
    }
}

/// `parking::Parker`.
#[derive(Debug)]
pub struct Parking(parking::Parker);

impl Parker for Parking {
    type Unparker = parking::Unparker;

    fn new() -> Self {
        Parking(parking::Parker::new())
    }

    fn unparker(&self) -> Self::Unparker {
        self.0.unparker()
    }

    fn park(&self) {
        self.0.park();
    }

    fn unpark(unparker: &Self::Unparker) {
        unparker.unpark();
    }
}

/// `crossbeam_utils::sync::Parker`.
#[derive(Debug)]
pub struct Crossbeam(crossbeam_utils::sync::Parker);

impl Parker for Crossbeam {
    type Unparker = crossbeam_utils::sync::Unparker;

    fn new() -> Self {
        Crossbeam(crossbeam_utils::sync::Parker::new())
    }

    fn unparker(&self) -> Self::Unparker {
        self.0.unparker().clone()
    }

    fn park(&self) {
        self.0.park();
    }

    fn unpark(unparker: &Self::Unparker) {
        unparker.unpark();
    }
}
