//! Group `http`: `wrk` against servers that are children, throughput and processor time per request.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::process::Server;
use super::{Cell, Contender, Context, Group, OURS, Prepared, Role, Sample, Skipped, Unit, build, peer, wrk};

pub(super) const GROUP: Group =
    Group { name: NAME, summary: "HTTP/1.1 under wrk: hyper, may_minihttp, Go; raw: tokio, smol, may, Go", prepare };

const NAME: &str = "http";

/// The bare epoll loop: what the kernel allows.
const LIMIT: Contender = Contender { name: "bare", role: Role::Limit };

/// One case: what is asked for, by which script, of whom.
struct Case {
    name: &'static str,
    path: &'static str,
    /// The body of a Lua script for `wrk`.
    script: Option<&'static str>,
    /// Whether `--quick` runs it too.
    main: bool,
    servers: &'static [(Contender, Child)],
}

/// A binary, and the argument that chooses one of its servers.
#[derive(Clone, Copy)]
struct Child {
    binary: &'static str,
    argument: Option<&'static str>,
}

const fn app(binary: &'static str) -> Child {
    Child { binary, argument: None }
}

const fn raw(binary: &'static str) -> Child {
    Child { binary, argument: Some("raw") }
}

/// hyper with `pipeline_flush`, which is off by default: it gathers pipelined answers into one write.
const HYPER_FLUSH: (Contender, Child) =
    (peer("hyper_flush"), Child { binary: "http-hyper", argument: Some("pipeline_flush") });

/// Stands for the Go child, which is not where cargo puts the others.
const GO: &str = "http-go";

const PIPELINE: &str = "\
init = function(arguments)
  local requests = {}
  for i = 1, 16 do requests[i] = wrk.format(nil) end
  batch = table.concat(requests)
end
request = function() return batch end
";

const POST_1K: &str = "wrk.method = 'POST'\nwrk.body = string.rep('x', 1000)\n";
const POST_1M: &str = "wrk.method = 'POST'\nwrk.body = string.rep('x', 1000000)\n";

const APPS: &[(Contender, Child)] = &[
    (OURS, app("http-tiny-coro")),
    (peer("hyper"), app("http-hyper")),
    (peer("may_minihttp"), app("http-may")),
    (peer("Go"), app(GO)),
];

const CASES: [Case; 7] = [
    Case {
        name: "raw",
        path: "/",
        script: None,
        main: true,
        servers: &[
            (OURS, raw("http-tiny-coro")),
            (LIMIT, raw("http-bare")),
            (peer("tokio"), raw("http-tokio")),
            (peer("smol"), raw("http-smol")),
            (peer("may"), raw("http-may")),
            (peer("Go"), raw(GO)),
        ],
    },
    Case { name: "plaintext", path: "/plaintext", script: None, main: true, servers: APPS },
    Case {
        name: "pipeline16",
        path: "/plaintext",
        script: Some(PIPELINE),
        main: true,
        servers: &[
            (OURS, app("http-tiny-coro")),
            (LIMIT, app("http-bare")),
            (peer("hyper"), app("http-hyper")),
            HYPER_FLUSH,
            (peer("may_minihttp"), app("http-may")),
            (peer("Go"), app(GO)),
        ],
    },
    Case { name: "json", path: "/json", script: None, main: false, servers: APPS },
    Case { name: "post_echo_1k", path: "/echo", script: Some(POST_1K), main: false, servers: APPS },
    Case { name: "post_echo_1m", path: "/echo", script: Some(POST_1M), main: false, servers: APPS },
    Case {
        name: "chunked_download",
        path: "/chunked",
        script: None,
        main: false,
        servers: &[(OURS, app("http-tiny-coro")), (peer("hyper"), app("http-hyper")), (peer("Go"), app(GO))],
    },
];

fn prepare(context: &Context<'_>) -> Result<Prepared> {
    let mut prepared = Prepared::default();
    if !build::present("wrk", "--version") {
        prepared.skipped.push(Skipped { what: "wrk (all of group http)".into(), remedy: "apt-get install wrk".into() });
        return Ok(prepared);
    }
    let folder = build::rust(context, NAME, &[])?;
    let go = match build::go(context, NAME)? {
        Ok(binary) => Some(binary),
        Err(skipped) => {
            prepared.skipped.push(skipped);
            None
        }
    };
    let scripts = context.workspace.target.join("bench");
    fs::create_dir_all(&scripts).with_context(|| format!("cannot create {}", scripts.display()))?;
    let wanted = |case: &Case| !context.options.quick || case.main || context.options.names(NAME, case.name);
    for case in CASES.iter().filter(|case| wanted(case)) {
        let script = case.script.map(|text| write_script(&scripts, case.name, text)).transpose()?;
        for (contender, child) in case.servers {
            let binary = if child.binary == GO { go.clone() } else { Some(folder.join(child.binary)) };
            let Some(binary) = binary else { continue };
            let run = Run {
                binary,
                argument: child.argument,
                case: case.name,
                path: case.path,
                script: script.clone(),
                time: context.options.effort().load,
            };
            let job = Box::new(move || run.measure());
            prepared.cells.push(Cell { group: NAME, case: case.name, contender: *contender, job });
        }
    }
    Ok(prepared)
}

fn write_script(folder: &Path, case: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(format!("{case}.lua"));
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// One load on one server.
struct Run {
    binary: PathBuf,
    argument: Option<&'static str>,
    case: &'static str,
    path: &'static str,
    script: Option<PathBuf>,
    time: Duration,
}

impl Run {
    fn measure(&self) -> Result<Vec<Sample>> {
        let mut command = Command::new(&self.binary);
        if let Some(argument) = self.argument {
            command.arg(argument);
        }
        let mut server = Server::start(&mut command)?;
        warm_up(&server.greeting)?;
        let before = server.processor_time()?;
        let load = wrk::run(&format!("http://{}{}", server.greeting, self.path), self.time, self.script.as_deref())?;
        let after = server.processor_time()?;
        let user = (after.user_us - before.user_us) / load.requests;
        let system = (after.system_us - before.system_us) / load.requests;
        let row = |suffix: &str, unit, value| Sample { row: format!("{}{suffix}", self.case), unit, value };
        Ok(vec![
            row("", Unit::RequestsPerSecond, load.per_second),
            row("_user_cpu", Unit::MicrosPerRequest, user),
            row("_cpu", Unit::MicrosPerRequest, user + system),
        ])
    }
}

/// Asks for the plain text for a moment on one connection; fails if the server doesn't serve it.
pub(super) fn warm_up(address: &str) -> Result<()> {
    const MOMENT: Duration = Duration::from_millis(150);
    let mut stream = TcpStream::connect(address).context("the server does not accept")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let begin = Instant::now();
    let mut buffer = [0; 4096];
    while begin.elapsed() < MOMENT {
        stream.write_all(b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let length = stream.read(&mut buffer).context("the server does not answer")?;
        let answer = String::from_utf8_lossy(&buffer[..length]);
        ensure!(answer.starts_with("HTTP/1.1 200"), "the server answers the plain text with:\n{answer}");
    }
    Ok(())
}
