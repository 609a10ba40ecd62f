//! An echo server and its clients while the calls on sockets fail: a client may see its connection end, but the server
//! goes on, and once the faults are over every client is served.

use std::io;
use std::time::Duration;

use tiny_coro::net::{TcpListener, TcpStream};
use tiny_coro::{Runtime, sleep, spawn, timeout};

/// How many clients come at least.
const CLIENTS: usize = 60;

/// How many in a row have to be served before it ends. Every thread has its faults, and may come to them late.
const CALM: usize = 40;

async fn serve(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(spawn(echo(stream))),
            Err(_) => sleep(Duration::from_millis(2)).await,
        }
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 64];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}

async fn ask(address: std::net::SocketAddr, number: usize) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let question = format!("question {number}");
    stream.write_all(question.as_bytes()).await?;
    let mut answer = vec![0; question.len()];
    stream.read_exact(&mut answer).await?;
    assert_eq!(answer, question.as_bytes(), "bytes were lost or came twice");
    Ok(())
}

fn main() -> io::Result<()> {
    faults::watchdog();
    let runtime = Runtime::builder().worker_threads(2).build()?;
    let (served, failed) = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = spawn(serve(listener));
        let (mut served, mut failed, mut calm) = (0, 0, 0);
        while served + failed < CLIENTS || calm < CALM {
            // A client that the server never hears of would wait.
            match timeout(Duration::from_secs(5), ask(address, served + failed)).await {
                Ok(Ok(())) => (served, calm) = (served + 1, calm + 1),
                _ => (failed, calm) = (failed + 1, 0),
            }
        }
        server.abort();
        io::Result::Ok((served, failed))
    })?;
    // The last connections end when the server sees that their clients are gone; the watchdog is the limit.
    while runtime.metrics().live_tasks > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    faults::done(&format!("{served} clients served, {failed} cut off"));
    Ok(())
}
