#![cfg(not(tiny_coro_loom))]
//! Connections as their users see them, and what the operating system may do to them.

use bytes::BytesMut;
use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt, future};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{self, Shutdown};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tiny_coro_net::{TcpListener, TcpStream};
use tiny_coro_sched::{Runtime, spawn};

/// Runs `test` on a runtime with two workers, and fails if it takes longer than any machine should need.
fn run<F: Future<Output = io::Result<()>> + Send + 'static>(test: F) {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Runtime::builder().worker_threads(2).build().unwrap();
        let result = runtime.block_on(runtime.spawn(test));
        done.send(
            result.map_err(|error| error.to_string()).and_then(|result| result.map_err(|error| error.to_string())),
        )
    });
    ended.recv_timeout(Duration::from_secs(60)).expect("the test hangs").unwrap();
}

/// A connection of ours and its peer of the standard library.
async fn pair() -> io::Result<(TcpStream, net::TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let peer = net::TcpStream::connect(listener.local_addr()?)?;
    let (ours, address) = listener.accept().await?;
    assert_eq!(address, peer.local_addr()?);
    assert_eq!(ours.peer_addr()?, address);
    Ok((ours, peer))
}

#[test]
fn connects_over_ipv4_and_ipv6_and_by_name() {
    run(async {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address).await else { continue };
            let bound = listener.local_addr()?;
            let mut client = TcpStream::connect(bound).await?;
            let (mut server, _) = listener.accept().await?;
            client.write_all(b"abc").await?;
            let mut buffer = [0; 3];
            server.read_exact(&mut buffer).await?;
            assert_eq!(&buffer, b"abc");
            client.set_nodelay(true)?;
            assert!(client.nodelay()?);
        }
        let listener = TcpListener::bind(("localhost", 0)).await?;
        TcpStream::connect(format!("localhost:{}", listener.local_addr()?.port())).await?;
        Ok(())
    });
}

#[test]
fn errors_name_the_address() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let error = TcpListener::bind(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().contains(&address.to_string()), "{error}");
        drop(listener);
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(error.to_string().contains(&address.to_string()), "{error}");
        for text in ["nonsense", "127.0.0.1", ":80", "::1:x", "host:99999"] {
            let error = TcpStream::connect(text).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        }
        Ok(())
    });
}

