//! `wrk`: the load, and what it reports.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::process;

/// Threads and connections of the load.
const THREADS: &str = "-t2";
const CONNECTIONS: &str = "-c64";

/// What `wrk` saw.
#[derive(Debug, PartialEq)]
pub(super) struct Load {
    pub(super) requests: f64,
    pub(super) per_second: f64,
}

/// Puts load on `url` for `time`, with the requests that `script` makes if there is one.
///
/// # Errors
///
/// Fails if there was a single socket error, or an answer that is neither 2xx nor 3xx: such figures mean nothing.
pub(super) fn run(url: &str, time: Duration, script: Option<&Path>) -> Result<Load> {
    let mut command = Command::new("wrk");
    command.args([THREADS, CONNECTIONS]).arg(format!("-d{}s", time.as_secs().max(1)));
    if let Some(script) = script {
        command.arg("-s").arg(script);
    }
    parse(&process::output(command.arg(url), time + Duration::from_secs(30))?)
}

fn parse(report: &str) -> Result<Load> {
    let line = |begin: &str| report.lines().map(str::trim).find(|line| line.starts_with(begin));
    let errors: Vec<&str> = ["Socket errors:", "Non-2xx"].into_iter().filter_map(line).collect();
    ensure!(errors.is_empty(), "{}", errors.join("; "));
    let summary = report.lines().map(str::trim).find(|line| line.contains(" requests in "));
    let requests = summary.and_then(|line| line.split(' ').next()?.parse().ok());
    let rate = line("Requests/sec:").and_then(|line| line.rsplit(' ').next()?.parse().ok());
    let requests: f64 = requests.with_context(|| format!("wrk does not say how many requests:\n{report}"))?;
    ensure!(requests > 0.0, "not one answer came");
    Ok(Load { requests, per_second: rate.with_context(|| format!("wrk does not say how fast:\n{report}"))? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "Running 1s test @ http://127.0.0.1:1/\n  2 threads and 64 connections\n  89698 requests in 1.00s, 11.43MB read\n\
                        Requests/sec:  89698.48\nTransfer/sec:     11.43MB\n";

    #[test]
    fn requests_and_rate_are_read() {
        assert_eq!(parse(GOOD).unwrap(), Load { requests: 89698.0, per_second: 89698.48 });
    }

    #[test]
    fn any_error_spoils_the_figures() {
        let errors = "  Socket errors: connect 0, read 3, write 0, timeout 0\n";
        assert!(parse(&format!("{GOOD}{errors}")).unwrap_err().to_string().contains("read 3"));
        let refused = "  Non-2xx or 3xx responses: 7\n";
        assert!(parse(&format!("{GOOD}{refused}")).unwrap_err().to_string().contains("responses: 7"));
    }

    #[test]
    fn silence_is_an_error() {
        assert!(parse("").is_err());
        assert!(parse(&GOOD.replace("89698 requests", "0 requests")).is_err());
    }
}
