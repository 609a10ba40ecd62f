//! The project's own commands: `cargo xtask tidy`, `cargo xtask ci`, `cargo xtask bench`, `cargo xtask
//! verify`.
//!
//! Each command is a module with a `run` that takes the rest of the command line. None of them installs anything:
//! a tool that is missing is named together with the command that would install it.
//!
//! # Example
//!
//! The whole of `src/main.rs`. It stands apart from other doctests because those that rustdoc merges end with a line
//! of times: this one is the last of `cargo test`, whose closing line is to be that of the result.
//!
//! ```no_run,standalone_crate
//! fn main() -> std::process::ExitCode {
//!     xtask::main()
//! }
//! ```

mod bench;
mod ci;
mod models;
mod source;
mod tidy;
mod verify;
mod workspace;

use std::process::ExitCode;

use lexopt::prelude::*;

const HELP: &str = "\
The project's own commands.

Usage: cargo xtask COMMAND [OPTIONS]

Commands:
  tidy     Check the layer graph, the ordering IDs, the module docs, the READMEs and the sizes
  ci       Run every step of .ci/run, or some of them
  bench    Measure tiny-coro against its peers
  verify   Run one of the slow checkers: mutation of orderings, sanitizers, fuzzing, and more

`cargo xtask COMMAND --help` says more about each.";

/// Runs the command that the command line names.
#[must_use]
pub fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Hands the rest of the command line to the command it names.
fn dispatch() -> anyhow::Result<ExitCode> {
    let mut arguments = lexopt::Parser::from_env();
    match arguments.next()? {
        Some(Value(command)) => match command.to_str() {
            Some("tidy") => tidy::run(arguments),
            Some("ci") => ci::run(arguments),
            Some("bench") => bench::run(arguments),
            Some("verify") => verify::run(arguments),
            _ => anyhow::bail!("there is no command {command:?}; `cargo xtask --help` lists them"),
        },
        Some(Long("help") | Short('h')) => {
            println!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(other.unexpected().into()),
        None => {
            eprintln!("{HELP}");
            Ok(ExitCode::from(2))
        }
    }
}
