//! From path and method to a handler.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::handler::{ErasedHandler, Slots};
use crate::method::Method;
use crate::request::Request;
use crate::response::{IntoResponse, Response};
use crate::status::Status;

/// Chooses the handler of a request by path and method.
///
/// A path may hold parameters: `/hello/{name}` takes one segment, `/files/{*rest}` all that follows. A static part wins
/// over a parameter. HEAD is answered by the handler for GET, OPTIONS by the list of methods, a path that exists with another
/// method by `405` and `Allow`. A path without parameters costs no allocation.
///
/// # Examples
///
/// ```
/// use tiny_coro_http::{Request, Response, Router};
///
/// async fn hello(request: Request) -> Response {
///     Response::text(format!("Hello, {}!", request.param("name").unwrap_or("you")))
/// }
///
/// let router = Router::new().get("/hello/{name}", hello).post("/echo", |mut request: Request| async move {
///     request.body_mut().bytes(64 * 1024).await
/// });
/// # let _ = router;
/// ```
#[derive(Default)]
pub struct Router {
    /// Paths without parameters, by their length: found without a walk through the tree.
    plain: Vec<Vec<(Box<[u8]>, usize)>>,
    tree: matchit::Router<usize>,
    routes: Vec<Route>,
    fallback: Option<Box<dyn ErasedHandler>>,
}

struct Route {
    path: String,
    handlers: [Option<Box<dyn ErasedHandler>>; Method::NAMED],
    /// The value of `Allow`.
    allow: String,
    /// The names of the parameters in their order.
    names: Arc<[Box<str>]>,
}

macro_rules! method {
    ($($name:ident $method:ident $token:literal,)*) => {$(
        #[doc = concat!("Adds a handler for ", $token, ". See [`route`](Self::route).")]
        #[track_caller]
        #[must_use]
        pub fn $name<H, F>(self, path: &str, handler: H) -> Self
        where
            H: Fn(Request) -> F + Send + Sync + 'static,
            F: Future + Send + 'static,
            F::Output: IntoResponse,
        {
            self.route(Method::$method, path, handler)
        }
    )*};
}

impl Router {
    /// Makes a router that answers 404.
    pub fn new() -> Self {
        Self::default()
    }

    method! {
        get Get "GET",
        post Post "POST",
        put Put "PUT",
        delete Delete "DELETE",
        patch Patch "PATCH",
        head Head "HEAD",
        options Options "OPTIONS",
    }

    /// Adds a handler for `method` on `path`.
    ///
    /// # Panics
    ///
    /// If the path is not valid or contradicts one that was added before, if there is a handler for that method
    /// already, or if `method` is [`Method::Other`] or [`Method::Connect`]: a mistake in the program, found when it starts.
    #[track_caller]
    #[must_use]
    pub fn route<H, F>(mut self, method: Method, path: &str, handler: H) -> Self
    where
        H: Fn(Request) -> F + Send + Sync + 'static,
        F: Future + Send + 'static,
        F::Output: IntoResponse,
    {
        assert!(method != Method::Other, "a route needs a method that has a name; use a fallback for others");
        assert!(method != Method::Connect, "this server makes no tunnels: CONNECT can't be routed");
        assert!(path.starts_with('/'), "a route begins with a slash: {path:?}");
        let index = match self.routes.iter().position(|route| route.path == path) {
            Some(index) => index,
            None => self.add_path(path),
        };
        let route = &mut self.routes[index];
        let slot = &mut route.handlers[method as usize];
        assert!(slot.is_none(), "two handlers for {method} {path}");
        *slot = Some(Box::new(handler));
        route.allow = allow(&route.handlers);
        self
    }

    /// Adds the handler for every path that no route matches, and for methods that have no name here. CONNECT is always
    /// answered with 501: its success would turn the connection into a tunnel.
    #[must_use]
    pub fn fallback<H, F>(mut self, handler: H) -> Self
    where
        H: Fn(Request) -> F + Send + Sync + 'static,
        F: Future + Send + 'static,
        F::Output: IntoResponse,
    {
        self.fallback = Some(Box::new(handler));
        self
    }

    #[track_caller]
    fn add_path(&mut self, path: &str) -> usize {
        let index = self.routes.len();
        if let Err(error) = self.tree.insert(path, index) {
            panic!("the route {path:?} can't be added: {error}");
        }
        if !path.contains(['{', '}']) {
            if self.plain.len() <= path.len() {
                self.plain.resize_with(path.len() + 1, Vec::new);
            }
            self.plain[path.len()].push((Box::from(path.as_bytes()), index));
        }
        self.routes.push(Route {
            path: path.to_owned(),
            handlers: Default::default(),
            allow: String::new(),
            names: param_names(path),
        });
        index
    }

