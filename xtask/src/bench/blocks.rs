//! Groups `deque`, `ebr`, `parker`: building blocks against their rivals, without a runtime.

use super::measured::Suite;
use super::{Group, OURS, peer, variant};

pub(super) const DEQUE: Group = Group {
    name: "deque",
    summary: "push, pop and steal, alone and with a thief on a second thread; the injector: crossbeam-deque",
    prepare: |context| DEQUE_SUITE.prepare(context),
};

pub(super) const EBR: Group = Group {
    name: "ebr",
    summary: "pin, and retire a word on one and on two threads: crossbeam-epoch",
    prepare: |context| EBR_SUITE.prepare(context),
};

pub(super) const PARKER: Group = Group {
    name: "parker",
    summary: "park and unpark, between two threads and without sleep: std, parking, crossbeam-utils",
    prepare: |context| PARKER_SUITE.prepare(context),
};

const DEQUE_SUITE: Suite = Suite {
    group: "deque",
    feature: "deque",
    cases: &[
        "push_pop_lifo",
        "push_pop_fifo",
        "push_steal",
        "owner_and_thief_lifo",
        "owner_and_thief_fifo",
        "injector_push_steal",
        "injector_and_thief",
    ],
    contenders: &[OURS, peer("crossbeam")],
};

const EBR_SUITE: Suite = Suite {
    group: "ebr",
    feature: "ebr",
    cases: &["pin_unpin", "pin_defer", "pin_defer_two_threads"],
    contenders: &[OURS, peer("crossbeam")],
};

const PARKER_SUITE: Suite = Suite {
    group: "parker",
    feature: "parker",
    cases: &["round_trip", "park_with_permit", "unpark_nobody_asleep"],
    contenders: &[
        OURS,
        peer("std"),
        peer("parking"),
        peer("crossbeam"),
        variant("ours_on_std"),
        variant("ours_on_parking_lot"),
    ],
};
