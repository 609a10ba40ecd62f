//! Registers descriptors while `epoll_ctl` fails now and then: each failure names the operation and the descriptor, leaves
//! nothing behind, and does not touch the others; a second attempt succeeds.

use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use tiny_coro::poller::{Events, Interest, Mode, Poller, RegistrationError, Token};

const COUNT: u32 = 100;

fn main() -> io::Result<()> {
    faults::watchdog();
    let poller = Poller::new()?;
    let mut refused = 0;
    let mut pairs = Vec::new();
    for index in 0..COUNT {
        let (here, mut there) = UnixStream::pair()?;
        let add = || poller.add(here.as_fd(), Token::new(index, 7), Interest::READABLE, Mode::Edge);
        while let Err(error) = add() {
            let inside = error.get_ref().and_then(|inside| inside.downcast_ref::<RegistrationError>());
            let inside = inside.expect("the error says what failed");
            assert_eq!((inside.operation(), inside.fd()), ("add", here.as_raw_fd()));
            assert!(matches!(inside.raw_os_error(), Some(libc::ENOSPC | libc::ENOMEM)), "{error}");
            refused += 1;
        }
        there.write_all(b"x")?;
        pairs.push((here, there));
    }
    let mut seen = vec![false; COUNT as usize];
    let mut events = Events::with_capacity(16);
    // A registration that is lost ends in the watchdog: a wait that is interrupted returns early, with nothing.
    while seen.contains(&false) {
        poller.wait(&mut events, Some(Duration::from_secs(10)))?;
        for event in &events {
            seen[event.token().index() as usize] = true;
        }
    }
    // A failed removal is an error too; the descriptor is closed anyway, which removes it.
    let kept = pairs.iter().filter(|(here, _)| poller.delete(here.as_fd()).is_err()).count();
    faults::done(&format!("{COUNT} registered, {refused} attempts and {kept} removals refused"));
    Ok(())
}
