//! tiny-coro: every route of the `http` group, and a raw server on its sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use tiny_coro::Runtime;
use tiny_coro::http::{Body, Request, Response, Router, Server, Status};
use tiny_coro::net::{TcpListener, TcpStream};
use tiny_coro_benches::WORKERS;
use tiny_coro_benches::http::{
    ADDRESS, CHUNK, CHUNKS, ECHO_LIMIT, PLAINTEXT, RAW_ANSWER, READ_SIZE, attend, json, raw_mode,
};

fn main() {
    let runtime = Runtime::builder().worker_threads(WORKERS).build().expect("threads can be started");
    let address = if raw_mode() { raw(&runtime) } else { routes(&runtime) };
    attend(address)
}

fn routes(runtime: &Runtime) -> SocketAddr {
    let server = runtime.block_on(Server::bind(ADDRESS)).expect("loopback can be bound");
    let address = server.local_addr().expect("a bound socket has an address");
    let router = Router::new()
        .get("/plaintext", |_| async { Response::text(PLAINTEXT) })
        .get("/json", |_| async { Response::json_bytes(json()) })
        .post("/echo", echo)
        .get("/chunked", |_| async { Response::new(Body::stream(Chunks(CHUNKS), None)) });
    drop(runtime.spawn(async move { server.serve(router).await }));
    address
}

async fn echo(mut request: Request) -> Response {
    match request.body_mut().bytes(ECHO_LIMIT).await {
        Ok(body) => Response::typed("application/octet-stream", body),
        Err(_) => Response::status(Status::BAD_REQUEST),
    }
}

/// So many pieces of `/chunked` are left.
struct Chunks(usize);

impl Stream for Chunks {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.checked_sub(1).map(|left| {
            self.0 = left;
            Ok(Bytes::from_static(&CHUNK))
        }))
    }
}

fn raw(runtime: &Runtime) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind(ADDRESS)).expect("loopback can be bound");
    let address = listener.local_addr().expect("a bound socket has an address");
    let accept = async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(tiny_coro::spawn(serve(stream)));
        }
    };
    drop(runtime.spawn(accept));
    address
}

async fn serve(mut stream: TcpStream) {
    let mut buffer = [0; READ_SIZE];
    let _ = stream.set_nodelay(true);
    while let Ok(1..) = stream.read(&mut buffer).await {
        if stream.write_all(RAW_ANSWER).await.is_err() {
            return;
        }
    }
}
