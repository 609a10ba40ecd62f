//! Every swap is tested: a feature of a crate stands in the list that the CI goes through.

use super::{Finding, Library};
use crate::ci::BACKENDS;

/// Checks the features of every crate against the CI's list, both ways.
///
/// A feature that only passes on to features of our own crates below needs no run of its own.
pub(super) fn check(libraries: &[Library<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for library in libraries {
        let (name, manifest) = (&library.package.name, library.package.folder.join("Cargo.toml"));
        let listed: Vec<&str> = BACKENDS.iter().filter(|(of, _)| of == name).map(|(_, feature)| *feature).collect();
        for (feature, enables) in &library.package.features {
            if !listed.contains(&feature.as_str()) && !passes_on(enables) {
                let message = format!("feature {feature} of {name} is not in BACKENDS of xtask's ci: nothing tests it");
                findings.push(Finding::new(&manifest, 1, message));
            }
        }
        let has = |feature: &str| library.package.features.iter().any(|(name, _)| name == feature);
        for feature in listed.iter().filter(|feature| !has(feature)) {
            let message = format!("BACKENDS of xtask's ci names the feature {feature}, which {name} lacks");
            findings.push(Finding::new(&manifest, 1, message));
        }
    }
    findings
}

/// Whether a feature that enables `enables` has no effect but on crates of ours, which test it themselves.
fn passes_on(enables: &[String]) -> bool {
    !enables.is_empty() && enables.iter().all(|what| what.starts_with("tiny-coro") && what.contains('/'))
}
