use tiny_coro_http::{Config, Method, Request, Response, Router, Version};

use crate::harness::{Peer, peer};

fn ask(peer: &mut Peer, line: &str) -> (u16, Option<String>, String) {
    peer.send(format!("{line} HTTP/1.1\r\nHost: example.org\r\n\r\n"));
    let answer = peer.answers().remove(0);
    (answer.status, answer.header("allow").map(str::to_owned), answer.text().to_owned())
}

#[test]
fn path_and_method_choose_the_handler() {
    let router = Router::new()
        .get("/users", |_: Request| async { "list" })
        .post("/users", |_: Request| async { "make" })
        .get("/users/me", |_: Request| async { "me" })
        .get("/users/{id}", |request: Request| async move { request.param("id").unwrap_or_default().to_owned() })
        .get("/users/{id}/posts/{post}", |request: Request| async move {
            format!("{:?} {:?} {:?}", request.param("id"), request.param("post"), request.param("none"))
        })
        .put("/files/{*rest}", |request: Request| async move {
            request.param_decoded("rest").unwrap_or_default().into_owned()
        })
        .route(Method::Trace, "/trace", |_: Request| async { "trace" });
    let mut peer = Peer::new(router, Config::new());
    let ok = |text: &str| (200, None, text.to_owned());
    assert_eq!(ask(&mut peer, "GET /users"), ok("list"));
    assert_eq!(ask(&mut peer, "GET /users?all"), ok("list"));
    assert_eq!(ask(&mut peer, "POST /users"), ok("make"));
    assert_eq!(ask(&mut peer, "GET /users/me"), ok("me"));
    assert_eq!(ask(&mut peer, "GET /users/7"), ok("7"));
    assert_eq!(ask(&mut peer, "GET /users/a%20b"), ok("a%20b"));
    assert_eq!(ask(&mut peer, "GET /users/7/posts/8"), ok("Some(\"7\") Some(\"8\") None"));
    assert_eq!(ask(&mut peer, "PUT /files/a%20b/c"), ok("a b/c"));
    assert_eq!(ask(&mut peer, "TRACE /trace"), ok("trace"));
    assert_eq!(ask(&mut peer, "GET /nothing").0, 404);
    assert_eq!(ask(&mut peer, "DELETE /users"), (405, Some("GET, HEAD, POST, OPTIONS".into()), String::new()));
    assert_eq!(ask(&mut peer, "OPTIONS /users"), (204, Some("GET, HEAD, POST, OPTIONS".into()), String::new()));
    assert_eq!(ask(&mut peer, "OPTIONS *"), (204, Some("GET, HEAD, OPTIONS, POST, PUT, TRACE".into()), String::new()));
    assert_eq!(ask(&mut peer, "BREW /users").0, 501);
    assert!(peer.is_open());
}

#[test]
fn a_fallback_takes_what_no_route_matches() {
    let fallback = |request: Request| async move { format!("{} {}", request.method_str(), request.path()) };
    let mut peer = Peer::new(Router::new().get("/", |_: Request| async { "root" }).fallback(fallback), Config::new());
    assert_eq!(ask(&mut peer, "GET /").2, "root");
    assert_eq!(ask(&mut peer, "GET /other").2, "GET /other");
    assert_eq!(ask(&mut peer, "BREW /coffee").2, "BREW /coffee");
    // Not even the fallback makes a tunnel of the connection.
    peer.send("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n");
    let answer = peer.answers().remove(0);
    assert_eq!((answer.status, answer.header("connection"), answer.text()), (501, Some("close"), ""));
    assert!(peer.is_ended());
}

#[test]
fn a_request_tells_what_was_sent() {
    let router = Router::new().get("/path", |request: Request| async move {
        let headers = request.headers();
        assert_eq!((request.method(), request.version()), (Method::Get, Version::Http11));
        assert_eq!(request.target(), "http://other.org/path?a=b?c");
        assert_eq!((request.path(), request.query(), request.host()), ("/path", Some("a=b?c"), Some("other.org")));
        assert_eq!((headers.get("X-MULTI"), headers.get_all("x-multi").count()), (Some("1"), 2));
        assert_eq!((headers.get("x-raw"), headers.get_raw("x-raw")), (None, Some(&b"\xff"[..])));
        assert_eq!(headers.get_bytes("x-empty").as_deref(), Some(&b""[..]));
        assert_eq!(request.remote_addr().port(), 1234);
        Response::text("ok")
    });
    let mut peer = Peer::new(router, Config::new());
    let mut bytes =
        b"GET http://other.org/path?a=b?c HTTP/1.1\r\nHost: a\r\nX-Multi: 1\r\nx-multi: 2\r\nX-Raw: \xff\r\n".to_vec();
    bytes.extend_from_slice(b"X-Empty:   \r\n\r\n");
    peer.send(bytes);
    assert_eq!(peer.statuses(), [200]);
}

#[test]
fn mistakes_in_routes_are_found_at_once() {
    let ok = |_: Request| async {};
    let mistakes: [fn(Router) -> Router; 5] = [
        |router| router.get("/a", |_| async {}).get("/a", |_| async {}),
        |router| router.get("a", |_| async {}),
        |router| router.get("/{a}", |_| async {}).get("/{b}", |_| async {}),
        |router| router.route(Method::Other, "/", |_| async {}),
        |router| router.route(Method::Connect, "/", |_| async {}),
    ];
    for mistake in mistakes {
        assert!(std::panic::catch_unwind(|| mistake(Router::new())).is_err());
    }
    let _ = Router::new().get("/a", ok).post("/a", ok).get("/{*rest}", ok);
}

#[test]
fn a_request_that_was_kept_does_not_hold_the_next_one_up() {
    let kept = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let inner = kept.clone();
    let router = Router::new().get("/{n}", move |request: Request| {
        inner.lock().unwrap().push(request);
        async {}
    });
    let mut many = Peer::new(router, Config::new());
    for index in 0..1_000 {
        many.send(format!("GET /{index} HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    assert_eq!(many.statuses().len(), 1_000);
    let kept = kept.lock().unwrap();
    assert!(kept.iter().enumerate().all(|(index, request)| request.param("n") == Some(&index.to_string())));
    drop(peer());
}
