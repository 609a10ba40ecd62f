//! `cargo xtask ci`: the steps of `.ci/run`, one after the other, with their names and times.

mod readme;

use std::fs;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use lexopt::prelude::*;

use crate::workspace::{Package, Workspace, cargo};

/// Every swap that the CI tests: a crate and the feature that exchanges something in it.
pub(crate) const BACKENDS: [(&str, &str); 2] =
    [("tiny-coro-deque", "crossbeam-deque"), ("tiny-coro-parker", "fallback")];

/// Stands in the `lib.rs` of a crate whose models are in the library itself, because they reach what is private.
const MODELS_INSIDE: &str = "#[cfg(all(test, tiny_coro_loom))]";

/// Bound 2 has missed a real bug in a Chase-Lev deque that bound 3 finds.
const PREEMPTIONS: &str = "3";

const HELP: &str = "\
Runs what .ci/run runs.

Usage: cargo xtask ci [STEP…]

Steps, in this order (all of them, if none is named):
  format    cargo fmt --check
  clippy    every target of every package, warnings are errors
  docs      rustdoc, warnings are errors
  tidy      cargo xtask tidy
  models    the loom models, under --cfg tiny_coro_loom
  backends  the tests of every swap that is not the default
  test      the test command of README.md, as it stands there

The last line is the test runner's own.";

/// One step: what it is called and what it runs.
struct Step {
    name: &'static str,
    commands: fn(&Workspace) -> Result<Vec<Command>>,
}

/// The steps in their order: the quick ones first, the README's promise last.
const STEPS: [Step; 7] = [
    Step { name: "format", commands: |workspace| Ok(vec![command(workspace, "fmt --all --check")]) },
    Step {
        name: "clippy",
        commands: |workspace| Ok(vec![command(workspace, "clippy --workspace --all-targets -- -D warnings")]),
    },
    Step {
        name: "docs",
        commands: |workspace| {
            let mut docs = command(workspace, "doc --workspace --no-deps");
            docs.env("RUSTDOCFLAGS", "-D warnings");
            Ok(vec![docs])
        },
    },
    Step { name: "tidy", commands: |workspace| Ok(vec![command(workspace, "xtask tidy")]) },
    Step { name: "models", commands: |workspace| Ok(models(workspace)) },
    Step {
        name: "backends",
        commands: |workspace| {
            Ok(BACKENDS
                .map(|(name, feature)| command(workspace, &format!("test -p {name} --features {feature}")))
                .into())
        },
    },
    Step { name: "test", commands: |workspace| Ok(vec![readme::test_command(workspace)?]) },
];

/// Runs the steps that were asked for; the first that fails ends it.
///
/// # Errors
///
/// Fails if a step does, or can't be started.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let mut wanted = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(step) => wanted.push(step.string()?),
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if let Some(unknown) = wanted.iter().find(|name| !STEPS.iter().any(|step| step.name == **name)) {
        bail!("there is no step {unknown}; `cargo xtask ci --help` lists them");
    }
    let workspace = Workspace::load()?;
    let steps = STEPS.iter().filter(|step| wanted.is_empty() || wanted.iter().any(|name| name == step.name));
    // All commands first: what can't be started should not be found out after ten minutes.
    let steps = steps.map(|step| Ok((step.name, (step.commands)(&workspace)?))).collect::<Result<Vec<_>>>()?;
    let (begin, count) = (Instant::now(), steps.len());
    for (index, (name, commands)) in steps.into_iter().enumerate() {
        println!("\n== {}/{count} {name}, {} after the start", index + 1, clock(begin.elapsed()));
        run_step(name, commands)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one step. Prints nothing after a success, so that the last words are those of the last command.
fn run_step(name: &str, commands: Vec<Command>) -> Result<()> {
    let begin = Instant::now();
    for mut command in commands {
        println!("$ {}", shown(&command));
        let status = command.status().with_context(|| format!("cannot start {:?}", command.get_program()))?;
        ensure!(status.success(), "step {name} failed after {}: {}", clock(begin.elapsed()), shown(&command));
    }
    Ok(())
}

/// Cargo, from the top folder, with the arguments in `line`.
fn command(workspace: &Workspace, line: &str) -> Command {
    let mut command = Command::new(cargo());
    command.args(line.split_whitespace()).current_dir(&workspace.root);
    command
}

/// The loom models of every crate that has some, in a target folder of their own: `--cfg` changes every fingerprint.
fn models(workspace: &Workspace) -> Vec<Command> {
    let run = |names: &[String], target: &str| {
        let mut command = Command::new(cargo());
        command.args(["test", "--profile", "loom"]);
        command.args(names.iter().flat_map(|name| ["-p", name.as_str()])).args(target.split_whitespace());
        command.env("RUSTFLAGS", "--cfg tiny_coro_loom").env("LOOM_MAX_PREEMPTIONS", PREEMPTIONS);
        command.env("CARGO_TARGET_DIR", workspace.target.join("loom")).current_dir(&workspace.root);
        command
    };
    let lib = |package: &Package| fs::read_to_string(package.folder.join("src/lib.rs")).unwrap_or_default();
    let names = |has: &dyn Fn(&Package) -> bool| -> Vec<String> {
        workspace.crates().filter(|package| has(package)).map(|package| package.name.clone()).collect()
    };
    let outside = names(&|package| package.folder.join("tests/loom.rs").exists());
    let inside = names(&|package| lib(package).contains(MODELS_INSIDE));
    let runs = [(outside, "--test loom"), (inside, "--lib")];
    runs.iter().filter(|(names, _)| !names.is_empty()).map(|(names, target)| run(names, target)).collect()
}

/// The command as one would type it, with the variables it adds.
fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let variables = command.get_envs().filter_map(|(name, value)| {
        let value = value?.to_string_lossy();
        Some(format!("{}={}", name.to_string_lossy(), quoted(&value)))
    });
    let arguments = command.get_args().map(|argument| quoted(&argument.to_string_lossy()));
    variables.chain([program]).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn quoted(text: &str) -> String {
    if text.contains(char::is_whitespace) { format!("'{text}'") } else { text.to_owned() }
}

fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