    /// Starts the handler of `request`, or answers at once.
    #[inline]
    pub(crate) fn dispatch(&self, mut request: Request, slots: &mut Slots) -> Dispatch {
        let (chosen, params) = self.find(&request);
        if let Some(params) = params {
            request.set_params(params);
        }
        match chosen {
            Ok(handler) if slots.start(handler, request) => Dispatch::Started,
            Ok(_) => Dispatch::Panicked,
            Err(response) => Dispatch::Answered(response),
        }
    }

    fn find(&self, request: &Request) -> (Result<&dyn ErasedHandler, Response>, Option<PathParams>) {
        let method = request.method();
        match method {
            Method::Connect => return (Err(Response::status(Status::NOT_IMPLEMENTED).close()), None),
            Method::Other => return (self.fallback_or(method), None),
            _ => {}
        }
        if let Some(route) = self.find_plain(request.path_bytes()) {
            return (route.handler(method), None);
        }
        let path = request.path();
        if method == Method::Options && path == "*" {
            return (Err(options(&self.allow_all())), None);
        }
        let Ok(found) = self.tree.at(path) else { return (self.fallback_or(method), None) };
        let route = &self.routes[*found.value];
        let handler = route.handler(method);
        let params = handler.is_ok().then(|| PathParams::new(route, &found.params, path));
        (handler, params)
    }

    #[inline]
    fn find_plain(&self, path: &[u8]) -> Option<&Route> {
        let candidates = self.plain.get(path.len())?;
        candidates.iter().find(|(known, _)| **known == *path).map(|&(_, index)| &self.routes[index])
    }

    fn fallback_or(&self, method: Method) -> Result<&dyn ErasedHandler, Response> {
        match &self.fallback {
            Some(handler) => Ok(&**handler),
            None if method == Method::Other => Err(Response::status(Status::NOT_IMPLEMENTED)),
            None => Err(Response::status(Status::NOT_FOUND)),
        }
    }

    /// The methods that some route takes.
    fn allow_all(&self) -> String {
        let mut methods: Vec<&str> = self.routes.iter().flat_map(|route| route.allow.split(", ")).collect();
        methods.sort_unstable();
        methods.dedup();
        methods.join(", ")
    }
}

impl Route {
    #[inline]
    fn handler(&self, method: Method) -> Result<&dyn ErasedHandler, Response> {
        let own = self.handlers[method as usize].as_ref();
        let handler = if method == Method::Head { own.or(self.handlers[Method::Get as usize].as_ref()) } else { own };
        match handler {
            Some(handler) => Ok(&**handler),
            None if method == Method::Options => Err(options(&self.allow)),
            None => Err(Response::status(Status::METHOD_NOT_ALLOWED).header("Allow", &self.allow)),
        }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.routes.iter().map(|route| (&route.path, &route.allow))).finish()
    }
}

/// Says what became of a request that was handed to the router.
pub(crate) enum Dispatch {
    Started,
    Answered(Response),
    Panicked,
}

const METHODS: [Method; Method::NAMED] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Delete,
    Method::Patch,
    Method::Options,
    Method::Trace,
    Method::Connect,
];

fn allow(handlers: &[Option<Box<dyn ErasedHandler>>; Method::NAMED]) -> String {
    let has = |method: Method| handlers[method as usize].is_some();
    let allowed = |&method: &Method| match method {
        Method::Head => has(Method::Head) || has(Method::Get),
        Method::Options => true,
        other => has(other),
    };
    METHODS.into_iter().filter(allowed).map(Method::as_str).collect::<Vec<_>>().join(", ")
}

fn options(allow: &str) -> Response {
    Response::status(Status::NO_CONTENT).header("Allow", allow)
}

/// The names between braces, `*` left out; a doubled brace is a literal one.
fn param_names(path: &str) -> Arc<[Box<str>]> {
    let literal = path.replace("{{", "").replace("}}", "");
    let names = literal.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    names.map(|name| Box::from(name.trim_start_matches('*'))).collect()
}

/// Says where in the path the parameters stand.
pub(crate) struct PathParams {
    names: Arc<[Box<str>]>,
    ranges: Vec<Range<u16>>,
}

impl PathParams {
    fn new(route: &Route, params: &matchit::Params<'_, '_>, path: &str) -> Self {
        // The values are slices of the path; only where they start has to be remembered.
        let offset = |value: &str| (value.as_ptr() as usize - path.as_ptr() as usize) as u16;
        let ranges = params.iter().map(|(_, value)| offset(value)..offset(value) + value.len() as u16).collect();
        Self { names: Arc::clone(&route.names), ranges }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Range<usize>> {
        let index = self.names.iter().position(|known| &**known == name)?;
        self.ranges.get(index).map(|range| usize::from(range.start)..usize::from(range.end))
    }
}
