//! Child processes whose output is read line by line, and which end at a deadline.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself.
    Status(ExitStatus),
    /// Killed, because it took too long.
    TimedOut,
    /// Killed, because a line said all that was to be known.
    Stopped,
}

impl Ended {
    /// Whether it ended by itself, and well.
    pub(super) fn well(self) -> bool {
        matches!(self, Ended::Status(status) if status.success())
    }
}

/// What a child did.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) ended: Ended,
    pub(super) took: Duration,
    /// What it wrote to its standard output, line by line.
    pub(super) lines: Vec<String>,
    /// What it wrote to its standard error.
    pub(super) errors: String,
}

impl Outcome {
    /// Everything that it wrote, for a search.
    pub(super) fn text(&self) -> String {
        format!("{}\n{}", self.lines.join("\n"), self.errors)
    }

    /// The last `count` lines that it wrote, for a person.
    pub(super) fn tail(&self, count: usize) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }
}

/// Runs `command` for `limit` at most, or until `enough` says so of a line that it wrote to its standard output.
///
/// # Errors
///
/// Fails if it can't be started.
pub(super) fn watch(command: &mut Command, limit: Duration, enough: impl Fn(&str) -> bool) -> Result<Outcome> {
    let begin = Instant::now();
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    let (send, lines) = mpsc::channel();
    let stdout = child.stdout.take().context("no standard output")?;
    thread::spawn(move || {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let _ = send.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    let mut stderr = child.stderr.take().context("no standard error")?;
    let (errors_to, errors) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stderr.read_to_end(&mut bytes);
        let _ = errors_to.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    let mut seen: Vec<String> = Vec::new();
    let ended = loop {
        match lines.recv_timeout(limit.saturating_sub(begin.elapsed())) {
            Ok(line) => {
                seen.push(line);
                if seen.last().is_some_and(|line| enough(line)) {
                    child.kill()?;
                    child.wait()?;
                    break Ended::Stopped;
                }
            }
            Err(RecvTimeoutError::Disconnected) => break Ended::Status(child.wait()?),
            Err(RecvTimeoutError::Timeout) => {
                child.kill()?;
                child.wait()?;
                break Ended::TimedOut;
            }
        }
    };
    // A grandchild may hold the pipe open for longer.
    let errors = errors.recv_timeout(Duration::from_secs(2)).unwrap_or_default();
    Ok(Outcome { ended, took: begin.elapsed(), lines: seen, errors })
}
