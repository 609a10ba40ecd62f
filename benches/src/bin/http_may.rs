//! `may_minihttp` on may's stackful coroutines, and a raw server on may alone.
//!
//! It can't send a chunked body, so it has no `/chunked`.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener as StdListener};

use may::net::{TcpListener, TcpStream};
use may_minihttp::{HttpServer, HttpService, Request, Response};
use tiny_coro_benches::WORKERS;
use tiny_coro_benches::http::{ADDRESS, PLAINTEXT, RAW_ANSWER, READ_SIZE, attend, json, raw_mode};

#[derive(Clone)]
struct Routes;

impl HttpService for Routes {
    fn call(&mut self, request: Request<'_, '_, '_>, response: &mut Response<'_>) -> io::Result<()> {
        match (request.method(), request.path()) {
            ("GET", "/plaintext") => response.header("Content-Type: text/plain").body(PLAINTEXT),
            ("GET", "/json") => response.header("Content-Type: application/json").body_vec(json()),
            ("POST", "/echo") => {
                let mut body = Vec::new();
                request.body().read_to_end(&mut body)?;
                response.header("Content-Type: application/octet-stream").body_vec(body);
            }
            _ => {
                response.status_code(404, "Not Found");
            }
        }
        Ok(())
    }
}

fn main() {
    may::config().set_workers(WORKERS);
    let address = if raw_mode() { raw() } else { routes() };
    attend(address)
}

/// The library binds by itself and doesn't say where, so a free port is looked up first.
fn routes() -> SocketAddr {
    let free = StdListener::bind(ADDRESS).and_then(|listener| listener.local_addr()).expect("loopback can be bound");
    HttpServer(Routes).start(free).expect("the port is still free");
    free
}

fn raw() -> SocketAddr {
    let listener = TcpListener::bind(ADDRESS).expect("loopback can be bound");
    let address = listener.local_addr().expect("a bound socket has an address");
    may::go!(move || {
        for stream in listener.incoming().flatten() {
            may::go!(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let mut buffer = [0; READ_SIZE];
    let _ = stream.set_nodelay(true);
    while let Ok(1..) = stream.read(&mut buffer) {
        if stream.write_all(RAW_ANSWER).is_err() {
            return;
        }
    }
}
