//! Test programs: built by cargo, run one by one, so that each has its own time limit, log and count.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::process::{Ended, Outcome, watch};

/// No build takes this long.
pub(super) const BUILD_LIMIT: Duration = Duration::from_secs(1_800);

/// A program that cargo has built.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// The folder of its package, where cargo would run it.
    pub(super) folder: PathBuf,
    /// The test target, or the binary.
    pub(super) target: String,
    pub(super) path: PathBuf,
}

impl Program {
    /// The package and the target, as one word.
    pub(super) fn name(&self) -> String {
        let package = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let library = package.replace('-', "_");
        match self.target == library || self.target == *package {
            true => format!("{package} (unit tests)"),
            false => format!("{package} {}", self.target),
        }
    }

    /// The command that runs it, where cargo would.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

/// Runs `cargo`, which is a `cargo test` or `cargo build` without `--no-run`, and returns what it has built: the test
/// programs, or with `tests` false the others. `Err` in the result is the compiler's first error.
///
/// # Errors
///
/// Fails if cargo can't be started.
pub(super) fn try_build(cargo: &mut Command, tests: bool) -> Result<std::result::Result<Vec<Program>, String>> {
    if tests {
        cargo.arg("--no-run");
    }
    cargo.arg("--message-format=json-render-diagnostics");
    let outcome = watch(cargo, BUILD_LIMIT, |_| false)?;
    if !outcome.ended.well() {
        let at = outcome.errors.find("\nerror").unwrap_or_default();
        return Ok(Err(outcome.errors[at..].lines().take(30).collect::<Vec<_>>().join("\n").trim().to_owned()));
    }
    let messages = outcome.lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let wanted = messages.filter(|message| message["profile"]["test"] == tests);
    Ok(Ok(wanted.filter_map(|message| program(&message)).collect()))
}

/// Like [`try_build`], for what has to build.
///
/// # Errors
///
/// Fails if cargo does.
pub(super) fn build(cargo: &mut Command) -> Result<Vec<Program>> {
    match try_build(cargo, true)? {
        Ok(programs) => Ok(programs),
        Err(error) => bail!("the build failed:\n{error}"),
    }
}

fn program(message: &Value) -> Option<Program> {
    Some(Program {
        folder: Path::new(message["manifest_path"].as_str()?).parent()?.to_owned(),
        target: message["target"]["name"].as_str()?.to_owned(),
        path: PathBuf::from(message["executable"].as_str()?),
    })
}

/// How many tests there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) programs: usize,
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) ignored: usize,
    /// Programs that died, hung, or were reported on.
    pub(super) broken: usize,
}

impl Counts {
    /// Reads the closing lines of test runs.
    pub(super) fn of(lines: &[String]) -> Counts {
        let mut counts = Counts { programs: 1, ..Counts::default() };
        for line in lines.iter().filter(|line| line.starts_with("test result: ")) {
            let number = |what: &str| {
                let words: Vec<&str> = line.split([' ', ';']).filter(|word| !word.is_empty()).collect();
                let at = words.iter().position(|word| *word == what)?;
                words.get(at.checked_sub(1)?)?.parse::<usize>().ok()
            };
            counts.passed += number("passed").unwrap_or_default();
            counts.failed += number("failed").unwrap_or_default();
            counts.ignored += number("ignored").unwrap_or_default();
        }
        counts
    }

    pub(super) fn add(&mut self, other: Counts) {
        self.programs += other.programs;
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.broken += other.broken;
    }

    /// Whether nothing went wrong.
    pub(super) fn good(&self) -> bool {
        self.failed == 0 && self.broken == 0 && self.passed > 0
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counts { programs, passed, failed, ignored, broken } = self;
        write!(f, "{programs} programs: {passed} tests passed, {failed} failed, {ignored} ignored")?;
        write!(f, "; {broken} programs died, hung or were reported on")
    }
}

/// Runs one command that `name` stands for, prints a line about it, and leaves what it wrote in the folder `logs`.
///
/// `alarm` begins the lines with which a checker reports: one of those, and the program counts as broken.
///
/// # Errors
///
/// Fails if it can't be started.
pub(super) fn run(name: &str, command: &mut Command, limit: Duration, alarm: &str, logs: &Path) -> Result<Counts> {
    let outcome = watch(command, limit, |_| false)?;
    let mut counts = Counts::of(&outcome.lines);
    let alarms = if alarm.is_empty() { 0 } else { outcome.text().matches(alarm).count() };
    let fine = outcome.ended.well() && alarms == 0;
    counts.broken = usize::from(!fine && (counts.failed == 0 || alarms > 0));
    let log = save(name, &outcome, logs)?;
    let verdict = match outcome.ended {
        _ if alarms > 0 => format!("{alarms} REPORTS, {}", log.display()),
        Ended::TimedOut => format!("NO END after {} s, {}", limit.as_secs(), log.display()),
        Ended::Status(status) if !status.success() => format!("FAILED, {status}, {}", log.display()),
        _ => "ok".to_owned(),
    };
    println!(
        "  {name:<44} {:>4} passed {:>3} ignored {:>7.1} s  {verdict}",
        counts.passed,
        counts.ignored,
        outcome.took.as_secs_f64()
    );
    if !fine {
        println!("{}", outcome.tail(12));
    }
    Ok(counts)
}

/// Writes the log of a run.
fn save(name: &str, outcome: &Outcome, logs: &Path) -> Result<PathBuf> {
    fs::create_dir_all(logs).with_context(|| format!("cannot make {}", logs.display()))?;
    let file: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let path = logs.join(format!("{file}.log"));
    fs::write(&path, outcome.text()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_is_counted() {
        let lines =
            ["test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 1 filtered out; finished in 0.1s".into()];
        assert_eq!(Counts::of(&lines), Counts { programs: 1, passed: 12, ignored: 3, ..Counts::default() });
        assert!(!Counts::of(&[]).good());
    }
}
