//! The least a server can do: whatever comes, the answer is the same 13 bytes in the same head. There is no HTTP in
//! it, so that what it measures is the runtime: accept, wait, read, write.
//!
//! ```text
//! cargo run --release --example raw_http
//! wrk -t2 -c64 -d10s http://127.0.0.1:8081/
//! ```

use std::io;
use std::process::ExitCode;

use tiny_coro::net::{TcpListener, TcpStream};
use tiny_coro_examples::{accept, cli, run};

const USAGE: &str = "
Answers everything that comes with one fixed HTTP response.

Usage: raw_http [--addr 127.0.0.1:8081] [--workers N]";

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 2048];
    while stream.read(&mut buffer).await? != 0 {
        stream.write_all(ANSWER).await?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let options = cli::Server::on_port(8081).parse(USAGE);
    run(options.workers, async move {
        let listener = TcpListener::bind(options.address).await?;
        println!("raw_http listens on http://{}/", listener.local_addr()?);
        loop {
            let (stream, _) = accept(&listener).await;
            // A connection that breaks is the client's affair: there is nobody to tell.
            tiny_coro::spawn(answer(stream)).detach();
        }
    })
}
