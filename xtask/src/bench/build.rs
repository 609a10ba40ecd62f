//! Builds the child processes, and says which can't be built here.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Context, Skipped};
use crate::workspace::cargo;

/// Builds `binaries`, or all that `feature` of the package brings if none is named; returns the folder that holds them.
pub(super) fn rust(context: &Context<'_>, feature: &str, binaries: &[&str]) -> Result<PathBuf> {
    let folder = context.workspace.target.join("release");
    let what = format!("{feature} {binaries:?}");
    if context.built.borrow().contains(&what) {
        return Ok(folder);
    }
    eprintln!("building the {feature} children in release mode");
    let status = Command::new(cargo())
        .args(["build", "--quiet", "--release", "--package", "tiny-coro-benches", "--no-default-features"])
        .args(["--features", feature])
        .args(binaries.iter().flat_map(|binary| ["--bin", binary]))
        .current_dir(&context.workspace.root)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "cargo build failed");
    context.built.borrow_mut().push(what);
    Ok(folder)
}

/// Builds the Go child of a group, or says that there is no Go.
pub(super) fn go(context: &Context<'_>, group: &str) -> Result<Result<PathBuf, Skipped>> {
    if !present("go", "version") {
        return Ok(Err(Skipped { what: "Go".into(), remedy: "apt-get install golang, or https://go.dev/dl".into() }));
    }
    let binary = context.workspace.target.join("bench").join(format!("{group}-go"));
    let output = Command::new("go")
        .args(["build", "-o"])
        .arg(&binary)
        .arg(format!("./{group}"))
        .current_dir(context.workspace.root.join("benches/go"))
        .env("GOPROXY", "off")
        .env("GOFLAGS", "")
        .env("GOTOOLCHAIN", "local")
        .output()
        .context("cannot start go")?;
    ensure!(output.status.success(), "go build failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(Ok(binary))
}

/// Whether a tool can be started.
pub(super) fn present(tool: &str, argument: &str) -> bool {
    Command::new(tool).arg(argument).output().is_ok()
}
