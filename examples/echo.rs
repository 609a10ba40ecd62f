//! A TCP server that sends back what it gets, with one task a connection.
//!
//! ```text
//! cargo run --release --example echo
//! nc 127.0.0.1 7000
//! ```

use std::io;
use std::process::ExitCode;

use tiny_coro::net::{TcpListener, TcpStream};
use tiny_coro_examples::{accept, cli, run};

const USAGE: &str = "
Sends back what it gets.

Usage: echo [--addr 127.0.0.1:7000] [--workers N]";

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            // Until this is sent nothing more is read: a client that doesn't listen is held back by TCP.
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}

fn main() -> ExitCode {
    let options = cli::Server::on_port(7000).parse(USAGE);
    run(options.workers, async move {
        let listener = TcpListener::bind(options.address).await?;
        println!("echo listens on {}", listener.local_addr()?);
        loop {
            let (stream, peer) = accept(&listener).await;
            tiny_coro::spawn(async move {
                if let Err(error) = echo(stream).await {
                    eprintln!("{peer}: {error}");
                }
            })
            .detach();
        }
    })
}
