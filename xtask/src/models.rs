//! Where the models of a crate are, loom's and shuttle's, and how they are built.

use std::fs;
use std::process::Command;

use crate::workspace::{Package, cargo};

/// Stands in the `lib.rs` of a crate whose models are in the library itself, because they reach what is private.
const INSIDE: &str = "#[cfg(all(test, tiny_coro_loom, not(tiny_coro_shuttle)))]";

/// Stands in the `lib.rs` of a crate that has scenarios for random schedules.
const SCENARIOS: &str = "#[cfg(all(test, tiny_coro_shuttle))]";

/// What makes a build a model.
pub(crate) const CFG: &str = "--cfg tiny_coro_loom";

/// What makes a build one of random schedules: beside the model's own flag, so that both take the same stand-ins.
const SHUTTLE_CFG: &str = "--cfg tiny_coro_loom --cfg tiny_coro_shuttle";

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
    if root_contains(package, INSIDE) {
        targets.push("--lib");
    }
    targets
}

/// True if `package` has scenarios for random schedules.
pub(crate) fn has_scenarios(package: &Package) -> bool {
    root_contains(package, SCENARIOS)
}

fn root_contains(package: &Package, line: &str) -> bool {
    fs::read_to_string(package.folder.join("src/lib.rs")).is_ok_and(|root| root.contains(line))
}

/// `cargo test` of one kind of target of some packages, as models. The target folder is the caller's to choose.
pub(crate) fn test(packages: &[&str], target: &str) -> Command {
    build(packages, target, CFG)
}

/// `cargo test` of the scenarios of some packages.
pub(crate) fn test_scenarios(packages: &[&str]) -> Command {
    build(packages, "--lib", SHUTTLE_CFG)
}

fn build(packages: &[&str], target: &str, flags: &str) -> Command {
    let mut command = Command::new(cargo());
    command.args(["test", "--profile", "loom", target]).args(packages.iter().flat_map(|name| ["-p", name]));
    command.env("RUSTFLAGS", flags);
    command
}
