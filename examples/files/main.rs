//! Files up and down over HTTP, in constant memory: bodies are streams, and the disk is never waited for on a worker.
//!
//! ```text
//! cargo run --release --example files -- --dir /tmp/shared
//! curl -T big.iso http://127.0.0.1:8082/files/big.iso
//! curl -O http://127.0.0.1:8082/files/big.iso
//! ```

mod listing;
mod name;
mod upload;

use std::fs::OpenOptions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use lexopt::prelude::*;
use tiny_coro::fs::{self, File};
use tiny_coro::http::{Body, BodyError, Config, IntoResponse, Request, Response, Router, Server, Status};
use tiny_coro::spawn_blocking;
use tiny_coro_examples::{GRACE, cli, run_until_stopped};

use name::Name;
use upload::Upload;

const USAGE: &str = "
Takes and gives files over HTTP.

Usage: files [--addr 127.0.0.1:8082] [--dir DIR] [--workers N]

  --addr ADDRESS   where to listen
  --dir DIR        where the files are; `files` in the system's temporary directory unless given
  --workers N      how many worker threads; one a core unless given";

struct Options {
    address: SocketAddr,
    directory: PathBuf,
    workers: Option<usize>,
}

fn options(parser: &mut lexopt::Parser) -> Result<Options, lexopt::Error> {
    let mut options = Options {
        address: ([127, 0, 0, 1], 8082).into(),
        directory: std::env::temp_dir().join("files"),
        workers: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("addr") => options.address = cli::address(parser)?,
            Long("dir") => options.directory = parser.value()?.into(),
            Long("workers") => options.workers = Some(cli::workers(parser)?),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(options)
}

/// Why a request was not done. A client hears what it did wrong, not what the disk did.
enum Refusal {
    Name,
    Body(BodyError),
    Disk(io::Error),
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Refusal::Body(error)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Refusal::Disk(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Name => Response::text("not a file name\n").with_status(Status::BAD_REQUEST),
            Refusal::Body(error) => error.into_response(),
            Refusal::Disk(error) => error.into_response(),
        }
    }
}

/// The name in the path, decoded once: `%2e%2e%2f` is seen for what it is.
fn name_of(request: &Request) -> Result<Name, Refusal> {
    request.param_decoded("name").and_then(|name| Name::new(&name)).ok_or(Refusal::Name)
}

async fn put(directory: Arc<PathBuf>, mut request: Request) -> Result<Response, Refusal> {
    let name = name_of(&request)?;
    let mut upload = Upload::begin(&directory).await?;
    // The next piece is read from the socket when this one is on disk: the disk's pace is the client's.
    while let Some(piece) = request.body_mut().chunk().await {
        upload.write(piece?).await?;
    }
    upload.finish(&directory, &name).await?;
    Ok(Response::text("stored\n").with_status(Status::CREATED))
}

async fn get(directory: Arc<PathBuf>, request: Request) -> Result<Response, Refusal> {
    let name = name_of(&request)?;
    let path = directory.join(name.as_str());
    let (file, length) = spawn_blocking(move || open(&path)).await.map_err(io::Error::other)??;
    let kind = mime_guess::from_path(name.as_str()).first_or_octet_stream();
    Ok(Response::new(Body::file_part(file, length))
        .header("content-type", kind.essence_str())
        // What a stranger uploaded is shown as what its name says, and its scripts are strangers here.
        .header("x-content-type-options", "nosniff")
        .header("content-security-policy", "sandbox"))
}

/// Opens a regular file and tells its length; everything else that may stand under a name is not there. A symbolic link
/// is not followed, and a pipe that nobody writes to does not make us wait.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let absent = || io::Error::from(io::ErrorKind::NotFound);
    let options = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).to_owned();
    let file = options.open(path).map_err(|error| match error.raw_os_error() {
        // A symbolic link; a socket.
        Some(libc::ELOOP | libc::ENXIO) => absent(),
        _ => error,
    })?;
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok((File::from_std(file), metadata.len())) } else { Err(absent()) }
}

fn routes(directory: PathBuf) -> Router {
    let directory = Arc::new(directory);
    let (for_put, for_get, for_list) = (directory.clone(), directory.clone(), directory);
    Router::new()
        .get("/", move |_| listing::page(for_list.clone()))
        .put("/files/{*name}", move |request| put(for_put.clone(), request))
        .get("/files/{*name}", move |request| get(for_get.clone(), request))
        .put("/files/", |_| async { Refusal::Name })
        .get("/files/", |_| async { Refusal::Name })
}

fn main() -> ExitCode {
    let options = cli::parse(USAGE, options);
    run_until_stopped(options.workers, |stop| async move {
        fs::create_dir_all(&options.directory).await?;
        let config = Config::new().max_body_size(u64::MAX).shutdown_timeout(GRACE);
        let server = Server::bind(options.address).await?.config(config);
        let base = format!("http://{}", server.local_addr()?);
        println!("files listens on {base}/ and serves {}", options.directory.display());
        println!("  GET  {base}/              lists the files");
        println!("  PUT  {base}/files/{{name}}  stores one");
        println!("  GET  {base}/files/{{name}}  gives it back");
        tiny_coro::spawn(server.with_graceful_shutdown(stop).serve(routes(options.directory))).await??;
        Ok(())
    })
}