/// Every byte arrives in order, both ways at once, whatever sizes the transfers have.
#[test]
fn a_megabyte_both_ways_at_once() {
    run(async {
        const SIZE: usize = 1 << 20;
        let byte = |at: usize| (at * 31 % 251) as u8;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let client = TcpStream::connect(listener.local_addr()?).await?;
        let (server, _) = listener.accept().await?;
        let mut tasks = Vec::new();
        for (stream, chunk) in [(client, 1009), (server, 65_537)] {
            let (mut reader, mut writer) = stream.into_split();
            tasks.push(spawn(async move {
                let data: Vec<u8> = (0..SIZE).map(byte).collect();
                for part in data.chunks(chunk) {
                    writer.write_all(part).await?;
                }
                Ok::<_, io::Error>(())
            }));
            tasks.push(spawn(async move {
                let mut received = BytesMut::with_capacity(chunk);
                while reader.read_buf(&mut received).await? > 0 {
                    received.reserve(chunk);
                }
                assert_eq!(received.len(), SIZE);
                assert!(received.iter().enumerate().all(|(at, &got)| got == byte(at)));
                Ok(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok(())
    });
}

/// S3: in the ancestor `errno` was read after the coroutine had moved to another thread. Each of many failing calls, in tasks
/// that move between workers, has the error of its own socket.
#[test]
fn s3_each_error_belongs_to_its_own_call() {
    run(async {
        let mut tasks = Vec::new();
        for n in 0..200 {
            tasks.push(spawn(async move {
                let (mut ours, peer) = pair().await?;
                tiny_coro_sched::yield_now().await;
                if n % 2 == 0 {
                    // Data that was not read makes the close a reset.
                    ours.write_all(b"unread").await?;
                    let mut peeked = [0];
                    while peer.peek(&mut peeked)? == 0 {}
                    drop(peer);
                    let error = ours.read(&mut [0; 8]).await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                } else {
                    drop(peer);
                    assert_eq!(ours.read(&mut [0; 8]).await?, 0);
                }
                Ok::<_, io::Error>(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok(())
    });
}

/// S11: in the ancestor a write to a closed connection ended the process by SIGPIPE, and short writes were ignored.
#[test]
fn s11_a_write_to_a_closed_connection_is_an_error() {
    // With the default action a SIGPIPE would kill this process; Rust programs start with it ignored.
    // SAFETY: no other test of this binary depends on the action of this signal.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    run(async {
        for vectored in [false, true] {
            let (mut ours, peer) = pair().await?;
            drop(peer);
            let error = loop {
                let written = match vectored {
                    false => ours.write(&[0; 1024]).await,
                    true => ours.write_vectored(&[IoSlice::new(&[0; 512]), IoSlice::new(&[0; 512])]).await,
                };
                if let Err(error) = written {
                    break error;
                }
            };
            assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
        }
        Ok(())
    });
}

/// S11: a peer that reads slowly makes writes short; `write_all` goes on until all is sent.
#[test]
fn s11_short_writes_are_continued() {
    run(async {
        const SIZE: usize = 8 << 20;
        let (mut ours, mut peer) = pair().await?;
        let reader = thread::spawn(move || {
            let (mut total, mut buffer) = (0, [0; 10_007]);
            loop {
                match peer.read(&mut buffer).unwrap() {
                    0 => return total,
                    count => total += count,
                }
            }
        });
        ours.write_all(&vec![7; SIZE]).await?;
        ours.shutdown(Shutdown::Write)?;
        assert_eq!(ours.read(&mut [0]).await?, 0);
        assert_eq!(reader.join().unwrap(), SIZE);
        Ok(())
    });
}

/// The end of the stream is seen after the data before it, and again on every later read.
#[test]
fn half_close_either_way() {
    run(async {
        let (mut ours, mut peer) = pair().await?;
        peer.write_all(b"last words")?;
        peer.shutdown(Shutdown::Write)?;
        let mut text = String::new();
        AsyncReadExt::read_to_string(&mut ours, &mut text).await?;
        assert_eq!(text, "last words");
        assert_eq!(ours.read(&mut [0; 8]).await?, 0);
        AsyncWriteExt::write_all(&mut ours, b"answer").await?;
        AsyncWriteExt::close(&mut ours).await?;
        let mut answer = String::new();
        peer.read_to_string(&mut answer)?;
        assert_eq!(answer, "answer");
        Ok(())
    });
}

#[test]
fn try_operations_say_would_block() {
    run(async {
        let (ours, mut peer) = pair().await?;
        let mut buffer = [0; 16];
        assert_eq!(ours.try_read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
        ours.writable().await?;
        assert_eq!(ours.try_write(b"hi")?, 2);
        peer.write_all(b"there")?;
        ours.readable().await?;
        assert_eq!(ours.peek(&mut buffer).await?, 5);
        assert_eq!(ours.try_read(&mut buffer)?, 5);
        assert_eq!(ours.try_read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
        Ok(())
    });
}

#[test]
fn borrowed_halves_work_in_one_task_and_owned_ones_come_together_again() {
    run(async {
        let (mut ours, mut peer) = pair().await?;
        {
            let (mut reader, mut writer) = ours.split();
            peer.write_all(b"ping")?;
            let mut buffer = [0; 4];
            let (read, written) = future::zip(reader.read(&mut buffer), writer.write_all(b"pong")).await;
            assert_eq!(read?, 4);
            written?;
        }
        let (mut reader, writer) = ours.into_split();
        // What is to be read exactly comes in two pieces.
        let mut exact = [0; 4];
        let in_pieces = async {
            peer.write_all(b"ex")?;
            tiny_coro_sched::yield_now().await;
            peer.write_all(b"act")
        };
        let (read, written) = future::zip(reader.read_exact(&mut exact), in_pieces).await;
        read?;
        written?;
        assert_eq!(&exact, b"exac");
        let mut ours = reader.reunite(writer).unwrap();
        ours.write_all(b"!").await?;
        let mut answer = [0; 5];
        peer.read_exact(&mut answer)?;
        assert_eq!(&answer, b"pong!");

        let (other, _other_peer) = pair().await?;
        let (mut reader, _writer) = ours.into_split();
        peer.shutdown(std::net::Shutdown::Write)?;
        assert_eq!(reader.read_exact(&mut exact).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        let (_reader, writer) = other.into_split();
        assert!(reader.reunite(writer).is_err());
        Ok(())
    });
}

/// Dropping a read that waits, over and over, loses no byte of what then comes.
#[test]
fn a_dropped_read_loses_nothing() {
    run(async {
        let (mut ours, mut peer) = pair().await?;
        let writer = thread::spawn(move || {
            for n in 0..=255u8 {
                peer.write_all(&[n]).unwrap();
                thread::yield_now();
            }
        });
        let mut received = Vec::new();
        let mut buffer = [0; 3];
        while received.len() < 256 {
            let read = async { Some(ours.read(&mut buffer).await) };
            let give_up = async {
                tiny_coro_sched::yield_now().await;
                None
            };
            if let Some(count) = future::or(read, give_up).await {
                received.extend_from_slice(&buffer[..count?]);
            }
        }
        assert!(received.iter().copied().eq(0..=255));
        writer.join().unwrap();
        Ok(())
    });
}

/// A connection that the peer resets while it waits in the queue does not end the accept loop; after 1,000 of them no source is left.
#[test]
fn resets_and_closes_leave_nothing_behind() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let handle = tiny_coro_sched::Handle::current();
        let before = handle.metrics().io_sources;
        let clients = tiny_coro_sched::spawn_blocking(move || {
            for n in 0..1000 {
                let mut client = net::TcpStream::connect(address).unwrap();
                client.write_all(b"x").unwrap();
                if n % 2 == 0 {
                    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
                }
            }
        });
        let mut incoming = listener.incoming();
        for _ in 0..1000 {
            let mut stream = incoming.next().await.expect("a listener does not end")?;
            let mut buffer = [0; 8];
            while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
        }
        clients.await?;
        assert_eq!(handle.metrics().io_sources, before);
        Ok(())
    });
}

/// The end of the runtime ends a wait that is under way on another thread.
#[test]
fn sockets_do_not_outlive_their_runtime_unnoticed() {
    let runtime = Runtime::builder().worker_threads(1).build().unwrap();
    let (mut stream, _peer) = runtime.block_on(pair()).unwrap();
    drop(runtime);
    let other = Runtime::builder().worker_threads(1).build().unwrap();
    let error = other.block_on(stream.read(&mut [0])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
}

/// Several tasks may wait on one listener, and be dropped while they do: each connection goes to one that is left.
#[test]
fn many_tasks_accept_on_one_listener() {
    run(async {
        let listener = std::sync::Arc::new(TcpListener::bind("127.0.0.1:0").await?);
        let address = listener.local_addr()?;
        let accept = || {
            let listener = listener.clone();
            spawn(async move { listener.accept().await.map(|(_, peer)| peer) })
        };
        let mut acceptors: Vec<_> = (0..8).map(|_| accept()).collect();
        tiny_coro_sched::sleep(Duration::from_millis(5)).await; // most of them wait by now
        acceptors.drain(..3).for_each(|acceptor| acceptor.abort());
        let mut clients = Vec::new();
        for _ in 0..5 {
            clients.push(TcpStream::connect(address).await?.local_addr()?);
        }
        let mut accepted = Vec::new();
        for acceptor in acceptors {
            accepted.push(acceptor.await??);
        }
        clients.sort();
        accepted.sort();
        assert_eq!(clients, accepted);
        Ok(())
    });
}
