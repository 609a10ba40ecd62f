#![cfg(not(tiny_coro_loom))]
//! `AsyncFd`: any kind of descriptor, the guard, errors, and leaving.

mod common;

use common::{Count, poll_once, run, streams, turn_until};
use std::fs::File;
use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tiny_coro_reactor::{AsyncFd, Interest, Reactor, Ready};

fn pipe() -> (OwnedFd, OwnedFd) {
    let (read, write) = io::pipe().unwrap();
    for end in [OwnedFd::from(read.try_clone().unwrap()), write.try_clone().unwrap().into()] {
        rustix::io::ioctl_fionbio(end, true).unwrap();
    }
    (read.into(), write.into())
}

fn datagrams(reactor: &Reactor) -> (AsyncFd<UnixDatagram>, UnixDatagram) {
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (AsyncFd::with_reactor(ours, Interest::BOTH, reactor).unwrap(), theirs)
}

/// Reads some bytes when there are some.
async fn read(fd: &AsyncFd<OwnedFd>) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 256];
    let count = fd.async_io(Interest::READABLE, |fd| Ok(rustix::io::read(fd, &mut buffer)?)).await?;
    Ok(buffer[..count].to_vec())
}

#[test]
fn pipe_carries_bytes_and_its_end() {
    let reactor = Reactor::new().unwrap();
    let (reader, writer) = pipe();
    let reader = AsyncFd::with_reactor(reader, Interest::READABLE, &reactor).unwrap();
    let writer = AsyncFd::with_reactor(writer, Interest::WRITABLE, &reactor).unwrap();
    assert!(poll_once(&mut pin!(read(&reader))).is_pending());
    let written = run(&reactor, writer.async_io(Interest::WRITABLE, |fd| Ok(rustix::io::write(fd, b"through")?)));
    assert_eq!(written.unwrap(), 7);
    assert_eq!(run(&reactor, read(&reader)).unwrap(), b"through");
    drop(writer);
    assert_eq!(run(&reactor, read(&reader)).unwrap(), b"");
    reactor.turn(Some(Duration::ZERO)).unwrap();
    assert!(run(&reactor, reader.readable()).unwrap().ready().is_read_closed());
}

