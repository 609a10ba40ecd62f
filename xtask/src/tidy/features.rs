//! Every swap can be had from the top: the facade has a feature that passes on to it.
//!
//! That every swap is tested needs no check: the CI goes through the same features.

use super::{Finding, Library};
use crate::workspace::Workspace;

/// The crate that passes the features on.
const FACADE: &str = "tiny-coro";

/// Checks that the facade passes on each swap of the crates below it.
pub(super) fn check(workspace: &Workspace, libraries: &[Library<'_>]) -> Vec<Finding> {
    let Some(facade) = libraries.iter().find(|library| library.package.name == FACADE) else { return Vec::new() };
    let manifest = facade.package.folder.join("Cargo.toml");
    let passed: Vec<&String> = facade.package.features.iter().flat_map(|(_, enables)| enables).collect();
    let mut findings = Vec::new();
    for (package, feature) in workspace.swaps().filter(|(package, _)| package.name != FACADE) {
        let swap = format!("{}/{feature}", package.name);
        if !passed.contains(&&swap) {
            findings.push(Finding::new(&manifest, 1, format!("no feature passes on to {swap}")));
        }
    }
    findings
}
