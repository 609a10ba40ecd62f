//! The test command that the README promises: the CI runs those very lines, so the two can't drift apart.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Stands above the fenced block that holds the command.
const MARK: &str = "<!-- ci:test -->";

/// A shell that runs the block after the mark, from the top folder, and stops at the first line that fails.
pub(super) fn test_command(workspace: &Workspace) -> Result<Command> {
    let path = workspace.root.join("README.md");
    let readme = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let block = block_after_mark(&readme).with_context(|| {
        format!("{} has no fenced block after `{MARK}`: put the test command of the project there", path.display())
    })?;
    let mut command = Command::new("sh");
    command.args(["-e", "-c", &block]).current_dir(&workspace.root);
    Ok(command)
}

fn block_after_mark(readme: &str) -> Option<String> {
    let after = readme.split_once(MARK)?.1.trim_start();
    let (_language, rest) = after.strip_prefix("```")?.split_once('\n')?;
    let block = rest.split_once("```")?.0.trim();
    (!block.is_empty()).then(|| block.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_right_after_the_mark_is_taken() {
        let readme = "```sh\ncargo run\n```\n\n<!-- ci:test -->\n```sh\ncargo test\n```\n";
        assert_eq!(block_after_mark(readme).as_deref(), Some("cargo test"));
        assert_eq!(block_after_mark("```sh\ncargo test\n```"), None);
        assert_eq!(block_after_mark("<!-- ci:test -->\nText.\n```sh\ncargo test\n```"), None);
        assert_eq!(block_after_mark("<!-- ci:test -->\n```sh\n```"), None);
    }
}