/// A full pipe whose reader goes away: the writer is woken, and told.
#[test]
fn pipe_without_a_reader_ends_the_wait_to_write() {
    let reactor = Reactor::new().unwrap();
    let (reader, writer) = pipe();
    let writer = AsyncFd::with_reactor(writer, Interest::WRITABLE, &reactor).unwrap();
    let write = |fd: &OwnedFd| Ok(rustix::io::write(fd, &[0; 4096])?);
    while poll_once(&mut pin!(writer.async_io(Interest::WRITABLE, write))).is_ready() {
        reactor.turn(Some(Duration::ZERO)).unwrap();
    }
    let (count, waker) = Count::new();
    let mut waiting = pin!(writer.async_io(Interest::WRITABLE, write));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(reader);
    turn_until(&reactor, &count, 1);
    assert_eq!(run(&reactor, waiting).unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use rustix::event::{EventfdFlags, eventfd};
    use rustix::fs::inotify;
    use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

    #[test]
    fn eventfd_counts() {
        let reactor = Reactor::new().unwrap();
        let fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).unwrap();
        let fd = AsyncFd::with_reactor(fd, Interest::READABLE, &reactor).unwrap();
        for round in 1_u64..=3 {
            assert!(poll_once(&mut pin!(read(&fd))).is_pending());
            rustix::io::write(fd.get_ref(), &round.to_ne_bytes()).unwrap();
            rustix::io::write(fd.get_ref(), &round.to_ne_bytes()).unwrap();
            assert_eq!(run(&reactor, read(&fd)).unwrap(), (2 * round).to_ne_bytes());
        }
    }

    #[test]
    fn timerfd_fires() {
        use rustix::time::{timerfd_create, timerfd_settime};
        let reactor = Reactor::new().unwrap();
        let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC).unwrap();
        let fd = AsyncFd::with_reactor(fd, Interest::READABLE, &reactor).unwrap();
        assert!(poll_once(&mut pin!(read(&fd))).is_pending());
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: 0, tv_nsec: 1_000_000 },
        };
        timerfd_settime(fd.get_ref(), TimerfdTimerFlags::empty(), &once).unwrap();
        assert_eq!(run(&reactor, read(&fd)).unwrap(), 1_u64.to_ne_bytes());
    }

    #[test]
    fn inotify_tells_of_a_new_file() {
        let reactor = Reactor::new().unwrap();
        let folder = std::env::temp_dir().join(format!("tiny-coro-inotify-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let fd = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&fd, &folder, inotify::WatchFlags::CREATE).unwrap();
        let fd = AsyncFd::with_reactor(fd, Interest::READABLE, &reactor).unwrap();
        assert!(poll_once(&mut pin!(read(&fd))).is_pending());
        File::create(folder.join("news")).unwrap();
        let event = run(&reactor, read(&fd));
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(event.unwrap().windows(4).any(|name| name == b"news"));
    }

    /// Of a process one wants to know when it has ended, and nothing else: a blocking descriptor is no mistake there.
    #[test]
    fn pidfd_tells_of_the_end_of_a_process() {
        use rustix::process::{Pid, PidfdFlags, pidfd_open};
        let reactor = Reactor::new().unwrap();
        let mut child = std::process::Command::new("sleep").arg("0.01").spawn().unwrap();
        let fd = match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            // A kernel, or a checker in its place, that is older than this system call.
            Err(rustix::io::Errno::NOSYS) => {
                child.wait().unwrap();
                return;
            }
            fd => fd.unwrap(),
        };
        let fd = AsyncFd::with_reactor(fd, Interest::READABLE, &reactor).unwrap();
        assert!(run(&reactor, fd.readable()).unwrap().ready().is_readable());
        assert!(child.try_wait().unwrap().is_some());
    }

    /// A pseudo-terminal that is opened, in the place of a serial line, and the name of its other end.
    fn terminal(reactor: &Reactor) -> (AsyncFd<OwnedFd>, std::ffi::CString) {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let line = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&line).unwrap();
        unlockpt(&line).unwrap();
        rustix::io::ioctl_fionbio(&line, true).unwrap();
        let name = ptsname(&line, Vec::new()).unwrap();
        (AsyncFd::with_reactor(line, Interest::BOTH, reactor).unwrap(), name)
    }

    fn open_terminal(name: &std::ffi::CStr) -> OwnedFd {
        use rustix::fs::{Mode, OFlags, open};
        use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
        let device = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK, Mode::empty()).unwrap();
        let mut attributes = tcgetattr(&device).unwrap();
        attributes.make_raw();
        tcsetattr(&device, OptionalActions::Now, &attributes).unwrap();
        device
    }

    #[test]
    fn terminal_carries_lines_both_ways_and_its_hang_up() {
        let reactor = Reactor::new().unwrap();
        let (host, name) = terminal(&reactor);
        let device = AsyncFd::with_reactor(open_terminal(&name), Interest::BOTH, &reactor).unwrap();
        for (from, to, text) in [(&host, &device, "AT\r"), (&device, &host, "OK\r")] {
            assert!(poll_once(&mut pin!(read(to))).is_pending());
            let written = from.async_io(Interest::WRITABLE, |fd| Ok(rustix::io::write(fd, text.as_bytes())?));
            assert_eq!(run(&reactor, written).unwrap(), 3);
            assert_eq!(run(&reactor, read(to)).unwrap(), text.as_bytes());
        }
        drop(host);
        assert!(matches!(run(&reactor, read(&device)), Ok(end) if end.is_empty()));
    }

    /// A line that has hung up is ready, with an error, until it is opened again; then it waits like any other.
    #[test]
    fn terminal_comes_back_after_a_hang_up() {
        let reactor = Reactor::new().unwrap();
        let (host, name) = terminal(&reactor);
        for text in ["first", "second"] {
            let device = open_terminal(&name);
            let mut waiting = pin!(read(&host));
            assert!(poll_once(&mut waiting).is_pending(), "it is ready for nothing");
            rustix::io::write(&device, text.as_bytes()).unwrap();
            assert_eq!(run(&reactor, waiting).unwrap(), text.as_bytes());
            drop(device);
            assert!(run(&reactor, read(&host)).is_err());
        }
    }
}

#[test]
fn datagrams_keep_their_borders() {
    let reactor = Reactor::new().unwrap();
    let (socket, peer) = datagrams(&reactor);
    let mut buffer = [0; 64];
    assert!(poll_once(&mut pin!(socket.readable())).is_pending());
    peer.send(b"one").unwrap();
    peer.send(b"three").unwrap();
    for expected in [3, 5] {
        let received = run(&reactor, socket.async_io(Interest::READABLE, |socket| socket.recv(&mut buffer)));
        assert_eq!(received.unwrap(), expected);
    }
}

