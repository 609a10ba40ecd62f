//! `web`, `raw_http` and `files` over the network.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use crate::support::{Server, eventually};

/// A request without a body, after which the server closes.
fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").into_bytes()
}

/// The status, the head in lower case, and the body.
fn split(answer: &[u8]) -> (u16, String, Vec<u8>) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("an answer has a status");
    (status, head, answer[end + 4..].to_vec())
}

#[test]
fn the_routes_of_web() {
    let server = Server::start("web", &[]);
    let ask = |target: &str| split(&server.ask(&get(target)));

    let (status, head, body) = ask("/");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/html"));
    assert!(body.starts_with(b"<!doctype html>"));

    let (status, head, body) = ask("/plaintext");
    assert_eq!((status, &*body), (200, &b"Hello, World!"[..]));
    assert!(head.contains("content-type: text/plain") && head.contains("content-length: 13"));

    let (status, head, body) = ask("/json");
    assert_eq!((status, &*body), (200, &br#"{"message":"Hello, World!"}"#[..]));
    assert!(head.contains("content-type: application/json"));

    let (status, head, body) = ask("/hello/%3Cscript%3E");
    assert_eq!((status, &*body), (200, &b"Hello, <script>!\n"[..]));
    assert!(head.contains("content-type: text/plain") && head.contains("x-content-type-options: nosniff"));
    assert_eq!(ask("/hello/%ff").0, 400);
    assert_eq!(ask("/nowhere").0, 404);
    assert_eq!(
        split(&server.ask(b"POST / HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")).0,
        405
    );
}

#[test]
fn web_echoes_what_is_posted_with_a_length_and_in_chunks() {
    let server = Server::start("web", &[]);
    let text = "0123456789".repeat(20_000);
    let head = "POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Type: text/x\r\n";
    let with_length = format!("{head}Content-Length: {}\r\n\r\n{text}", text.len());
    let (status, answered, body) = split(&server.ask(with_length.as_bytes()));
    assert_eq!(status, 200);
    assert!(answered.contains("content-type: text/x"));
    assert!(body == text.as_bytes());

    let in_chunks = format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n");
    let (status, _, body) = split(&server.ask(in_chunks.as_bytes()));
    assert_eq!(status, 200);
    // The echo doesn't know the length either.
    assert!(body.windows(5).any(|five| five == b"hello") && body.ends_with(b"0\r\n\r\n"));
}

#[test]
fn raw_http_answers_whatever_comes() {
    let server = Server::start("raw_http", &[]);
    let mut stream = server.connect();
    for request in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"rubbish"] {
        stream.write_all(request).expect("the server reads");
        let mut answer = [0; 78];
        stream.read_exact(&mut answer).expect("an answer comes");
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n") && answer.ends_with(b"\r\n\r\nHello, World!"));
    }
}

fn put(name: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "PUT /files/{name} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

fn serve(directory: &Path) -> Server {
    Server::start("files", &["--dir", directory.to_str().expect("the path is text")])
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the directory is there");
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_comes_back_as_it_went_and_is_listed() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let server = serve(directory.path());
    let content: Vec<u8> = (0..1_000_000_u32).map(|number| (number.wrapping_mul(number) >> 7) as u8).collect();
    assert_eq!(split(&server.ask(&put("a%20%3Cb%3E.png", &content))).0, 201);
    assert!(fs::read(directory.path().join("a <b>.png")).expect("it is stored") == content);

    let (status, head, body) = split(&server.ask(&get("/files/a%20%3Cb%3E.png")));
    assert_eq!(status, 200);
    assert!(head.contains("content-type: image/png") && head.contains("content-length: 1000000"), "{head}");
    assert!(body == content);

    let listing = String::from_utf8(split(&server.ask(&get("/"))).2).expect("a page is text");
    assert!(listing.contains("<a href=\"/files/a%20%3Cb%3E.png\">a &lt;b&gt;.png</a><td>1000000"), "{listing}");

    assert_eq!(split(&server.ask(&put("a%20%3Cb%3E.png", b"new"))).0, 201);
    assert_eq!(split(&server.ask(&get("/files/a%20%3Cb%3E.png"))).2, b"new");
    assert_eq!(split(&server.ask(&get("/files/nope"))).0, 404);
    assert_eq!(names(directory.path()), ["a <b>.png"]);
}

#[test]
fn names_that_leave_the_directory_are_refused() {
    let outer = tempfile::tempdir().expect("there is room for a directory");
    let inner = outer.path().join("inner");
    fs::create_dir(&inner).expect("there is room for a directory");
    fs::write(outer.path().join("secret"), "secret").expect("there is room for a file");
    fs::create_dir(inner.join("directory")).expect("there is room for a directory");
    let server = serve(&inner);
    let long = "x".repeat(256);
    for name in [
        "../secret",
        "%2e%2e/secret",
        "..%2fsecret",
        "%2e%2e%2fsecret",
        "..",
        ".",
        "%2e",
        "",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "directory/../../secret",
        "..%5csecret",
        "a%00b",
        "%00",
        ".hidden",
        "%2ehidden",
        ".upload-1-0",
        "a%0ab",
        "%ff",
        "%zz",
        "directory/file",
        &long,
    ] {
        let (status, _, body) = split(&server.ask(&put(name, b"evil")));
        assert_eq!(status, 400, "PUT {name:?}: {}", String::from_utf8_lossy(&body));
        let (status, _, body) = split(&server.ask(&get(&format!("/files/{name}"))));
        assert_eq!(status, 400, "GET {name:?}: {}", String::from_utf8_lossy(&body));
    }
    assert_eq!(split(&server.ask(&get("/files/directory"))).0, 404);
    assert_eq!(names(outer.path()), ["inner", "secret"]);
    assert_eq!(names(&inner), ["directory"]);
    assert_eq!(fs::read(outer.path().join("secret")).expect("it is there"), b"secret");
}

#[test]
fn an_upload_that_is_broken_off_leaves_nothing() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let server = serve(directory.path());
    for linger in [None, Some(std::time::Duration::ZERO)] {
        let mut stream = server.connect();
        stream.write_all(b"PUT /files/half HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n").unwrap();
        stream.write_all(&[b'x'; 500_000]).expect("the server reads");
        eventually("the upload has begun", || !names(directory.path()).is_empty());
        assert!(names(directory.path()).iter().all(|name| name.starts_with(".upload-")), "no final name yet");
        // Once by a clean close, once by a reset.
        socket2::SockRef::from(&stream).set_linger(linger).expect("a socket option can be set");
        drop(stream);
        eventually("the temporary file is gone", || names(directory.path()).is_empty());
    }
}

/// A server that is stopped in the middle of an upload cleans up as well.
#[test]
fn an_upload_that_the_server_ends_leaves_nothing() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let mut server = serve(directory.path());
    let mut stream = server.connect();
    stream.write_all(b"PUT /files/half HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\nx").unwrap();
    eventually("the upload has begun", || !names(directory.path()).is_empty());
    assert!(server.stop("TERM").success());
    assert_eq!(names(directory.path()), Vec::<String>::new());
}

