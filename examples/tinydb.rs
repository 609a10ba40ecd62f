//! A database of names and values that all clients share, with a protocol of lines.
//!
//! ```text
//! cargo run --release --example tinydb
//! printf 'SET colour dark blue\nGET colour\n' | nc -N 127.0.0.1 7002
//! ```

use std::collections::HashMap;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use futures_lite::AsyncWriteExt;
use futures_lite::io::{BufReader, BufWriter};
use parking_lot::Mutex;
use tiny_coro::net::{TcpListener, TcpStream};
use tiny_coro_examples::{accept, cli, read_line, run};

const USAGE: &str = "
Keeps values by name: GET NAME, SET NAME VALUE, DEL NAME, a line each.

Usage: tinydb [--addr 127.0.0.1:7002] [--workers N]";

/// A line may have so many bytes.
const LINE: u64 = 64 * 1024;

/// What the clients share. Nobody awaits anything while it is locked, so a lock that blocks will do.
type Database = Mutex<HashMap<String, String>>;

#[derive(Debug, PartialEq, Eq)]
enum Request<'a> {
    Get { name: &'a str },
    Set { name: &'a str, value: &'a str },
    Delete { name: &'a str },
}

impl<'a> Request<'a> {
    fn parse(line: &'a str) -> Result<Self, String> {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (name, value) = rest.split_once(' ').map_or((rest, None), |(name, value)| (name, Some(value)));
        if name.is_empty() && matches!(command, "GET" | "SET" | "DEL") {
            return Err(format!("{command} needs a name"));
        }
        match (command, value) {
            ("GET", None) => Ok(Request::Get { name }),
            ("SET", Some(value)) => Ok(Request::Set { name, value }),
            ("SET", None) => Err("SET needs a value after the name".to_owned()),
            ("DEL", None) => Ok(Request::Delete { name }),
            ("GET" | "DEL", Some(_)) => Err(format!("{command} takes one name and nothing more")),
            _ => Err(format!("there is no command {command:?}: there are GET, SET and DEL")),
        }
    }

    fn answer(self, database: &Database) -> String {
        let mut values = database.lock();
        match self {
            Request::Get { name } => match values.get(name) {
                Some(value) => format!("{name} = {value}"),
                None => format!("error: {name} has no value"),
            },
            Request::Set { name, value } => match values.insert(name.to_owned(), value.to_owned()) {
                Some(old) => format!("{name} = {value}, was {old}"),
                None => format!("{name} = {value}"),
            },
            Request::Delete { name } => match values.remove(name) {
                Some(old) => format!("{name} was {old}"),
                None => format!("error: {name} has no value"),
            },
        }
    }
}

async fn serve(mut stream: TcpStream, database: &Database) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.split();
    let (mut reader, mut writer) = (BufReader::new(reader), BufWriter::new(writer));
    while let Some(line) = read_line(&mut reader, LINE).await? {
        let answer = match Request::parse(&line) {
            Ok(request) => request.answer(database),
            Err(error) => format!("error: {error}"),
        };
        writer.write_all(format!("{answer}\n").as_bytes()).await?;
        // Answers to requests that came together go together.
        if reader.buffer().is_empty() {
            writer.flush().await?;
        }
    }
    writer.flush().await
}

fn main() -> ExitCode {
    let options = cli::Server::on_port(7002).parse(USAGE);
    run(options.workers, async move {
        let database = Arc::new(Database::default());
        let listener = TcpListener::bind(options.address).await?;
        println!("tinydb listens on {}", listener.local_addr()?);
        loop {
            let (stream, peer) = accept(&listener).await;
            let database = database.clone();
            tiny_coro::spawn(async move {
                if let Err(error) = serve(stream, &database).await {
                    eprintln!("{peer}: {error}");
                }
            });
        }
    })
}
