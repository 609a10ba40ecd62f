//! Runs the examples as a person would: as programs, by their command line, over the network.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing here takes a second; what takes this long hangs.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(60);

/// The program of an example, which `cargo test` has built beside this test.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let target = test.ancestors().nth(2).expect("a test lies in target/PROFILE/deps");
    let program = target.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "{program:?} is missing: cargo build -p tiny-coro-examples --examples builds it");
    program
}

/// Runs an example to its end.
pub(crate) fn output(name: &str, arguments: &[&str]) -> Output {
    let child = Command::new(program(name))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let pid = child.id();
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(WATCHDOG) else {
        signal(pid, "KILL");
        panic!("{name} {arguments:?} hangs");
    };
    output.expect("the example can be waited for")
}

fn signal(pid: u32, signal: &str) {
    Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().expect("kill is there");
}

/// A server that was started on a free port, and is killed with this.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts an example that prints `… listens on ADDRESS…`.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program(name))
            .args(["--addr", "127.0.0.1:0", "--workers", "2"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is a pipe")).lines();
        let first = lines.next().expect("a server says where it listens").expect("stdout is text");
        // What else it prints is read away, so that it never waits for us.
        thread::spawn(move || lines.for_each(drop));
        let (_, rest) = first.split_once(" listens on ").unwrap_or_else(|| panic!("{name} said {first:?}"));
        let rest = rest.trim_start_matches("http://");
        let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ':')).unwrap_or(rest.len());
        let address = rest[..end].trim_end_matches(':').parse().unwrap_or_else(|_| panic!("{name} said {first:?}"));
        Server { child, address }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect_timeout(&self.address, WATCHDOG).expect("the server accepts");
        stream.set_read_timeout(Some(WATCHDOG)).expect("a time-out can be set");
        stream.set_write_timeout(Some(WATCHDOG)).expect("a time-out can be set");
        stream
    }

    /// Sends one request and reads until the server closes.
    pub(crate) fn ask(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        stream.write_all(request).expect("the server reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the server answers and closes");
        answer
    }

    /// Asks the server to stop, and waits until it has.
    pub(crate) fn stop(&mut self, with: &str) -> ExitStatus {
        signal(self.child.id(), with);
        let start = Instant::now();
        loop {
            match self.child.try_wait().expect("the server can be waited for") {
                Some(status) => return status,
                None if start.elapsed() > WATCHDOG => panic!("the server doesn't stop"),
                None => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// How many bytes of memory the server has in use.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has a size");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a size is a number") * 1024
    }

    /// How many descriptors the server has open.
    #[cfg(target_os = "linux")]
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("the server runs").count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again until `condition` holds.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < WATCHDOG, "still not: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