/// Requests that end while their file is being created: what nobody waits for any more goes away all the same.
#[test]
fn uploads_that_are_reset_at_once_leave_nothing() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let mut server = serve(directory.path());
    let temporary = || names(directory.path()).into_iter().filter(|name| name.starts_with(".upload-")).count();
    for _ in 0..600 {
        let mut stream = server.connect();
        // Nothing of a body is missing, so the server looks for what comes next while the file is created: the reset.
        stream
            .write_all(b"PUT /files/x HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n")
            .expect("the server reads");
        socket2::SockRef::from(&stream)
            .set_linger(Some(std::time::Duration::ZERO))
            .expect("a socket option can be set");
    }
    // They were accepted before this one.
    assert_eq!(split(&server.ask(&get("/"))).0, 200);
    eventually("the temporary files are gone", || temporary() == 0);
    assert!(server.stop("INT").success());
    assert_eq!(temporary(), 0);
}

/// What stands under a name and is no file is not there, and opening it holds nobody up.
#[test]
fn only_regular_files_are_given() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    fs::write(directory.path().join("file"), "text").expect("there is room for a file");
    std::os::unix::fs::symlink("/etc/passwd", directory.path().join("link")).expect("a link can be made");
    let _socket =
        std::os::unix::net::UnixListener::bind(directory.path().join("socket")).expect("a socket can be made");
    let made =
        std::process::Command::new("mkfifo").arg(directory.path().join("pipe")).status().expect("mkfifo is there");
    assert!(made.success());
    let server = serve(directory.path());
    for name in ["link", "socket", "pipe"] {
        assert_eq!(split(&server.ask(&get(&format!("/files/{name}")))).0, 404, "{name}");
    }
    assert_eq!(split(&server.ask(&get("/files/file"))).2, b"text");
}

/// Ctrl-C in the middle of an exchange: it comes to its end, and then the server does.
#[test]
fn requests_in_flight_are_finished_before_the_end() {
    let mut server = Server::start("web", &[]);
    let mut stream = server.connect();
    stream.write_all(b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\na").expect("the server reads");
    let mut answer = Vec::new();
    let mut buffer = [0; 1000];
    while !answer.ends_with(b"\r\n\r\na") {
        let count = stream.read(&mut buffer).expect("the answer begins");
        assert_ne!(count, 0);
        answer.extend_from_slice(&buffer[..count]);
    }
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| server.stop("INT"));
        eventually("the server does not listen any more", || {
            std::net::TcpStream::connect(address_of(&stream)).is_err()
        });
        stream.write_all(b"b").expect("the server reads");
        assert_eq!(stream.read(&mut buffer).expect("the answer goes on"), 1);
        assert_eq!(buffer[0], b'b');
        drop(stream);
        assert!(stopping.join().expect("the server stops").success());
    });
}

fn address_of(stream: &std::net::TcpStream) -> std::net::SocketAddr {
    stream.peer_addr().expect("the stream is connected")
}
