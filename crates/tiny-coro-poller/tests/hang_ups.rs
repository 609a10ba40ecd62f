//! Ends and errors: each condition alone and with data, in each mode.

#![cfg(not(tiny_coro_loom))]

mod common;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;

use common::{assert_quiet, drain, fill, one, pair, ready};
use tiny_coro_poller::{Event, Interest, Mode, Poller, Token};

const MODES: [Mode; 3] = [Mode::Level, Mode::Edge, Mode::Oneshot];

fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// Registers `source` for what is there already, and returns the event.
fn report(source: impl AsFd, interest: Interest, mode: Mode) -> Event {
    let poller = Poller::new().unwrap();
    poller.add(&source, Token::new(1, 1), interest, mode).unwrap();
    let event = one(&poller);
    match mode {
        Mode::Level => assert_eq!(one(&poller), event, "it lasts"),
        Mode::Edge | Mode::Oneshot => assert_quiet(&poller),
    }
    poller.delete(&source).unwrap();
    event
}

#[test]
fn a_half_close_is_visible_alone_and_with_data() {
    for mode in MODES {
        let (here, mut there) = connection();
        there.write_all(b"last words").unwrap();
        there.shutdown(Shutdown::Write).unwrap();
        // The two may come one after the other.
        while here.peek(&mut [0; 16]).unwrap() < 10 || !report(&here, Interest::READABLE, mode).is_read_hang_up() {}
        for what in ["with data", "alone"] {
            let event = report(&here, Interest::READABLE, mode);
            assert!(event.is_readable() && event.is_read_hang_up(), "{what}: {event:?}");
            assert!(!event.is_hang_up() && !event.is_write_hang_up() && !event.is_error(), "{what}: {event:?}");
            (&here).read_to_end(&mut Vec::new()).unwrap();
        }
        assert!(!report(&here, Interest::WRITABLE, mode).is_write_hang_up(), "writing goes on");
    }
}

#[test]
fn a_hang_up_is_visible_whatever_the_interest() {
    for mode in MODES {
        for data in [&b""[..], b"unread"] {
            let (here, mut there) = pair();
            there.write_all(data).unwrap();
            drop(there);
            let event = report(&here, Interest::READABLE, mode);
            assert!(event.is_readable() && event.is_read_hang_up() && !event.is_error(), "{event:?}");
            let event = report(&here, Interest::WRITABLE, mode);
            assert!(event.is_writable() && event.is_write_hang_up() && !event.is_error(), "{event:?}");
            assert_eq!(event.is_hang_up(), cfg!(target_os = "linux"), "{event:?}");
            assert_eq!(drain(&here), data.len(), "what was sent before is there");
        }
    }
}

#[test]
fn a_pipe_without_a_writer_hangs_up() {
    for mode in MODES {
        for data in [&b""[..], b"unread"] {
            let (reader, mut writer) = io::pipe().unwrap();
            writer.write_all(data).unwrap();
            drop(writer);
            let event = report(&reader, Interest::READABLE, mode);
            assert!(event.is_readable() && event.is_read_hang_up() && !event.is_error(), "{event:?}");
            let both = [event.is_writable(), event.is_hang_up(), event.is_write_hang_up()];
            assert_eq!(both, [cfg!(target_os = "linux"); 3], "{event:?}");
        }
    }
}

/// With room in the pipe and without: the error comes alone then.
#[test]
#[cfg(target_os = "linux")]
fn a_pipe_without_a_reader_is_an_error() {
    use std::os::fd::AsRawFd;
    for mode in MODES {
        for full in [false, true] {
            let (reader, mut writer) = io::pipe().unwrap();
            // SAFETY: the descriptor is open; no pointers.
            assert_eq!(unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }, 0);
            while full && writer.write(&[0; 4096]).is_ok() {}
            drop(reader);
            for interest in [Interest::WRITABLE, Interest::BOTH] {
                let event = report(&writer, interest, mode);
                assert!(event.is_error() && event.is_readable() && event.is_writable(), "{event:?}");
                assert!(!event.is_hang_up() && !event.is_read_hang_up() && !event.is_write_hang_up(), "{event:?}");
            }
        }
    }
}

