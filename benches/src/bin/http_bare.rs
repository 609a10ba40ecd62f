//! What the kernel allows: one epoll loop per thread, no parsing, a fixed answer.
//!
//! In raw mode each read is one request. Otherwise three lines are one request, which is what `wrk` sends: so a
//! pipeline of 16 gets its 16 answers in one write.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::thread;

use tiny_coro_benches::WORKERS;
use tiny_coro_benches::http::{ADDRESS, RAW_ANSWER, attend, raw_mode};

/// `GET … HTTP/1.1`, `Host: …`, and the empty line.
const LINES_PER_REQUEST: usize = 3;

const READ_SIZE: usize = 16 * 1024;

/// As many events as `wrk` has connections.
const BATCH: usize = 64;

fn main() {
    let counting = !raw_mode();
    let loops: Vec<Epoll> = (0..WORKERS).map(|_| Epoll::new().expect("epoll is there")).collect();
    for epoll in loops.clone() {
        thread::spawn(move || serve(epoll, counting));
    }
    let listener = TcpListener::bind(ADDRESS).expect("loopback can be bound");
    let address = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || accept(&listener, &loops));
    attend(address)
}

/// Deals the connections out in turn.
fn accept(listener: &TcpListener, loops: &[Epoll]) {
    for epoll in loops.iter().cycle() {
        let Ok((stream, _)) = listener.accept() else { return };
        let watched =
            stream.set_nodelay(true).and_then(|()| stream.set_nonblocking(true)).and_then(|()| epoll.add(stream));
        watched.expect("epoll takes a socket");
    }
}

fn serve(epoll: Epoll, counting: bool) {
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; BATCH];
    let mut buffer = vec![0; READ_SIZE];
    let answers = RAW_ANSWER.repeat(READ_SIZE / LINES_PER_REQUEST);
    // Lines of a request that has not come whole, by socket.
    let mut pending: Vec<usize> = Vec::new();
    loop {
        for event in epoll.wait(&mut events) {
            let mut socket = Socket(event.u64 as RawFd);
            let index = socket.0 as usize;
            pending.resize(pending.len().max(index + 1), 0);
            let requests = match socket.read(&mut buffer) {
                Ok(0) => 0,
                Ok(_) if !counting => 1,
                Ok(length) => {
                    let lines = pending[index] + memchr::memchr_iter(b'\n', &buffer[..length]).count();
                    pending[index] = lines % LINES_PER_REQUEST;
                    lines / LINES_PER_REQUEST
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(_) => 0,
            };
            let open = requests > 0 || pending[index] > 0;
            if !open || socket.write_all(&answers[..requests * RAW_ANSWER.len()]).is_err() {
                pending[index] = 0;
                socket.close();
            }
        }
    }
}

/// An epoll descriptor, open until the process ends.
#[derive(Clone)]
struct Epoll(RawFd);

impl Epoll {
    fn new() -> io::Result<Epoll> {
        // SAFETY: takes no pointer.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(Epoll(fd)) }
    }

    /// Watches `stream`, which from here on belongs to the loop.
    fn add(&self, stream: TcpStream) -> io::Result<()> {
        // Edge-triggered: a request is far shorter than the buffer, so one read empties the socket.
        let mut event =
            libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLET) as u32, u64: stream.as_raw_fd() as u64 };
        // SAFETY: both descriptors are open, and the pointer is to an event.
        let result = unsafe { libc::epoll_ctl(self.0, libc::EPOLL_CTL_ADD, stream.into_raw_fd(), &raw mut event) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    fn wait<'a>(&self, events: &'a mut [libc::epoll_event]) -> &'a [libc::epoll_event] {
        // SAFETY: the pointer is to as many events as the length says.
        let count = unsafe { libc::epoll_wait(self.0, events.as_mut_ptr(), events.len() as i32, -1) };
        &events[..usize::try_from(count).unwrap_or(0)]
    }
}

/// A socket that its loop owns.
struct Socket(RawFd);

impl Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the pointer is to as many writable bytes as the length says.
        let length = unsafe { libc::recv(self.0, buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        usize::try_from(length).map_err(|_| io::Error::last_os_error())
    }

    fn close(self) {
        // SAFETY: the loop owns the descriptor and forgets it here.
        unsafe { libc::close(self.0) };
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: the pointer is to as many bytes as the length says.
        let length = unsafe { libc::send(self.0, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
        usize::try_from(length).map_err(|_| io::Error::last_os_error())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
