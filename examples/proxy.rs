//! A TCP proxy: each connection is continued to another server, and the bytes go through in both directions until both
//! have ended.
//!
//! ```text
//! cargo run --release --example echo
//! cargo run --release --example proxy -- --to 127.0.0.1:7000
//! nc 127.0.0.1 7001
//! ```

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use futures_lite::{AsyncWriteExt, future};
use lexopt::prelude::*;
use tiny_coro::net::{ReadHalf, TcpListener, TcpStream, WriteHalf};
use tiny_coro::time::timeout;
use tiny_coro_examples::{accept, cli, run};

const USAGE: &str = "
Continues each connection to another server.

Usage: proxy [--to 127.0.0.1:7000] [--addr 127.0.0.1:7001] [--workers N]";

/// So long the server behind may take to accept.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

struct Options {
    server: cli::Server,
    to: SocketAddr,
}

fn options(parser: &mut lexopt::Parser) -> Result<Options, lexopt::Error> {
    let mut options = Options { server: cli::Server::on_port(7001), to: ([127, 0, 0, 1], 7000).into() };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("addr") => options.server.address = cli::address(parser)?,
            Long("workers") => options.server.workers = Some(cli::workers(parser)?),
            Long("to") => options.to = cli::address(parser)?,
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(options)
}

/// Carries bytes both ways. The end of one direction is passed on as such, and the other goes on; an error ends both.
async fn copy_bidirectional(client: &mut TcpStream, server: &mut TcpStream) -> io::Result<(u64, u64)> {
    let ((client_reader, client_writer), (server_reader, server_writer)) = (client.split(), server.split());
    future::try_zip(copy(client_reader, server_writer), copy(server_reader, client_writer)).await
}

async fn copy(reader: ReadHalf<'_>, mut writer: WriteHalf<'_>) -> io::Result<u64> {
    let count = futures_lite::io::copy(reader, &mut writer).await?;
    writer.close().await?;
    Ok(count)
}

async fn serve(mut client: TcpStream, to: SocketAddr) -> io::Result<(u64, u64)> {
    let mut server = timeout(CONNECT_LIMIT, TcpStream::connect(to)).await??;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await
}

fn main() -> ExitCode {
    let options = cli::parse(USAGE, options);
    run(options.server.workers, async move {
        let listener = TcpListener::bind(options.server.address).await?;
        println!("proxy listens on {} and continues to {}", listener.local_addr()?, options.to);
        loop {
            let (stream, peer) = accept(&listener).await;
            tiny_coro::spawn(async move {
                match serve(stream, options.to).await {
                    Ok((up, down)) => println!("{peer}: {up} bytes up, {down} down"),
                    Err(error) => eprintln!("{peer}: {error}"),
                }
            });
        }
    })
}
