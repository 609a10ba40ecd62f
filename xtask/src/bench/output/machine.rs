//! The machine, as far as a reader of the figures has to know it.

use std::process::Command;
use std::{env, fs, thread};

/// Name and value of each fact.
pub(super) fn facts() -> Vec<(&'static str, String)> {
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cores = thread::available_parallelism().map_or_else(|_| "?".to_owned(), |cores| cores.to_string());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()).ok();
    let facts = [
        ("processor", processor),
        ("cores", Some(cores)),
        ("system", Some(format!("{} {}", env::consts::OS, env::consts::ARCH))),
        ("kernel", kernel),
        ("rustc", version("rustc", "--version")),
        ("go", version("go", "version")),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn version(tool: &str, argument: &str) -> Option<String> {
    let output = Command::new(tool).arg(argument).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
