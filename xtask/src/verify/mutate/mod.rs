//! `cargo xtask verify mutate`: is every ordering as strong as it is for a reason that a model knows?
//!
//! Each ordering is weakened by one step, each fence is weakened and deleted, one at a time, in a copy of the workspace;
//! then the loom models of the crate run. A weakening that no model notices is a hole in the models or an ordering that is
//! too strong, and has to be explained where it stands.

mod scan;
mod scratch;
mod trial;
mod weaken;

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use lexopt::prelude::*;

use self::scan::Mutation;
use self::scratch::Scratch;
use self::trial::{Models, Verdict};
use crate::models;
use crate::source;
use crate::workspace::Workspace;

const HELP: &str = "\
Weakens every ordering and deletes every fence, one at a time, and runs the loom models.

Usage: cargo xtask verify mutate [OPTIONS]

Options:
  -p TARGET         One of: ebr, deque, parker, task (these are the default), sched, reactor, sync, or a
                    package's name. May be given several times
  --site FILE:LINE  Only what stands there; FILE may be the end of a path. May be given several times
  --bound N         How many preemptions survivors are tried with, model by model (5; 3 tries no more)
  --limit SECONDS   How long the models may take, at least (60). At bound 3 it is ten times what the
                    unmutated models took, if that is more
  --list            Say what would be tried, and try nothing

A survivor is justified by a line `// UNMODELLED: why` in the comment right above its statement.
Exits with 1 if there is a survivor without one.";

/// What `-p` may name: a package, and the part of its `src` that is meant.
const TARGETS: [(&str, &str, &str); 7] = [
    ("ebr", "tiny-coro-ebr", ""),
    ("deque", "tiny-coro-deque", ""),
    ("parker", "tiny-coro-parker", ""),
    ("task", "tiny-coro-sched", "task"),
    ("sched", "tiny-coro-sched", ""),
    ("reactor", "tiny-coro-reactor", ""),
    ("sync", "tiny-coro-sync", ""),
];

/// How many of them are tried if none is named.
const DEFAULT: usize = 4;

/// The command line.
#[derive(Debug)]
struct Options {
    targets: Vec<(String, String)>,
    sites: Vec<(String, usize)>,
    bound: u32,
    limit: Duration,
    list: bool,
}

impl Options {
    fn parse(mut arguments: lexopt::Parser) -> Result<Option<Options>> {
        let mut targets = Vec::new();
        let mut options =
            Options { targets: vec![], sites: vec![], bound: 5, limit: Duration::from_secs(60), list: false };
        while let Some(argument) = arguments.next()? {
            match argument {
                Short('p') | Long("package") => targets.push(arguments.value()?.string()?),
                Long("site") => options.sites.push(site(&arguments.value()?.string()?)?),
                Long("bound") => options.bound = arguments.value()?.parse()?,
                Long("limit") => options.limit = Duration::from_secs(arguments.value()?.parse()?),
                Long("list") => options.list = true,
                Short('h') | Long("help") => {
                    println!("{HELP}");
                    return Ok(None);
                }
                other => return Err(other.unexpected().into()),
            }
        }
        let known = |name: &String| TARGETS.iter().find(|target| target.0 == name);
        options.targets = match targets.is_empty() {
            true => {
                TARGETS[..DEFAULT].iter().map(|(_, package, part)| (package.to_string(), part.to_string())).collect()
            }
            false => targets
                .iter()
                .map(|name| known(name).map_or((name.clone(), String::new()), |it| (it.1.to_owned(), it.2.to_owned())))
                .collect(),
        };
        Ok(Some(options))
    }

    fn wants(&self, mutation: &Mutation) -> bool {
        let path = mutation.path.to_string_lossy();
        self.sites.is_empty() || self.sites.iter().any(|(file, line)| path.ends_with(file) && mutation.line == *line)
    }
}

fn site(text: &str) -> Result<(String, usize)> {
    let (file, line) = text.rsplit_once(':').context("a site is FILE:LINE")?;
    Ok((file.to_owned(), line.parse().context("a site is FILE:LINE")?))
}

/// How many there are of each kind.
#[derive(Debug, Default)]
struct Score {
    caught: usize,
    hung: usize,
    justified: usize,
    invalid: usize,
    survived: Vec<String>,
}

impl Score {
    fn all(&self) -> usize {
        self.caught + self.hung + self.justified + self.survived.len()
    }
}

