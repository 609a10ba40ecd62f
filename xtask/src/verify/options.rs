//! The options that most tiers have.

use std::time::Duration;

use anyhow::Result;
use lexopt::prelude::*;

use crate::workspace::Workspace;

/// Which packages, and for how long.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// Empty for all.
    packages: Vec<String>,
    /// How long a tier that has no natural end goes on, per part.
    pub(super) duration: Option<Duration>,
    /// How many items a part has that counts them.
    pub(super) items: Option<u64>,
    pub(super) quick: bool,
    /// What else was named: targets, cases.
    pub(super) names: Vec<String>,
}

impl Options {
    /// Reads the rest of the command line; `None` if it asked for help, which is then printed.
    ///
    /// # Errors
    ///
    /// Fails if there is an option that `help` does not name.
    pub(super) fn parse(mut arguments: lexopt::Parser, help: &str) -> Result<Option<Options>> {
        let mut options = Options::default();
        while let Some(argument) = arguments.next()? {
            match argument {
                Short('p') | Long("package") if help.contains("-p ") => {
                    options.packages.push(arguments.value()?.string()?);
                }
                Long("duration") if help.contains("--duration") => {
                    options.duration = Some(Duration::from_secs(arguments.value()?.parse()?));
                }
                Long("items") if help.contains("--items") => options.items = Some(arguments.value()?.parse()?),
                Long("quick") if help.contains("--quick") => options.quick = true,
                Value(name) if help.contains("NAME") => options.names.push(name.string()?),
                Short('h') | Long("help") => {
                    println!("{help}");
                    return Ok(None);
                }
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Some(options))
    }

    /// The same options, with these packages if none was named.
    pub(super) fn or_packages(mut self, names: &[&str]) -> Self {
        if self.packages.is_empty() {
            self.packages = names.iter().map(|name| (*name).to_owned()).collect();
        }
        self
    }

    /// Cargo's arguments for the packages that were named: the crates and the examples, if none was. `ebr` stands for
    /// `tiny-coro-ebr`.
    pub(super) fn selected(&self, workspace: &Workspace) -> Vec<String> {
        self.package_names(workspace).into_iter().flat_map(|name| ["-p".to_owned(), name]).collect()
    }

    /// The names of those packages.
    pub(super) fn package_names(&self, workspace: &Workspace) -> Vec<String> {
        if self.packages.is_empty() {
            let examples = workspace.packages.iter().filter(|package| package.folder.ends_with("examples"));
            return workspace.crates().chain(examples).map(|package| package.name.clone()).collect();
        }
        let full = |name: &String| {
            let long = format!("tiny-coro-{name}");
            workspace.packages.iter().any(|package| package.name == long).then_some(long)
        };
        self.packages.iter().map(|name| full(name).unwrap_or_else(|| name.clone())).collect()
    }

    /// Whether a part called `name` is wanted.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| name.contains(wanted.as_str()))
    }
}