/// The loop that every user of the well-known interface writes.
#[test]
fn guard_clears_when_the_operation_would_block() {
    let reactor = Reactor::new().unwrap();
    let (socket, peer) = datagrams(&reactor);
    let mut buffer = [0; 8];
    peer.send(b"x").unwrap();
    let mut guard = run(&reactor, socket.readable()).unwrap();
    assert!(guard.ready().is_readable());
    assert_eq!(guard.try_io(|socket| socket.get_ref().recv(&mut buffer)).unwrap().unwrap(), 1);
    assert!(guard.try_io(|socket| socket.get_ref().recv(&mut buffer)).is_err());
    assert!(guard.ready().is_empty());
    assert!(poll_once(&mut pin!(socket.readable())).is_pending());
    let error = socket.try_io(Interest::READABLE, |socket| socket.recv(&mut buffer)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    // An error of the operation is none of the guard's.
    let mut guard = run(&reactor, socket.writable()).unwrap();
    assert!(guard.try_io(|_| Err::<(), _>(ErrorKind::PermissionDenied.into())).unwrap().is_err());
    assert!(guard.ready().is_writable());
}

/// R2: a guard that is cleared late does not hide what has come since it was handed out.
#[test]
fn guard_does_not_clear_what_it_has_not_seen() {
    let reactor = Reactor::new().unwrap();
    let (socket, peer) = datagrams(&reactor);
    let (count, waker) = Count::new();
    peer.send(b"x").unwrap();
    let mut guard = run(&reactor, socket.readable()).unwrap();
    let mut cx = Context::from_waker(&waker);
    assert!(socket.poll_read_ready(&mut cx).is_ready());
    peer.send(b"y").unwrap();
    reactor.turn(Some(Duration::ZERO)).unwrap();
    guard.clear_ready();
    assert!(socket.poll_read_ready(&mut cx).is_ready());
    assert_eq!(count.get(), 0);
}

/// Readiness for both: cleared apart.
#[test]
fn ready_says_which_and_is_cleared_in_part() {
    let reactor = Reactor::new().unwrap();
    let (socket, peer) = datagrams(&reactor);
    peer.send(b"x").unwrap();
    reactor.turn(Some(Duration::ZERO)).unwrap();
    let mut guard = run(&reactor, socket.ready(Interest::BOTH)).unwrap();
    assert_eq!(guard.ready(), Ready::READABLE | Ready::WRITABLE);
    assert_eq!(format!("{:?}", guard.ready()), "Ready(READABLE | WRITABLE)");
    guard.clear_ready_matching(Ready::READABLE);
    assert_eq!(guard.ready(), Ready::WRITABLE);
    assert!(poll_once(&mut pin!(socket.readable())).is_pending());
    guard.retain_ready();
    assert!(poll_once(&mut pin!(socket.writable())).is_ready());
}

/// `ready(BOTH)` ends with either.
#[test]
fn waiting_for_both_ends_with_one() {
    let reactor = Reactor::new().unwrap();
    let (ours, mut theirs) = streams();
    let stream = AsyncFd::with_reactor(ours, Interest::BOTH, &reactor).unwrap();
    reactor.turn(Some(Duration::ZERO)).unwrap();
    while poll_once(&mut pin!(stream.async_io(Interest::WRITABLE, |mut stream| stream.write(&[0; 4096])))).is_ready() {}
    let (count, waker) = Count::new();
    let mut both = pin!(stream.ready(Interest::BOTH));
    assert!(both.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    theirs.write_all(b"x").unwrap();
    turn_until(&reactor, &count, 1);
    let ready = run(&reactor, both).unwrap().ready();
    assert!(ready.is_readable() && !ready.is_writable());
}

/// R3: all futures that wait are woken, those that were dropped are not, and the polling task is one more.
#[test]
fn any_number_of_futures_wait() {
    let reactor = Reactor::new().unwrap();
    let (socket, peer) = datagrams(&reactor);
    let counts: Vec<_> = (0..10).map(|_| Count::new()).collect();
    let mut futures: Vec<_> = counts.iter().map(|_| Box::pin(socket.readable())).collect();
    for (future, (_, waker)) in futures.iter_mut().zip(&counts) {
        assert!(future.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    let (polled, waker) = Count::new();
    assert!(socket.poll_read_ready(&mut Context::from_waker(&waker)).is_pending());
    drop(futures.drain(2..5));
    peer.send(b"x").unwrap();
    turn_until(&reactor, &polled, 1);
    let woken: Vec<_> = counts.iter().map(|(count, _)| count.get()).collect();
    assert_eq!(woken, [1, 1, 0, 0, 0, 1, 1, 1, 1, 1]);
    drop(futures);
    assert!(counts.iter().all(|(count, waker)| Arc::strong_count(count) == 2 && waker.will_wake(waker)));
}

#[test]
fn what_cannot_be_watched_is_given_back_with_the_reason() {
    let reactor = Reactor::new().unwrap();
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(AsyncFd::try_new(&file).unwrap_err().into_parts().1.kind(), ErrorKind::NotConnected);
    let _entered = reactor.enter();
    if cfg!(target_os = "linux") {
        let (file, error) = AsyncFd::try_with_interest(file, Interest::READABLE).unwrap_err().into_parts();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("add"), "{error}");
        assert!((&file).read(&mut [0; 4]).is_ok());
    }
    assert_eq!(reactor.sources(), 0, "a failed registration stays in the table");
    let (stream, _peer) = streams();
    let stream = AsyncFd::new(stream).unwrap();
    assert_eq!(reactor.sources(), 1);
    if cfg!(target_os = "linux") {
        assert_eq!(AsyncFd::new(stream.get_ref()).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(reactor.sources(), 1, "a failed registration stays in the table");
    }
}

#[test]
fn waiting_for_an_unwatched_direction_is_an_error_and_not_for_ever() {
    let reactor = Reactor::new().unwrap();
    let (reader, _writer) = pipe();
    let reader = AsyncFd::with_reactor(reader, Interest::READABLE, &reactor).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(error)) = pin!(reader.writable()).poll(&mut cx) else { panic!("it waits") };
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(matches!(reader.poll_write_ready(&mut cx), Poll::Ready(Err(_))));
    let error = reader.try_io(Interest::WRITABLE, |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "it would be WouldBlock for ever");
}

/// The smallest executor, whose wakers do nothing, learns of it from the turn that it is in.
#[test]
fn deregistration_ends_the_turn_of_who_waits() {
    let reactor = Reactor::new().unwrap();
    let (socket, _peer) = datagrams(&reactor);
    std::thread::scope(|scope| {
        let (mut cx, mut wait) = (Context::from_waker(Waker::noop()), pin!(socket.readable()));
        assert!(wait.as_mut().poll(&mut cx).is_pending());
        let begin = Instant::now();
        scope.spawn(|| socket.deregister().unwrap());
        let result = loop {
            reactor.turn(Some(Duration::from_secs(30))).unwrap();
            if let Poll::Ready(result) = wait.as_mut().poll(&mut cx) {
                break result;
            }
        };
        assert_eq!(result.unwrap_err().kind(), ErrorKind::NotConnected);
        assert!(begin.elapsed() < Duration::from_secs(30), "it was not told");
    });
}

/// S7: leaving wakes both directions with an error, and the descriptor is still good.
#[test]
fn s7_leaving_wakes_both_directions_with_an_error() {
    let reactor = Reactor::new().unwrap();
    let (mut socket, peer) = datagrams(&reactor);
    reactor.turn(Some(Duration::ZERO)).unwrap();
    while socket.try_io(Interest::WRITABLE, |socket| socket.send(&[0; 512])).is_ok() {}
    let [(reads, reader), (writes, writer)] = [Count::new(), Count::new()];
    {
        let (mut read, mut write) = (pin!(socket.readable()), pin!(socket.writable()));
        assert!(read.as_mut().poll(&mut Context::from_waker(&reader)).is_pending());
        assert!(write.as_mut().poll(&mut Context::from_waker(&writer)).is_pending());
        socket.deregister().unwrap();
        assert_eq!((reads.get(), writes.get()), (1, 1));
        assert_eq!(run(&reactor, read).unwrap_err().kind(), ErrorKind::NotConnected);
        assert_eq!(run(&reactor, write).unwrap_err().kind(), ErrorKind::NotConnected);
    }
    assert!(socket.try_io_mut(Interest::READABLE, |socket| socket.recv(&mut [0; 1])).is_err());
    let inner = socket.into_inner();
    peer.send(b"still here").unwrap();
    assert_eq!(inner.recv(&mut [0; 64]).unwrap(), 10);
    peer.send(b"and again").unwrap();
    let again = AsyncFd::with_reactor(inner, Interest::BOTH, &reactor).unwrap();
    assert!(run(&reactor, again.readable()).is_ok());
}

#[test]
fn async_io_mut_lends_the_descriptor_mutably() {
    let reactor = Reactor::new().unwrap();
    let (ours, mut theirs) = streams();
    let mut stream = AsyncFd::with_reactor(ours, Interest::BOTH, &reactor).unwrap();
    theirs.write_all(b"abc").unwrap();
    let mut buffer = [0; 8];
    assert_eq!(run(&reactor, stream.async_io_mut(Interest::READABLE, |stream| stream.read(&mut buffer))).unwrap(), 3);
}
