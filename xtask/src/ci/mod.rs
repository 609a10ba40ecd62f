//! `cargo xtask ci`: the steps of `.ci/run`, one after the other, with their names and times.

mod readme;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use lexopt::prelude::*;

use crate::models;
use crate::workspace::{Package, Workspace, cargo};

/// Packages of the project that are no members of its workspace, for the reason that their manifests give.
const DETACHED: [&str; 2] = ["xtask/faults", "xtask/fuzz"];

const HELP: &str = "\
Runs what .ci/run runs.

Usage: cargo xtask ci [STEP…]

Steps, in this order (all of them, if none is named):
  format    cargo fmt --check
  clippy    every target of every package, warnings are errors; the crates with swaps once more with all of them
  docs      rustdoc, warnings are errors
  tidy      cargo xtask tidy
  models    the loom models, under --cfg tiny_coro_loom; the shuttle scenarios, under --cfg tiny_coro_shuttle besides
  backends  for each swap, the tests of the whole workspace, with that swap in the place of the default
  test      the test command of README.md, as it stands there

The last line is the test runner's own.";

/// One step: what it is called and what it runs.
struct Step {
    name: &'static str,
    commands: fn(&Workspace) -> Result<Vec<Command>>,
}

/// The steps in their order: the quick ones first, the README's promise last.
const STEPS: [Step; 7] = [
    Step { name: "format", commands: |workspace| Ok(format(workspace)) },
    Step { name: "clippy", commands: |workspace| Ok(clippy(workspace)) },
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
    Step { name: "backends", commands: |workspace| Ok(backends(workspace)) },
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

/// The formatter, for the workspace and for what is detached from it.
fn format(workspace: &Workspace) -> Vec<Command> {
    let detached = DETACHED.map(|folder| format!("fmt --check --manifest-path {folder}/Cargo.toml"));
    let lines = std::iter::once("fmt --all --check").chain(detached.iter().map(String::as_str));
    lines.map(|line| command(workspace, line)).collect()
}

/// The lints. An adapter is only compiled where its feature is on.
fn clippy(workspace: &Workspace) -> Vec<Command> {
    let mut commands = vec![command(workspace, "clippy --workspace --all-targets -- -D warnings")];
    let mut swapped: Vec<String> = workspace.swaps().map(|(package, _)| format!("-p {}", package.name)).collect();
    swapped.dedup();
    if !swapped.is_empty() {
        let line = format!("clippy {} --all-targets --all-features -- -D warnings", swapped.join(" "));
        commands.push(command(workspace, &line));
    }
    for folder in DETACHED {
        let line = format!("clippy --manifest-path {folder}/Cargo.toml --all-targets -- -D warnings");
        let mut clippy = command(workspace, &line);
        clippy.env("CARGO_TARGET_DIR", workspace.target.join("detached"));
        // Nothing is linked: so libFuzzer need not be there, nor a C++ compiler to build it.
        clippy.env("CUSTOM_LIBFUZZER_PATH", workspace.target.join("detached/libnone.a"));
        commands.push(clippy);
    }
    commands
}

/// The whole workspace's tests on each backend that is not the default: who stands above it must not notice. The doctests are
/// left out, for the time they take; the examples, which tests run as programs, are built first, because `--tests` does not.
fn backends(workspace: &Workspace) -> Vec<Command> {
    let run = |(package, feature): (&Package, &str)| {
        let what = format!("--workspace --exclude benches --exclude xtask --features {}/{feature}", package.name);
        [format!("build {what} --examples"), format!("test {what} --tests")].map(|line| command(workspace, &line))
    };
    workspace.swaps().flat_map(run).collect()
}

/// The loom models of every crate that has some, and the scenarios for random schedules, each in a target folder of their own:
/// `--cfg` changes every fingerprint.
fn models(workspace: &Workspace) -> Vec<Command> {
    let run = |target: &str| {
        let with = workspace.crates().filter(|package| models::targets(package).contains(&target));
        let names: Vec<&str> = with.map(|package| package.name.as_str()).collect();
        (!names.is_empty()).then(|| {
            let mut command = models::test(&names, target);
            command.env(models::PREEMPTIONS_VARIABLE, models::PREEMPTIONS.to_string());
            command.env("CARGO_TARGET_DIR", workspace.target.join("loom")).current_dir(&workspace.root);
            command
        })
    };
    let mut commands: Vec<_> = ["--test=loom", "--lib"].into_iter().filter_map(run).collect();
    let with = workspace.crates().filter(|package| models::has_scenarios(package));
    let names: Vec<&str> = with.map(|package| package.name.as_str()).collect();
    if !names.is_empty() {
        let mut command = models::test_scenarios(&names);
        command.env("CARGO_TARGET_DIR", workspace.target.join("shuttle")).current_dir(&workspace.root);
        commands.push(command);
    }
    commands
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
