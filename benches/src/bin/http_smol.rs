//! The raw server on smol.

use std::future;
use std::thread;

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use smol::Executor;
use smol::net::{TcpListener, TcpStream};
use tiny_coro_benches::WORKERS;
use tiny_coro_benches::http::{ADDRESS, RAW_ANSWER, READ_SIZE, attend};

static EXECUTOR: Executor<'static> = Executor::new();

fn main() {
    for _ in 0..WORKERS {
        thread::spawn(|| smol::block_on(EXECUTOR.run(future::pending::<()>())));
    }
    let listener = smol::block_on(TcpListener::bind(ADDRESS)).expect("loopback can be bound");
    let address = listener.local_addr().expect("a bound socket has an address");
    let accept = async move {
        while let Ok((stream, _)) = listener.accept().await {
            EXECUTOR.spawn(serve(stream)).detach();
        }
    };
    EXECUTOR.spawn(accept).detach();
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
