//! Command lines: `--help` goes to standard output, a mistake to standard error with exit code 2.

use std::net::{SocketAddr, ToSocketAddrs};
use std::process;

use lexopt::prelude::*;
use lexopt::{Error, Parser};

/// Reads the command line with `read`. Returns only if it makes sense: `-h` and `--help` print `usage`, and a mistake
/// is explained.
pub fn parse<T>(usage: &str, read: impl FnOnce(&mut Parser) -> Result<T, Error>) -> T {
    let asks_for_help = |argument: &std::ffi::OsString| argument == "--help" || argument == "-h";
    if std::env::args_os().skip(1).take_while(|argument| argument != "--").any(|argument| asks_for_help(&argument)) {
        println!("{}", usage.trim());
        process::exit(0);
    }
    read(&mut Parser::from_env()).unwrap_or_else(|error| {
        eprintln!("error: {error}\nTry --help.");
        process::exit(2);
    })
}

/// Accepts no arguments but `--help`.
pub fn no_arguments(usage: &str) {
    parse(usage, |parser| match parser.next()? {
        None => Ok(()),
        Some(argument) => Err(argument.unexpected()),
    });
}

/// What every server takes: `--addr ADDRESS` and `--workers N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where to listen.
    pub address: SocketAddr,
    /// How many worker threads; `None` is one a core.
    pub workers: Option<usize>,
}

impl Server {
    /// Listens on this port of the loopback interface unless the command line says otherwise.
    pub fn on_port(port: u16) -> Self {
        Server { address: ([127, 0, 0, 1], port).into(), workers: None }
    }

    /// Reads the command line.
    pub fn parse(mut self, usage: &str) -> Self {
        parse(usage, |parser| {
            while let Some(argument) = parser.next()? {
                match argument {
                    Long("addr") => self.address = address(parser)?,
                    Long("workers") => self.workers = Some(workers(parser)?),
                    _ => return Err(argument.unexpected()),
                }
            }
            Ok(self)
        })
    }
}

/// Reads the value of `--addr`: `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`.
///
/// # Errors
///
/// When there is none, or it is no address.
pub fn address(parser: &mut Parser) -> Result<SocketAddr, Error> {
    parser.value()?.parse_with(|text| match text.to_socket_addrs() {
        Ok(mut addresses) => addresses.next().ok_or_else(|| "this name has no address".to_owned()),
        Err(error) => Err(format!("{error}; expected HOST:PORT, such as 127.0.0.1:8080")),
    })
}

/// Reads the value of `--workers`.
///
/// # Errors
///
/// When there is none, or it is not from 1 to 1024.
pub fn workers(parser: &mut Parser) -> Result<usize, Error> {
    parser.value()?.parse_with(|text| match text.parse() {
        Ok(workers @ 1..=1024) => Ok(workers),
        _ => Err("expected a number from 1 to 1024"),
    })
}
