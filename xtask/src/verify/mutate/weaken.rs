//! Which orderings are one step weaker than another, for which kind of access.

/// What an ordering is given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Load,
    Store,
    ReadModifyWrite,
    /// The failure of a compare-and-exchange, which is a load.
    Failure,
    Fence,
    /// A function of the crate, or none.
    Unknown,
}

impl Access {
    /// The access that the argument `argument` of a call of `name` orders.
    pub(super) fn of(name: &str, argument: usize) -> Access {
        match (name, argument) {
            ("load", _) => Access::Load,
            ("store", _) => Access::Store,
            ("compare_exchange" | "compare_exchange_weak", 3) | ("fetch_update" | "try_update" | "update", 1) => {
                Access::Failure
            }
            ("swap" | "compare_exchange" | "compare_exchange_weak" | "try_update" | "update", _) => {
                Access::ReadModifyWrite
            }
            (name, _) if name.starts_with("fetch_") => Access::ReadModifyWrite,
            (name, _) if name.ends_with("fence") => Access::Fence,
            _ => Access::Unknown,
        }
    }

    /// What the name of the call does not say.
    pub(super) fn suffix(self) -> &'static str {
        if self == Access::Failure { " failure" } else { "" }
    }
}

/// Whether `name` is an ordering that can be weaker.
pub(super) fn is_ordering(name: &str) -> bool {
    matches!(name, "SeqCst" | "AcqRel" | "Acquire" | "Release")
}

/// The orderings one step below `name`. A fence is deleted instead of becoming relaxed.
pub(super) fn weaker(access: Access, name: &str) -> &'static [&'static str] {
    match (access, name) {
        (Access::Load | Access::Failure, "SeqCst") => &["Acquire"],
        (Access::Store, "SeqCst") => &["Release"],
        (_, "SeqCst") => &["AcqRel"],
        (_, "AcqRel") => &["Acquire", "Release"],
        (Access::Fence, _) => &[],
        (_, "Acquire" | "Release") => &["Relaxed"],
        _ => &[],
    }
}
