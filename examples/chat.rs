//! A chat room: what one says all others hear. The first line that a client sends is its name.
//!
//! ```text
//! cargo run --release --example chat
//! nc 127.0.0.1 7003
//! ```

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::io::BufReader;
use futures_lite::{AsyncBufRead, AsyncWrite, AsyncWriteExt, future};
use parking_lot::Mutex;
use tiny_coro::net::{TcpListener, TcpStream};
use tiny_coro::sync::channel;
use tiny_coro::time::timeout;
use tiny_coro_examples::{accept, cli, read_line, run};

const USAGE: &str = "
Passes what each client says to all others. The first line is the client's name.

Usage: chat [--addr 127.0.0.1:7003] [--workers N]";

/// A line may have so many bytes.
const LINE: u64 = 1024;
/// So many lines may wait for a client. When they do, whoever speaks waits for it.
const WAITING: usize = 64;
/// So long a client may leave a line unread before it is put out: nobody's slowness holds up the room for longer.
const PATIENCE: Duration = Duration::from_secs(3);

type Lines = channel::Sender<Arc<str>>;

/// The members. Nobody awaits anything while it is locked, so a lock that blocks will do.
#[derive(Default)]
struct Room(Mutex<HashMap<SocketAddr, (String, Lines)>>);

impl Room {
    /// Lets a member in, unless another one has the name.
    fn enter(&self, peer: SocketAddr, name: &str, lines: Lines) -> bool {
        let mut members = self.0.lock();
        let is_free = !name.is_empty() && members.values().all(|(other, _)| other != name);
        if is_free {
            members.insert(peer, (name.to_owned(), lines));
        }
        is_free
    }

    /// The member hears what was said before, and no more.
    fn leave(&self, peer: SocketAddr) {
        self.0.lock().remove(&peer);
    }

    fn others(&self, peer: SocketAddr) -> Vec<Lines> {
        let members = self.0.lock();
        members.iter().filter(|(other, _)| **other != peer).map(|(_, (_, lines))| lines.clone()).collect()
    }

    /// Tells everyone but `from`.
    async fn say(&self, from: SocketAddr, line: String) {
        let line: Arc<str> = line.into();
        for lines in self.others(from) {
            // Fails when that one has just left.
            let _ = lines.send(line.clone()).await;
        }
    }
}

/// Passes on what a member says, until it has nothing more to say.
async fn listen(room: &Room, peer: SocketAddr, name: &str, mut reader: impl AsyncBufRead + Unpin) -> io::Result<()> {
    room.say(peer, format!("* {name} has come\n")).await;
    while let Some(line) = read_line(&mut reader, LINE).await? {
        room.say(peer, format!("{name}: {line}\n")).await;
    }
    room.leave(peer);
    Ok(())
}

/// Sends a member what the others say, until it has left.
async fn tell(lines: channel::Receiver<Arc<str>>, mut writer: impl AsyncWrite + Unpin) -> io::Result<()> {
    while let Ok(line) = lines.recv().await {
        timeout(PATIENCE, writer.write_all(line.as_bytes())).await??;
    }
    Ok(())
}

async fn serve(mut stream: TcpStream, peer: SocketAddr, room: &Room) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader);
    writer.write_all(b"What is your name?\n").await?;
    let Some(name) = read_line(&mut reader, LINE).await? else { return Ok(()) };
    let (sender, lines) = channel::bounded(WAITING);
    if !room.enter(peer, &name, sender) {
        return writer.write_all(b"* Come back with another name.\n").await;
    }
    // At the same time, always: a member that speaks without hearing would hold up the others, and they it.
    let ended = future::try_zip(listen(room, peer, &name, reader), tell(lines, writer)).await;
    room.leave(peer);
    room.say(peer, format!("* {name} has left\n")).await;
    ended.map(drop)
}

fn main() -> ExitCode {
    let options = cli::Server::on_port(7003).parse(USAGE);
    run(options.workers, async move {
        let room = Arc::new(Room::default());
        let listener = TcpListener::bind(options.address).await?;
        println!("chat listens on {}", listener.local_addr()?);
        loop {
            let (stream, peer) = accept(&listener).await;
            let room = room.clone();
            tiny_coro::spawn(async move {
                if let Err(error) = serve(stream, peer, &room).await {
                    eprintln!("{peer}: {error}");
                }
            });
        }
    })
}
