//! The raw server on tokio.

use tiny_coro_benches::WORKERS;
use tiny_coro_benches::http::{ADDRESS, RAW_ANSWER, READ_SIZE, attend};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

fn main() {
    let runtime =
        Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().expect("threads can be started");
    let listener = runtime.block_on(TcpListener::bind(ADDRESS)).expect("loopback can be bound");
    let address = listener.local_addr().expect("a bound socket has an address");
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    attend(address)
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
