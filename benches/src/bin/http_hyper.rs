//! hyper 1 on tokio: every route of the `http` group.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tiny_coro_benches::WORKERS;
use tiny_coro_benches::http::{ADDRESS, CHUNK, CHUNKS, ECHO_LIMIT, PLAINTEXT, attend, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

type Answer = Response<Either<Full<Bytes>, Chunks>>;

fn main() {
    let runtime =
        Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().expect("threads can be started");
    let listener = runtime.block_on(TcpListener::bind(ADDRESS)).expect("loopback can be bound");
    let address = listener.local_addr().expect("a bound socket has an address");
    // By default hyper writes each pipelined answer by itself.
    let flush = std::env::args().nth(1).as_deref() == Some("pipeline_flush");
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, flush));
        }
    });
    attend(address)
}

async fn serve(stream: TcpStream, flush: bool) {
    let _ = stream.set_nodelay(true);
    let connection =
        http1::Builder::new().pipeline_flush(flush).serve_connection(TokioIo::new(stream), service_fn(answer));
    let _ = connection.await;
}

async fn answer(request: Request<Incoming>) -> Result<Answer, Infallible> {
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET, "/plaintext") => full("text/plain", Bytes::from_static(PLAINTEXT.as_bytes())),
        (&Method::GET, "/json") => full("application/json", Bytes::from(json())),
        (&Method::POST, "/echo") => match Limited::new(request.into_body(), ECHO_LIMIT).collect().await {
            Ok(body) => full("application/octet-stream", body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => status(StatusCode::PAYLOAD_TOO_LARGE),
            Err(_) => status(StatusCode::BAD_REQUEST),
        },
        (&Method::GET, "/chunked") => Response::new(Either::Right(Chunks(CHUNKS))),
        _ => status(StatusCode::NOT_FOUND),
    })
}

fn full(content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(body)));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Either::Left(Full::default()));
    *answer.status_mut() = status;
    answer
}

/// So many pieces of `/chunked` are left.
struct Chunks(usize);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.checked_sub(1).map(|left| {
            self.0 = left;
            Ok(Frame::data(Bytes::from_static(&CHUNK)))
        }))
    }
}
