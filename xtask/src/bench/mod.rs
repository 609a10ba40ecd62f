//! `cargo xtask bench`: tiny-coro and its peers on the same work, in interleaved rounds.
//!
//! A [`group`](GROUPS) says which cells there are: a cell is one case on one contender, and running it once yields
//! samples. The [`rounds`] run every cell once each, in an order that turns round each time, so that what the machine
//! does besides falls on all contenders alike. [`rows`] takes the medians and holds them against `benches/targets.toml`.
//!
//! Most children measure themselves ([`measured`]); servers are measured by the load on them ([`http`], [`idle`]).
//! A new group is a new file beside `sched.rs` and a line in [`GROUPS`].

mod blocks;
mod build;
mod http;
mod idle;
mod measured;
mod memory;
mod options;
mod output;
mod process;
mod rounds;
mod rows;
mod scaling;
mod sched;
mod sync;
mod targets;
mod timer;
mod unit;
mod wrk;

use std::cell::RefCell;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use self::options::{Options, Request};
use self::unit::Unit;
use crate::workspace::Workspace;

/// Every group, in the order of the report.
const GROUPS: [Group; 9] = [
    blocks::DEQUE,
    blocks::EBR,
    blocks::PARKER,
    timer::GROUP,
    sched::GROUP,
    scaling::GROUP,
    sync::GROUP,
    memory::GROUP,
    http::GROUP,
];

/// A group of cases that are built and measured alike.
struct Group {
    name: &'static str,
    summary: &'static str,
    /// Builds the contenders that this machine has the tools for.
    prepare: fn(&Context<'_>) -> Result<Prepared>,
}

/// What a group needs to know to prepare itself.
struct Context<'a> {
    workspace: &'a Workspace,
    options: &'a Options,
    /// What [`build`] has built in this run.
    built: RefCell<Vec<String>>,
}

/// What a group is ready to run, and what it had to leave out.
#[derive(Default)]
struct Prepared {
    cells: Vec<Cell>,
    skipped: Vec<Skipped>,
}

impl Prepared {
    fn extend(&mut self, more: Prepared) {
        self.cells.extend(more.cells);
        for skipped in more.skipped {
            if self.skipped.iter().all(|known| known.what != skipped.what) {
                self.skipped.push(skipped);
            }
        }
    }
}

/// One case on one contender.
struct Cell {
    group: &'static str,
    case: &'static str,
    contender: Contender,
    job: Job,
}

/// Runs a cell once: starts a child, measures, ends the child.
type Job = Box<dyn Fn() -> Result<Vec<Sample>>>;

/// One figure out of one run. A job may yield several, each a row of its own: throughput and processor time.
#[derive(Debug)]
struct Sample {
    row: String,
    unit: Unit,
    value: f64,
}

/// Who runs a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Contender {
    name: &'static str,
    role: Role,
}

/// What a contender is to the ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Ours,
    Peer,
    /// Something besides that explains the figures, such as a backend of ours that is not the default: shown, but nobody's rival.
    Variant,
    /// What the machine allows at best: shown, but nobody's rival.
    Limit,
}

/// A contender or a group that this machine can't run.
#[derive(Clone, Debug)]
struct Skipped {
    what: String,
    remedy: String,
}

const OURS: Contender = Contender { name: "tiny-coro", role: Role::Ours };

const fn peer(name: &'static str) -> Contender {
    Contender { name, role: Role::Peer }
}

const fn variant(name: &'static str) -> Contender {
    Contender { name, role: Role::Variant }
}

/// The peer that cargo doesn't build.
const GO: Contender = peer("Go");

/// Builds, measures, reports.
///
/// # Errors
///
/// Fails if something can't be built, or an argument is wrong.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let options = match options::parse(arguments)? {
        Request::Run(options) => options,
        Request::Help => {
            println!("{}", options::help());
            return Ok(ExitCode::SUCCESS);
        }
    };
    let workspace = Workspace::load()?;
    let targets = targets::load(&workspace.root.join("benches/targets.toml"))?;
    let prepared = prepare(&Context { workspace: &workspace, options: &options, built: RefCell::default() })?;
    ensure!(!prepared.cells.is_empty(), "no case is left to measure{}", remedies(&prepared.skipped));

    let results = rounds::run(&prepared.cells, &options);
    let rows = rows::from_results(&results, &targets);
    let report = output::Report { rows: &rows, skipped: &prepared.skipped, rounds: results.rounds, options: &options };
    let folder = workspace.target.join("bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    report.write(&folder, options.json.as_deref())?;
    report.print(&workspace.relative(&folder));

    let short = rows.iter().any(|row| row.falls_short());
    Ok(if options.check && short { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Prepares every group that was asked for and keeps the cells that were.
fn prepare(context: &Context<'_>) -> Result<Prepared> {
    let mut all = Prepared::default();
    for group in GROUPS.iter().filter(|group| context.options.wants_group(group.name)) {
        let mut prepared = (group.prepare)(context).with_context(|| format!("cannot prepare group {}", group.name))?;
        prepared.cells.retain(|cell| context.options.wants(cell.group, cell.case));
        all.extend(prepared);
    }
    Ok(all)
}

fn remedies(skipped: &[Skipped]) -> String {
    skipped.iter().map(|skipped| format!("; {} is missing: {}", skipped.what, skipped.remedy)).collect()
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Effort {
    rounds: usize,
    /// How long one load on a server lasts.
    load: Duration,
    /// No new round begins that would end after this, once there is one.
    budget: Option<Duration>,
}