/// Neither connected nor listening: Linux says writable and hung up at once.
#[test]
#[cfg(target_os = "linux")]
fn an_unconnected_socket_hangs_up() {
    use std::os::fd::{FromRawFd, OwnedFd};
    // SAFETY: no pointers; the descriptor, asserted to be one, is nobody else's.
    let socket = unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        assert_ne!(fd, -1);
        OwnedFd::from_raw_fd(fd)
    };
    let event = report(&socket, Interest::BOTH, Mode::Edge);
    assert!(event.is_hang_up() && event.is_writable() && !event.is_error(), "{event:?}");
}

#[test]
fn a_reset_is_an_error() {
    for mode in MODES {
        let (client, server) = connection();
        let poller = Poller::new().unwrap();
        poller.add(&client, Token::new(1, 1), Interest::READABLE, mode).unwrap();
        // Unread data makes the close a reset.
        (&client).write_all(b"never read").unwrap();
        while server.peek(&mut [0; 4]).unwrap() == 0 {}
        drop(server);
        let event = one(&poller);
        assert!(event.is_error() && event.is_readable(), "{event:?}");
        assert_eq!((&client).read(&mut [0; 4]).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}

/// The error of a datagram that nobody wanted: alone, and with data. It is gone when it is fetched.
#[test]
#[cfg(target_os = "linux")]
fn an_error_passes() {
    use std::net::UdpSocket;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect(peer.local_addr().unwrap()).unwrap();
    peer.connect(socket.local_addr().unwrap()).unwrap();
    let poller = Poller::new().unwrap();
    poller.add(&socket, Token::new(1, 1), Interest::READABLE, Mode::Edge).unwrap();
    for data in [false, true] {
        if data {
            peer.send(b"data").unwrap();
            assert!(!one(&poller).is_error());
        }
        let nobody = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        socket.connect(nobody).unwrap();
        socket.send(b"to nobody").unwrap();
        let event = one(&poller);
        assert!(event.is_error() && event.is_readable() && !event.is_hang_up(), "{event:?}");
        assert_eq!(socket.take_error().unwrap().unwrap().kind(), io::ErrorKind::ConnectionRefused);
        socket.connect(peer.local_addr().unwrap()).unwrap();
        assert_eq!(report_now(&poller, &socket), data, "the data is still there, the error is not");
    }
}

/// Whether something is reported by a fresh look; it must not be an error.
#[cfg(target_os = "linux")]
fn report_now(poller: &Poller, socket: &std::net::UdpSocket) -> bool {
    poller.modify(socket, Token::new(1, 1), Interest::READABLE, Mode::Edge).unwrap();
    let mut events = tiny_coro_poller::Events::with_capacity(4);
    poller.wait(&mut events, Some(std::time::Duration::ZERO)).unwrap();
    assert!(events.iter().all(|event| !event.is_error()), "{events:?}");
    !events.is_empty()
}

/// kqueue says `EV_EOF` of the writing side then, which must not be taken for the end of reading.
#[test]
fn own_shutdown_says_nothing_about_reading() {
    for mode in MODES {
        let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
        here.shutdown(Shutdown::Write).unwrap();
        poller.add(&here, Token::new(1, 1), Interest::BOTH, mode).unwrap();
        for event in ready(&poller) {
            assert!(!event.is_hang_up() && !event.is_read_hang_up() && !event.is_readable(), "{event:?}");
        }
        there.write_all(b"answer").unwrap();
        poller.modify(&here, Token::new(1, 1), Interest::READABLE, mode).unwrap();
        assert!(one(&poller).is_readable());
    }
}

/// One direction's report does not swallow the other's.
#[test]
fn both_directions_are_told_apart() {
    for mode in [Mode::Level, Mode::Edge] {
        let (poller, (here, mut there)) = (Poller::new().unwrap(), pair());
        fill(&here);
        there.write_all(b"x").unwrap();
        poller.add(&here, Token::new(1, 1), Interest::BOTH, mode).unwrap();
        let event = one(&poller);
        assert!(event.is_readable() && !event.is_writable(), "{event:?}");
        drain(&here);
        drain(&there);
        let event = one(&poller);
        assert!(event.is_writable() && !event.is_readable(), "{event:?}");
    }
}
