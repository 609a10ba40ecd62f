//! Group `memory`, the other end of the idle connections: `bench-connections ADDRESS COUNT`.
//!
//! Opens connections, has one request served on each, prints how many are open and holds them until its input ends.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::{env, error};

use tiny_coro_benches::http::PLAINTEXT;
use tiny_coro_benches::usage;

/// Open files that this process needs besides.
const SPARE: u64 = 64;

fn main() -> ExitCode {
    match hold() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn hold() -> Result<(), Box<dyn error::Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(address), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bench-connections ADDRESS COUNT".into());
    };
    let allowed = usage::raise_open_files()?.saturating_sub(SPARE);
    let count = count.parse::<u64>()?.min(allowed);
    let connections = (0..count).map(|_| open(&address)).collect::<io::Result<Vec<_>>>()?;
    println!("{}", connections.len());
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A connection on which a request has been answered.
fn open(address: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let (mut buffer, mut length) = ([0; 1024], 0);
    while !buffer[..length].ends_with(PLAINTEXT.as_bytes()) {
        match stream.read(&mut buffer[length..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => length += more,
        }
    }
    Ok(stream)
}
