//! The I/O: accepting clients, a task for each of them, and a task that removes what has expired.

mod connection;
mod sweeper;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tiny_coro::Handle;
use tiny_coro::net::{TcpListener, TcpStream};
use tiny_coro::sync::channel;

use crate::accept;

use super::commands::{Session, Shared};
use super::store::Store;
use connection::Connection;

/// Serves the clients of `listener` for as long as the future lives.
///
/// # Errors
///
/// When the listener has no address any more.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    // One place is enough: the sweeper has to know that there is a deadline, not how many.
    let (alarm, alarms) = channel::bounded(1);
    let store = Store::new(move || {
        let _ = alarm.try_send(());
    });
    let runtime = Handle::current();
    let shared = Arc::new(Shared::new(store, listener.local_addr()?, move || describe(&runtime)));
    tiny_coro::spawn(sweeper::run(Arc::downgrade(&shared), alarms)).detach();
    loop {
        let (stream, peer) = accept(&listener).await;
        let id = shared.accepted.fetch_add(1, Relaxed) + 1;
        let client = Client { shared: shared.clone() };
        shared.clients.fetch_add(1, Relaxed);
        tiny_coro::spawn(async move {
            // How a client goes, politely or not, is nobody's business but its own.
            let _ = serve_client(stream, peer, id, &client.shared).await;
        })
        .detach();
    }
}

async fn serve_client(stream: TcpStream, peer: SocketAddr, id: u64, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    Connection::new(stream, Session::new(id, peer)).run(shared).await
}

/// Counts a client for as long as its task lives, however that ends.
struct Client {
    shared: Arc<Shared>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.clients.fetch_sub(1, Relaxed);
    }
}

/// The `Runtime` section of `INFO`.
fn describe(runtime: &Handle) -> String {
    let metrics = runtime.metrics();
    let total = metrics.total();
    let rows = [
        ("workers", metrics.workers.len() as u64),
        ("live_tasks", metrics.live_tasks),
        ("io_sources", metrics.io_sources),
        ("sleeps", metrics.sleeps),
        ("polls", total.polls),
        ("local_pushes", total.local_pushes),
        ("lifo_hits", total.lifo_hits),
        ("stolen_tasks", total.stolen_items),
        ("parks", total.parks),
        ("wakes_sent", total.wakes_sent),
        ("driver_polls", total.driver_polls),
    ];
    rows.iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect()
}
