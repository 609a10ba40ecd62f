//! Where the loom models of a crate are, and how they are built.

use std::fs;
use std::process::Command;

use crate::workspace::{Package, cargo};

/// Stands in the `lib.rs` of a crate whose models are in the library itself, because they reach what is private.
const INSIDE: &str = "#[cfg(all(test, tiny_coro_loom))]";

/// What makes a build a model.
pub(crate) const CFG: &str = "--cfg tiny_coro_loom";

/// The least number of preemptions: bound 2 has missed a real bug in a Chase-Lev deque that bound 3 finds.
pub(crate) const PREEMPTIONS: u32 = 3;

/// The variable that tells loom how many.
pub(crate) const PREEMPTIONS_VARIABLE: &str = "LOOM_MAX_PREEMPTIONS";

/// The test targets of `package` that hold models: `--test loom`, `--lib`.
pub(crate) fn targets(package: &Package) -> Vec<&'static str> {
    let mut targets = Vec::new();
    if package.folder.join("tests/loom.rs").exists() || package.folder.join("tests/loom/main.rs").exists() {
        targets.push("--test=loom");
    }
    if fs::read_to_string(package.folder.join("src/lib.rs")).is_ok_and(|root| root.contains(INSIDE)) {
        targets.push("--lib");
    }
    targets
}

/// `cargo test` of one kind of target of some packages, as models. The target folder is the caller's to choose.
pub(crate) fn test(packages: &[&str], target: &str) -> Command {
    let mut command = Command::new(cargo());
    command.args(["test", "--profile", "loom", target]).args(packages.iter().flat_map(|name| ["-p", name]));
    command.env("RUSTFLAGS", CFG);
    command
}