/// Runs the tier.
///
/// # Errors
///
/// Fails if the unmutated models do not pass, or the copy of the workspace can't be written.
pub(super) fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = Options::parse(arguments)? else { return Ok(ExitCode::SUCCESS) };
    let workspace = Workspace::load()?;
    let folder = workspace.target.join("verify/mutate");
    let scratch = Scratch::sync(&workspace.root, folder.join("work"))?;
    let (begin, mut score) = (Instant::now(), Score::default());
    for (name, part) in &options.targets {
        let package = workspace.crates().find(|package| package.name == *name);
        let Some(package) = package else { bail!("there is no target {name}; `cargo xtask verify mutate --help`") };
        let found = mutations(&workspace, &scratch, name, part)?;
        let mutations: Vec<Mutation> = found.into_iter().filter(|mutation| options.wants(mutation)).collect();
        if options.list {
            mutations.iter().for_each(|mutation| println!("{}", shown(mutation)));
            score.invalid += mutations.len();
            continue;
        }
        if mutations.is_empty() {
            println!("== {name}: nothing to weaken");
            continue;
        }
        let models = Models::new(&scratch, folder.join("target"), package)?;
        try_all(name, &mutations, &models, &options, &mut score)?;
    }
    if options.list {
        println!("{} mutations", score.invalid);
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(score.all() > 0, "no site was tried");
    Ok(conclude(&score, begin.elapsed()))
}

/// Every mutation under `part` of the sources of a package, as they are in the scratch copy.
fn mutations(workspace: &Workspace, scratch: &Scratch, package: &str, part: &str) -> Result<Vec<Mutation>> {
    let folder = workspace.crates().find(|it| it.name == package).context("no such package")?;
    let root = scratch.root.join(workspace.relative(&folder.folder)).join("src");
    let mut found = Vec::new();
    for file in source::files(&root, false)? {
        let inside = file.path.strip_prefix(&root)?;
        let is_model = inside.components().any(|name| name.as_os_str() == "model" || name.as_os_str() == "model.rs");
        if inside.starts_with(part) && !is_model {
            let text = std::fs::read_to_string(&file.path)?;
            found.extend(scan::mutations(&file, &text, file.path.strip_prefix(&scratch.root)?));
        }
    }
    Ok(found)
}

/// Tries the mutations of one package.
fn try_all(name: &str, all: &[Mutation], models: &Models<'_>, options: &Options, score: &mut Score) -> Result<()> {
    let baseline = models.baseline(models::PREEMPTIONS, options.limit)?;
    println!(
        "== {name}: {} mutations, {} models; unmutated they pass in {:.1} s at bound {}",
        all.len(),
        baseline.models.len(),
        baseline.took.as_secs_f64(),
        baseline.bound
    );
    let built = models.built(all)?;
    for (mutation, built) in all.iter().zip(built) {
        print!("{:<100} ", format!("{}:{}: {}", mutation.path.display(), mutation.line, mutation.what));
        std::io::stdout().flush()?;
        let begin = Instant::now();
        // What is justified needs no second, longer search.
        let higher = mutation.reason.is_none().then_some(options.bound);
        let verdict = if built { models.attempt(mutation, &baseline, higher)? } else { Verdict::Survived };
        let note = if built { "" } else { "not in the models' build: " };
        println!("{note}{} [{:.0} s]", count(mutation, verdict, score), begin.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Counts a verdict and says it.
fn count(mutation: &Mutation, verdict: Verdict, score: &mut Score) -> String {
    let unneeded = if mutation.reason.is_some() { " (it is said to be unmodelled)" } else { "" };
    let rest = match verdict {
        Verdict::Caught(by) | Verdict::Died(by) => {
            score.caught += 1;
            return format!("caught by {by}{unneeded}");
        }
        Verdict::Hung(how) => {
            score.hung += 1;
            return format!("caught: hangs, {how}{unneeded}");
        }
        Verdict::Invalid(why) => {
            score.invalid += 1;
            return format!("no mutation: {why}");
        }
        Verdict::Survived => String::new(),
        Verdict::SurvivedInPart(what) => format!("; {what}"),
    };
    match &mutation.reason {
        Some(reason) => {
            score.justified += 1;
            format!("justified: {reason}")
        }
        None => {
            score.survived.push(format!("{}{rest}", shown(mutation)));
            format!("SURVIVED{rest}")
        }
    }
}

fn conclude(score: &Score, took: Duration) -> ExitCode {
    println!();
    for survivor in &score.survived {
        println!("survived, and nothing says why: {survivor}");
    }
    println!(
        "mutate: {} mutations in {} s: {} caught by a model, {} more by a hang, {} justified in writing, {} survived",
        score.all(),
        took.as_secs(),
        score.caught,
        score.hung,
        score.justified,
        score.survived.len()
    );
    if score.invalid > 0 {
        println!("mutate: {} more did not build or made no sense to the model checker", score.invalid);
    }
    if score.survived.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn shown(mutation: &Mutation) -> String {
    let reason = mutation.reason.as_ref().map(|reason| format!("  (unmodelled: {reason})")).unwrap_or_default();
    format!("{}:{}: {}{reason}", mutation.path.display(), mutation.line, mutation.what)
}
