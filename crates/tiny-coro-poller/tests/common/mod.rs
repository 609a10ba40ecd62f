//! What the test files share: sockets, and waits that cannot hang.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use tiny_coro_poller::{Event, Events, Poller};

/// The watchdog of each wait: far beyond what any of them takes.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A connected pair that never blocks.
pub(crate) fn pair() -> (UnixStream, UnixStream) {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    (a, b)
}

/// Waits for at least one event.
pub(crate) fn ready(poller: &Poller) -> Vec<Event> {
    let mut events = Events::with_capacity(64);
    while events.is_empty() {
        poller.wait(&mut events, Some(LONG)).unwrap();
        assert!(!events.woken(), "a wake that nobody asked for");
    }
    events.iter().collect()
}

/// Waits for exactly one event.
pub(crate) fn one(poller: &Poller) -> Event {
    let events = ready(poller);
    assert_eq!(events.len(), 1, "{events:?}");
    events[0]
}

/// Looks without waiting, and finds nothing.
pub(crate) fn assert_quiet(poller: &Poller) {
    let mut events = Events::with_capacity(64);
    poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
    assert!(events.is_empty() && !events.woken(), "{events:?}");
}

/// Reads all that there is, and returns how much it was.
pub(crate) fn drain(mut socket: &UnixStream) -> usize {
    let (mut buffer, mut total) = ([0; 4096], 0);
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return total,
            Ok(count) => total += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return total,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Writes until there is no more space.
pub(crate) fn fill(mut socket: &UnixStream) {
    loop {
        match socket.write(&[0; 4096]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("{error}"),
        }
    }
}
