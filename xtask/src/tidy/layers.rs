//! The layer graph: a crate never names a crate above it or beside it.

use std::fs;

use super::{Finding, Library};
use crate::workspace::Workspace;

/// The stack, bottom up. `docs/architecture.md` says what each crate is for.
const STACK: [(&str, u8); 14] = [
    ("tiny-coro-macros", 0),
    ("tiny-coro-prim", 0),
    ("tiny-coro-ebr", 1),
    ("tiny-coro-parker", 1),
    ("tiny-coro-timer", 1),
    ("tiny-coro-poller", 1),
    ("tiny-coro-deque", 2),
    ("tiny-coro-reactor", 2),
    ("tiny-coro-sched", 3),
    ("tiny-coro-sync", 3),
    ("tiny-coro-net", 4),
    ("tiny-coro-fs", 4),
    ("tiny-coro-http", 5),
    ("tiny-coro", 6),
];

fn layer_of(name: &str) -> Option<u8> {
    STACK.iter().find(|(of, _)| *of == name).map(|(_, layer)| *layer)
}

/// Checks every edge of the graph, and that each README states the layer that the crate has here.
///
/// Dev-dependencies are free: a test may use whatever it likes.
pub(super) fn check(workspace: &Workspace, libraries: &[Library<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for library in libraries {
        let name = &library.package.name;
        let manifest = library.package.folder.join("Cargo.toml");
        let Some(layer) = layer_of(name) else {
            findings.push(Finding::new(
                &manifest,
                0,
                format!("{name} has no layer: add it to STACK in xtask's layers.rs"),
            ));
            continue;
        };
        for dependency in &library.package.dependencies {
            let ours = workspace.packages.iter().any(|package| package.name == *dependency);
            if let Some(message) = ours.then(|| judge(name, layer, dependency)).flatten() {
                let line = line_of(&fs::read_to_string(&manifest).unwrap_or_default(), dependency);
                findings.push(Finding::new(&manifest, line, message));
            }
        }
        let readme = library.package.folder.join("README.md");
        if let Some((line, stated)) = stated_layer(&fs::read_to_string(&readme).unwrap_or_default())
            && stated != layer
        {
            let message = format!("says layer {stated}, but {name} is in layer {layer} of the stack");
            findings.push(Finding::new(&readme, line, message));
        }
    }
    findings
}

/// What is wrong with the edge from `name` in `layer` to `dependency`, if anything.
fn judge(name: &str, layer: u8, dependency: &str) -> Option<String> {
    let Some(below) = layer_of(dependency) else {
        return Some(format!("{name} (layer {layer}) depends on {dependency}, which is not part of the stack"));
    };
    let direction = match below.cmp(&layer) {
        std::cmp::Ordering::Less => return None,
        std::cmp::Ordering::Equal => "beside it",
        std::cmp::Ordering::Greater => "above it",
    };
    Some(format!("{name} (layer {layer}) depends on {dependency} (layer {below}), {direction}"))
}

/// Where a README says `Layer N.`, and which.
pub(super) fn stated_layer(readme: &str) -> Option<(usize, u8)> {
    readme.lines().enumerate().find_map(|(index, line)| {
        let digits = line.trim_start_matches(['*', '>', ' ']).strip_prefix("Layer ")?;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        Some((index + 1, digits[..end].parse().ok()?))
    })
}

fn line_of(manifest: &str, dependency: &str) -> usize {
    let names =
        |line: &str| line.trim_start().strip_prefix(dependency).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    manifest.lines().position(names).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_edge_to_a_lower_layer_passes() {
        assert_eq!(judge("tiny-coro-deque", 2, "tiny-coro-ebr"), None);
        assert!(judge("tiny-coro-fs", 4, "tiny-coro-net").unwrap().ends_with("beside it"));
        assert!(judge("tiny-coro-ebr", 1, "tiny-coro-sched").unwrap().ends_with("above it"));
        assert!(judge("tiny-coro-ebr", 1, "xtask").unwrap().contains("not part of the stack"));
    }

    #[test]
    fn the_layer_line_is_found_wherever_it_stands() {
        assert_eq!(stated_layer("# x\n\nLayer 12. May use y."), Some((3, 12)));
        assert_eq!(stated_layer("# x\n\n**Layer 3.** May use y."), Some((3, 3)));
        assert_eq!(stated_layer("# x\n\nLayers are good."), None);
    }
}
