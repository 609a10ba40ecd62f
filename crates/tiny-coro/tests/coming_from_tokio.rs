#![cfg(not(tiny_coro_loom))]
//! What `docs/coming-from-tokio.md` says of differences and of what to use instead, each held to its word.

use futures_lite::{AsyncReadExt, AsyncWriteExt, future, io};
use std::net::{Shutdown, UdpSocket};
use std::sync::mpsc;
use tiny_coro::net::{TcpListener, TcpStream};
use tiny_coro::reactor::{AsyncFd, Interest};
use tiny_coro::runtime::{Builder, Runtime};
use tiny_coro::sync::{CancellationToken, channel, oneshot};
use tiny_coro::time::{Duration, timeout};

const WATCHDOG: Duration = Duration::from_secs(60);

/// Two ends of one connection.
async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (connected, accepted) = future::try_zip(TcpStream::connect(address), listener.accept()).await?;
    Ok((connected, accepted.0))
}

#[tiny_coro::test]
async fn dropping_a_join_handle_detaches() {
    let (sender, receiver) = oneshot::channel();
    drop(tiny_coro::spawn(async move { sender.send(7) }));
    assert_eq!(timeout(WATCHDOG, receiver).await, Ok(Ok(7)));
}

#[tiny_coro::test(worker_threads = 1)]
async fn block_on_in_a_task() {
    let task = tiny_coro::spawn(async {
        let handle = tiny_coro::Handle::current();
        let here = handle.block_on(async { tiny_coro::spawn(async { 1 }).await.unwrap() });
        let own = tiny_coro::block_on(async { tiny_coro::spawn(async { 2 }).await.unwrap() }).unwrap();
        here + own
    });
    assert_eq!(timeout(WATCHDOG, task).await.unwrap().unwrap(), 3);
}

#[tiny_coro::test]
async fn blocking_in_place_and_block_on_in_a_task_of_a_current_thread_runtime() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let sum = runtime.block_on(async { tiny_coro::spawn(async { tiny_coro::block_in_place(|| 5) }).await.unwrap() });
    assert_eq!(sum, 5);
}

#[tiny_coro::test(worker_threads = 2)]
async fn a_runtime_is_dropped_in_a_task() {
    let other = Runtime::new().unwrap();
    let task = other.spawn(std::future::pending::<()>());
    timeout(WATCHDOG, tiny_coro::spawn(async move { drop(other) })).await.unwrap().unwrap();
    assert!(timeout(WATCHDOG, task).await.unwrap().unwrap_err().is_cancelled());
}

#[test]
fn a_full_blocking_pool_refuses() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .blocking_queue_capacity(0)
        .build()
        .unwrap();
    let (release, released) = mpsc::channel::<()>();
    let running = runtime.spawn_blocking(move || released.recv().is_err());
    let result = |task| runtime.block_on(async { timeout(WATCHDOG, task).await.unwrap() });
    let refused = result(runtime.spawn_blocking(|| false)).unwrap_err();
    assert!(refused.is_refused(), "{refused}");
    drop(release);
    assert!(result(running).unwrap());
}

#[test]
fn a_wrong_option_is_an_error_that_names_it() {
    for (builder, name) in [
        (Builder::new_multi_thread().worker_threads(0), "worker_threads"),
        (Builder::new_multi_thread().event_interval(0), "event_interval"),
        (Builder::new_multi_thread().start_paused(true), "start_paused"),
    ] {
        let error = builder.build().unwrap_err();
        assert!(error.kind() == io::ErrorKind::InvalidInput && error.to_string().contains(name), "{error}");
    }
}

#[test]
fn outside_a_runtime_sockets_are_errors() {
    let error = future::block_on(TcpListener::bind("127.0.0.1:0")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotConnected);
}

/// `close` of the I/O traits and `shutdown` with a direction both end what the peer reads.
#[tiny_coro::test]
async fn either_way_to_end_a_stream() -> io::Result<()> {
    for by_trait in [true, false] {
        let (mut here, mut there) = pair().await?;
        here.write_all(b"all").await?;
        if by_trait {
            here.close().await?
        } else {
            here.shutdown(Shutdown::Write)?
        }
        let mut text = String::new();
        there.read_to_string(&mut text).await?;
        assert_eq!(text, "all");
        there.write_all(b"!").await?;
        here.read_exact(&mut [0]).await?;
    }
    Ok(())
}

#[tiny_coro::test]
async fn a_half_answers_through_its_stream() -> io::Result<()> {
    let (here, there) = pair().await?;
    let (reader, writer) = here.into_split();
    assert_eq!(reader.as_ref().peer_addr()?, there.local_addr()?);
    assert_eq!(writer.as_ref().local_addr()?, there.peer_addr()?);
    Ok(())
}

#[tiny_coro::test]
async fn datagrams_through_async_fd() -> io::Result<()> {
    let socket = || {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        AsyncFd::new(socket)
    };
    let (here, there) = (socket()?, socket()?);
    let address = there.get_ref().local_addr()?;
    let receive = tiny_coro::spawn(async move {
        let mut buffer = [0; 16];
        let (count, _) = there.async_io(Interest::READABLE, |socket| socket.recv_from(&mut buffer)).await?;
        io::Result::Ok(buffer[..count].to_vec())
    });
    tiny_coro::yield_now().await; // it waits before there is anything
    here.async_io(Interest::WRITABLE, |socket| socket.send_to(b"datagram", address)).await?;
    assert_eq!(timeout(WATCHDOG, receive).await???, b"datagram");
    Ok(())
}

/// `or` instead of `select!`: the loser is dropped and has taken nothing.
#[tiny_coro::test]
async fn the_first_of_two() {
    enum Event {
        Number(u32),
        Stopped,
    }
    let (sender, receiver) = channel::unbounded();
    let stop = CancellationToken::new();
    for number in 0..10 {
        sender.try_send(number).unwrap();
    }
    let mut sum = 0;
    loop {
        let number = async { Event::Number(receiver.recv().await.unwrap()) };
        let stopped = async {
            stop.cancelled().await;
            Event::Stopped
        };
        match future::or(stopped, number).await {
            Event::Number(number) => sum += number,
            Event::Stopped => break,
        }
        if sum >= 15 {
            stop.cancel();
        }
    }
    assert_eq!((sum, receiver.len()), (15, 4));
}
