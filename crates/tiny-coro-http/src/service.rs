//! What the connections of a server share.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::config::Config;
use crate::router::Router;

/// What all connections of a server share: the router, the configuration, and the list of those that are open.
///
/// ```
/// use std::sync::Arc;
/// use tiny_coro_http::{Config, Router, Service};
/// let service = Arc::new(Service::new(Router::new(), Config::new()));
/// assert_eq!(service.open_connections(), 0);
/// ```
pub struct Service {
    router: Router,
    config: Config,
    stage: AtomicU8,
    registry: Mutex<Registry>,
}

/// How far the shutdown has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Serving,
    /// Idle connections end, the others after the answer that they are at.
    Draining,
    /// All connections end.
    Aborting,
}

#[derive(Default)]
struct Registry {
    /// The waker of each open connection, from its first poll at a stage up to the next stage.
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
    open: usize,
    /// Who waits for a connection to end.
    watcher: Option<Waker>,
}

impl Service {
    /// Puts router and configuration together.
    pub fn new(router: Router, config: Config) -> Self {
        Self { router, config, stage: AtomicU8::new(Stage::Serving as u8), registry: Mutex::default() }
    }

    /// Returns how many connections are open.
    pub fn open_connections(&self) -> usize {
        self.registry().open
    }

    /// Ends every idle connection, and each other one after the answer that it is at.
    pub fn drain(&self) {
        self.enter(Stage::Draining);
    }

    /// Ends every connection at once.
    pub fn abort(&self) {
        self.enter(Stage::Aborting);
    }

    #[inline]
    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    #[inline]
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Waits until fewer than `limit` connections are open. One task at a time may wait.
    pub(crate) fn poll_below(&self, limit: usize, cx: &Context<'_>) -> Poll<()> {
        if self.open_connections() < limit {
            return Poll::Ready(());
        }
        let fresh = cx.waker().clone();
        let mut registry = self.registry();
        if registry.open < limit {
            drop(registry);
            return Poll::Ready(());
        }
        let old = registry.watcher.replace(fresh);
        drop(registry);
        drop(old);
        Poll::Pending
    }

    pub(crate) fn register(service: &Arc<Self>) -> Registration {
        let mut registry = service.registry();
        registry.open += 1;
        let key = registry.free.pop().unwrap_or_else(|| {
            registry.wakers.push(None);
            registry.wakers.len() - 1
        });
        drop(registry);
        Registration { service: Arc::clone(service), key, announced: None }
    }

    fn stage(&self) -> Stage {
        // ORDERING H1: acquire. Pairs with the release store in `enter`: a connection that sees the new stage sees what
        // the caller did before it.
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Serving,
            1 => Stage::Draining,
            _ => Stage::Aborting,
        }
    }

    fn enter(&self, stage: Stage) {
        let mut registry = self.registry();
        if self.stage() as u8 >= stage as u8 {
            return;
        }
        // Stored under the lock: a connection announces its waker under the same lock before it reads the stage. So it
        // either sees the new stage, or its waker is in the list that is woken here. Woken, it announces itself again.
        // ORDERING H1: release. Pairs with the acquire load in `stage`.
        self.stage.store(stage as u8, Ordering::Release);
        let wakers: Vec<Waker> = registry.wakers.iter_mut().filter_map(Option::take).collect();
        drop(registry);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // No foreign code runs under this lock: wakers are cloned before it, and dropped after it.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("router", &self.router)
            .field("stage", &self.stage())
            .field("open", &self.open_connections())
            .finish_non_exhaustive()
    }
}

/// A connection's place in the list.
pub(crate) struct Registration {
    service: Arc<Service>,
    key: usize,
    /// The stage at which the waker was put into the list. The next stage takes it out again.
    announced: Option<Stage>,
}

impl Registration {
    #[inline]
    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    /// Returns the stage; a later change wakes the task.
    #[inline]
    pub(crate) fn observe(&mut self, cx: &Context<'_>) -> Stage {
        let stage = self.service.stage();
        if self.announced == Some(stage) {
            return stage;
        }
        self.announced = Some(stage);
        let fresh = cx.waker().clone();
        let old = self.service.registry().wakers[self.key].replace(fresh);
        drop(old);
        self.service.stage()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut registry = self.service.registry();
        let own = registry.wakers[self.key].take();
        registry.free.push(self.key);
        registry.open -= 1;
        let watcher = registry.watcher.take();
        drop(registry);
        drop(own);
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }
}
