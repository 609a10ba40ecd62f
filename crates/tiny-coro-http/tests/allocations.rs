//! The promise that the steady state allocates nothing, held by an allocator that counts.
#![cfg(not(tiny_coro_loom))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::BytesMut;
use tiny_coro_http::{Config, Connection, Request, Router, Service, Transport};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is handed on to the system's allocator, which upholds the contract; the counter has no destructor
// and does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise about `layout` is the one that is asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above with the same layout, by the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Gives the same bytes whenever it is told to, and forgets what is written.
struct Endless {
    bytes: &'static [u8],
    ready: Arc<AtomicBool>,
    written: Arc<AtomicUsize>,
    now: Instant,
}

impl Transport for Endless {
    fn poll_read_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ready.load(Ordering::SeqCst) { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_read_buf(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        if !self.ready.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        buffer.extend_from_slice(self.bytes);
        Poll::Ready(Ok(self.bytes.len()))
    }

    fn poll_write_vectored(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let count = slices.iter().map(|slice| slice.len()).sum();
        self.written.fetch_add(count, Ordering::SeqCst);
        Poll::Ready(Ok(count))
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn abort(&mut self) {}

    fn now(&self) -> Instant {
        self.now
    }

    fn poll_deadline(&mut self, _: &mut Context<'_>, _: Instant, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

#[test]
fn the_steady_state_allocates_nothing() {
    let requests = b"GET /plaintext HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n\
        POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\
        HEAD /plaintext HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\n\r\n";
    let router = Router::new()
        .get("/plaintext", |_: Request| async { "Hello, World!" })
        .post("/small", |mut request: Request| async move { request.body_mut().bytes(100).await });
    let service = Arc::new(Service::new(router, Config::new()));
    let (ready, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let transport = Endless { bytes: requests, ready: ready.clone(), written: written.clone(), now: Instant::now() };
    let mut connection = Connection::new(transport, &service, SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
    let mut cx = Context::from_waker(Waker::noop());
    let mut turn = || {
        ready.store(true, Ordering::SeqCst);
        assert!(Pin::new(&mut connection).poll(&mut cx).is_pending());
    };
    (0..10).for_each(|_| turn());
    let before = (ALLOCATIONS.get(), written.load(Ordering::SeqCst));
    (0..10_000).for_each(|_| turn());
    assert_eq!(ALLOCATIONS.get() - before.0, 0, "allocations in 30,000 requests");
    assert!(written.load(Ordering::SeqCst) - before.1 > 30_000 * 100);
}
