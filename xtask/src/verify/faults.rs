//! `cargo xtask verify faults`: programs and test suites while strace lets system calls fail, without a hook in the code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result};

use super::NotRun;
use super::options::Options;
use super::process::{Ended, watch};
use super::programs::{self, Program};
use crate::workspace::{Workspace, cargo};

const HELP: &str = "\
Runs programs and test suites under strace, which lets system calls fail. Linux, with strace.

Usage: cargo xtask verify faults [NAME]…

Each NAME is a part of a case's name, such as `accept4` or `EINTR`. A case passes if the program ends well and a fault was
injected. Exits with 1 if one does not.";

/// Nothing here takes this long, slowed down by strace or not.
const LIMIT: Duration = Duration::from_secs(180);

/// Who is run.
#[derive(Clone, Copy, Debug)]
enum Victim {
    /// A program of `xtask/faults`, which looks at its own state at the end.
    Program(&'static str),
    /// The tests of a crate: all of them, or the one named, must pass as if nothing had been injected.
    Tests(&'static str, &'static str, Option<&'static str>),
}

/// A fault: which calls, how they fail, which of them, and who has to survive that. strace counts the calls of each thread:
/// `2+3` is the second and every third after it, `1..9` the first nine.
type Case = (&'static str, &'static str, &'static str, Victim);

use Victim::{Program as P, Tests as T};

/// What a poller sleeps in.
const WAITS: &str = "epoll_wait,epoll_pwait,epoll_pwait2";

/// What moves bytes over a socket.
const TRANSFERS: &str = "recvfrom,sendto,sendmsg,writev";

/// The fault table of operating system and sockets, as far as system calls can fail by injection.
const CASES: &[Case] = &[
    ("accept4", "error=EMFILE", "2..20", P("echo")),
    ("accept4", "error=ENFILE", "2..20", P("echo")),
    ("accept4", "error=ENOBUFS", "2..20", P("echo")),
    ("accept4", "error=ENOMEM", "2..20", P("echo")),
    ("accept4", "error=EMFILE", "1+2", T("tiny-coro-http", "server", Some("requests_are_served_over_real_sockets"))),
    ("accept4", "error=ECONNABORTED", "1+2", T("tiny-coro-net", "tcp", None)),
    ("accept4", "error=EINTR", "1+2", T("tiny-coro-net", "tcp", None)),
    ("epoll_ctl", "error=ENOSPC", "4+2", P("register")),
    ("epoll_ctl", "error=ENOMEM", "5+3", P("register")),
    (WAITS, "error=EINTR", "1+2", P("register")),
    (WAITS, "error=EINTR", "1+2", T("tiny-coro-net", "tcp", None)),
    (WAITS, "error=EINTR", "1+2", T("tiny-coro-sched", "tasks", None)),
    (WAITS, "error=EINTR", "1+2", T("tiny-coro-http", "server", None)),
    ("futex", "error=EINTR", "9+3", P("ping_pong")),
    ("futex", "error=EAGAIN", "9+3", P("ping_pong")),
    ("futex", "signal=SIGUSR1", "9+2", P("ping_pong")),
    (TRANSFERS, "error=EINTR", "1+2", P("echo")),
    (TRANSFERS, "error=EINTR", "1+2", T("tiny-coro-net", "tcp", Some("a_megabyte_both_ways_at_once"))),
    (TRANSFERS, "error=EINTR", "1+2", T("tiny-coro-http", "server", Some("requests_are_served_over_real_sockets"))),
    ("recvfrom", "error=ECONNRESET", "4..9", P("echo")),
    ("sendto", "error=ECONNRESET", "4..9", P("echo")),
    ("sendto", "error=EPIPE", "4..9", P("echo")),
    ("connect", "error=EADDRNOTAVAIL", "2..10", P("echo")),
    ("connect", "error=ETIMEDOUT", "2..10", P("echo")),
    ("clone3", "error=EAGAIN", "2+4", P("threads")),
    ("clone3", "error=EAGAIN", "3+5", P("threads")),
];

/// Runs the tier.
///
/// # Errors
///
/// Fails if the programs don't build.
pub(super) fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = Options::parse(arguments, HELP)? else { return Ok(ExitCode::SUCCESS) };
    can_inject()?;
    let workspace = Workspace::load()?;
    let folder = workspace.target.join("verify/faults");
    let cases: Vec<&Case> = CASES.iter().filter(|case| options.wants(&name(case))).collect();
    let mut builds = Builds { workspace: &workspace, folder: &folder, built: Vec::new() };
    let mut failed = 0;
    for case in &cases {
        let program = builds.victim(case.3)?;
        failed += usize::from(!try_case(case, &program, &folder)?);
    }
    println!("faults: {} cases, {failed} not survived", cases.len());
    Ok(if failed == 0 && !cases.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether strace is there, knows injection, and may trace.
fn can_inject() -> Result<()> {
    let attempt = Command::new("strace").args(["-qq", "-e", "inject=getppid:error=EPERM", "true"]).output();
    match attempt {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(NotRun(format!("strace can't: {}", String::from_utf8_lossy(&output.stderr).trim())).into()),
        Err(_) => Err(NotRun("there is no strace: apt-get install strace".to_owned()).into()),
    }
}

fn name((calls, fault, when, victim): &Case) -> String {
    let who = match victim {
        P(program) => (*program).to_owned(),
        T(package, target, test) => format!("{package} {}", test.unwrap_or(target)),
    };
    format!("{calls} {fault} {when}: {who}")
}

/// Runs one case; whether the victim survived it, and was hit.
fn try_case(case: &Case, program: &Program, folder: &Path) -> Result<bool> {
    let (calls, fault, when, victim) = case;
    let trace = folder.join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(&trace).current_dir(&program.folder);
    command.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={calls}:{fault}:when={when}")]);
    command.arg(&program.path);
    match victim {
        // One at a time, or one test's faults would be another's.
        T(_, _, test) => command.arg("--test-threads=1").args(*test).args(test.map(|_| "--exact")),
        P(_) => &mut command,
    };
    let outcome = watch(&mut command, LIMIT, |_| false)?;
    let trace = fs::read(&trace).context("strace left no trace")?;
    let trace = String::from_utf8_lossy(&trace);
    let marks = if fault.starts_with("signal") { "SIGUSR1" } else { "(INJECTED)" };
    let hits = trace.matches(marks).count();
    let said =
        outcome.lines.iter().rev().find(|line| line.starts_with("survived: ") || line.starts_with("test result"));
    let survived = outcome.ended.well() && said.is_some();
    let verdict = match outcome.ended {
        _ if survived && hits == 0 => "NO FAULT was injected",
        _ if survived => "survived",
        Ended::TimedOut => "HANGS",
        _ => "FAILED",
    };
    println!("  {:<84} {hits:>5} faults  {verdict} [{:.1} s]", name(case), outcome.took.as_secs_f64());
    match said.filter(|_| survived) {
        Some(said) => println!("      {}", said.trim_start_matches("survived: ")),
        None => println!("{}", outcome.tail(15)),
    }
    Ok(survived && hits > 0)
}

/// The programs, each built when it is first needed.
struct Builds<'a> {
    workspace: &'a Workspace,
    folder: &'a Path,
    built: Vec<(PathBuf, Vec<Program>)>,
}

impl Builds<'_> {
    fn victim(&mut self, victim: Victim) -> Result<Program> {
        let (folder, target) = match victim {
            P(program) => (self.workspace.root.join("xtask/faults"), program),
            T(package, target, _) => {
                let package = self.workspace.crates().find(|it| it.name == package);
                (package.context("a case names a crate that is not there")?.folder.clone(), target)
            }
        };
        let at = match self.built.iter().position(|(of, _)| *of == folder) {
            Some(at) => at,
            None => {
                let mut build = Command::new(cargo());
                build.current_dir(&folder).env("CARGO_TARGET_DIR", self.folder);
                let tests = matches!(victim, T(..));
                build.arg(if tests { "test" } else { "build" }).args(tests.then_some("--tests"));
                let programs = programs::try_build(&mut build, tests)?.map_err(anyhow::Error::msg)?;
                self.built.push((folder, programs));
                self.built.len() - 1
            }
        };
        let program = self.built[at].1.iter().find(|program| program.target == target);
        program.cloned().with_context(|| format!("there is no victim {target}"))
    }
}
