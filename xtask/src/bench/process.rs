//! Child processes that can't outlive the bench or hang it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// How long a child may take to answer or to end before it is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `command` to its end, for `limit` at most, and returns what it wrote to its standard output.
///
/// # Errors
///
/// Fails if it can't be started, takes longer (it is killed then), or fails itself.
pub(super) fn output(command: &mut Command, limit: Duration) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| format!("cannot start {name}"))?;
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            bail!("{name} did not end within {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(2));
    };
    let (stdout, stderr) = (stdout.recv().unwrap_or_default(), stderr.recv().unwrap_or_default());
    ensure!(status.success(), "{name}: {status}\n{}", stderr.trim_end());
    Ok(stdout)
}

/// Reads a pipe to its end beside us, so that a child that writes a lot does not wait for us.
fn drain(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// A process that runs for as long as this lives: a server, or one that holds connections to it.
pub(super) struct Server {
    child: Child,
    /// Closing it tells the process to exit.
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What it says when it is ready: a server where it listens, as `IP:PORT`.
    pub(super) greeting: String,
}

/// Processor time that a server has used so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessorTime {
    pub(super) user_us: f64,
    pub(super) system_us: f64,
}

impl Server {
    /// Starts a process and waits until it says that it is ready.
    pub(super) fn start(command: &mut Command) -> Result<Server> {
        let name = command.get_program().to_string_lossy().into_owned();
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.with_context(|| format!("cannot start {name}"))?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("the output is piped")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut server = Server { child, input, lines, greeting: String::new() };
        server.greeting =
            server.lines.recv_timeout(PATIENCE).with_context(|| format!("{name} did not become ready"))?;
        Ok(server)
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server how much processor time it has used.
    pub(super) fn processor_time(&mut self) -> Result<ProcessorTime> {
        let input = self.input.as_mut().context("the input is open while the server lives")?;
        input.write_all(b"\n").context("the server is gone")?;
        let line = self.lines.recv_timeout(PATIENCE).context("the server does not answer any more")?;
        let times: Value = serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))?;
        let number = |key: &str| times[key].as_f64().with_context(|| format!("no {key} in {line}"));
        Ok(ProcessorTime { user_us: number("user_us")?, system_us: number("system_us")? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
