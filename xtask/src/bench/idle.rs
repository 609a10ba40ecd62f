//! Idle connections: what 10,000 of them cost a server that has nothing to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::process::Server;
use super::{Sample, Unit, http};

/// How many connections there are, if the limit on open files allows it.
const CONNECTIONS: &str = "10000";

/// A server, and the process that opens connections to it.
pub(super) struct Idle {
    pub(super) server: PathBuf,
    pub(super) client: PathBuf,
    /// For how long nothing happens.
    pub(super) time: Duration,
}

impl Idle {
    /// Whether this system says what the measurement has to know.
    pub(super) fn supported() -> bool {
        Path::new("/proc/self/task").exists()
    }

    /// Resident bytes per connection that has served one request, and context switches of the idle server.
    pub(super) fn measure(&self) -> Result<Vec<Sample>> {
        let server = Server::start(&mut Command::new(&self.server))?;
        http::warm_up(&server.greeting)?;
        let process = Process(server.id());
        let before = process.settled()?;
        let client = Server::start(Command::new(&self.client).args([&server.greeting, CONNECTIONS]))?;
        let connections: f64 = client.greeting.parse().context("the client does not say how many it has opened")?;
        ensure!(connections > 0.0, "not one connection is open");
        let bytes = process.settled()? - before;

        let (switches, start) = (process.context_switches()?, Instant::now());
        thread::sleep(self.time);
        let switches = process.context_switches()? - switches;
        let per_second = switches / start.elapsed().as_secs_f64();
        let row = |row: &str, unit, value| Sample { row: row.to_owned(), unit, value };
        Ok(vec![
            row("bytes_per_idle_conn", Unit::Bytes, bytes / connections),
            row("idle_wakeups", Unit::SwitchesPerSecond, per_second),
        ])
    }
}

/// A process, seen from outside so that looking at it does not wake it.
struct Process(u32);

impl Process {
    /// The resident bytes once they no longer change.
    fn settled(&self) -> Result<f64> {
        let mut last = self.resident_bytes()?;
        for _ in 0..20 {
            thread::sleep(Duration::from_millis(100));
            let bytes = self.resident_bytes()?;
            if bytes == last {
                break;
            }
            last = bytes;
        }
        Ok(last)
    }

    fn resident_bytes(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.0);
        let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        Ok(field(&status, "VmRSS:").context("no VmRSS")? * 1024.0)
    }

    /// Of all threads together.
    fn context_switches(&self) -> Result<f64> {
        let folder = format!("/proc/{}/task", self.0);
        let mut sum = 0.0;
        for thread in fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))? {
            // A thread that has ended meanwhile does not count.
            let Ok(status) = fs::read_to_string(thread?.path().join("status")) else { continue };
            sum += field(&status, "voluntary_ctxt_switches:").unwrap_or(0.0);
            sum += field(&status, "nonvoluntary_ctxt_switches:").unwrap_or(0.0);
        }
        Ok(sum)
    }
}

/// The number in the line of `status` that begins with `name`.
fn field(status: &str, name: &str) -> Option<f64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_the_number_of_the_line_with_that_name() {
        let status = "VmRSS:\t    1024 kB\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t3\n";
        assert_eq!(field(status, "VmRSS:"), Some(1024.0));
        assert_eq!(field(status, "voluntary_ctxt_switches:"), Some(7.0));
        assert_eq!(field(status, "nonvoluntary_ctxt_switches:"), Some(3.0));
        assert_eq!(field(status, "VmSwap:"), None);
    }
}
