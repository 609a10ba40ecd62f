//! `mini_redis` over the network: framing, pipelining, back-pressure, many clients, and the way back to rest.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::support::{Server, eventually};

fn start() -> Server {
    Server::start("mini_redis", &[])
}

/// Reads exactly this answer.
fn expect(stream: &mut TcpStream, answer: &str) {
    let mut received = vec![0; answer.len()];
    stream.read_exact(&mut received).expect("an answer comes");
    assert_eq!(String::from_utf8_lossy(&received), answer);
}

#[test]
fn a_pipeline_is_answered_in_order_wherever_its_bytes_are_cut() {
    let server = start();
    let requests = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\nget k\r\n*1\r\n$4\r\nnope\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*2\r\n$3\r\nDEL\r\n$1\r\nn\r\n";
    let answers = "+OK\r\n$5\r\nvalue\r\n-ERR unknown command 'nope', with args beginning with: \r\n:1\r\n:1\r\n";
    let mut stream = server.connect();
    stream.set_nodelay(true).expect("a socket option can be set");
    for cut in 0..requests.len() {
        let (first, second) = requests.split_at(cut);
        stream.write_all(first).expect("the server reads");
        stream.write_all(second).expect("the server reads");
        expect(&mut stream, answers);
    }
    for byte in requests {
        stream.write_all(&[*byte]).expect("the server reads");
    }
    expect(&mut stream, answers);
}

#[test]
fn a_malformed_frame_is_answered_and_closes_and_nothing_after_it_runs() {
    let server = start();
    for (frame, answer) in [
        (&b"*1\r\nPING\r\n"[..], "-ERR Protocol error: expected '$', got 'P'\r\n"),
        (b"*x\r\n*1\r\n$8\r\nFLUSHALL\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
        (b"PING\r\n*1\r\n$-1\r\nset evil 1\r\n", "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n"),
        (&[b'x'; 70_000], "-ERR Protocol error: too big inline request\r\n"),
        (b"QUIT\r\nset evil 1\r\n", "+OK\r\n"),
        (b"POST / HTTP/1.1\r\nset evil 1\r\n", ""),
    ] {
        assert_eq!(String::from_utf8_lossy(&server.ask(frame)), answer);
    }
    assert_eq!(server.ask(b"exists evil\r\nquit\r\n"), b":0\r\n+OK\r\n");
}

/// A client that asks for much and reads nothing is not served beyond what fits; when it reads, it gets it all.
#[test]
fn a_client_that_does_not_read_is_held_back() {
    let server = start();
    let mut stream = server.connect();
    let value = "v".repeat(1_000_000);
    stream.write_all(format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$1000000\r\n{value}\r\n").as_bytes()).expect("it reads");
    expect(&mut stream, "+OK\r\n");
    stream.write_all("get big\r\n".repeat(500).as_bytes()).expect("it reads");

    // Others are served meanwhile, and the server holds far less than the 500 MB it was asked for.
    assert_eq!(server.ask(b"ping\r\nquit\r\n"), b"+PONG\r\n+OK\r\n");
    #[cfg(target_os = "linux")]
    assert!(server.resident() < 64 << 20, "{} bytes are resident", server.resident());

    let answer = format!("$1000000\r\n{value}\r\n");
    for _ in 0..500 {
        expect(&mut stream, &answer);
    }
}

#[test]
fn many_clients_count_together_and_leave_nothing_behind() {
    let server = start();
    let mut observer = server.connect();
    observer.write_all(b"ping\r\n").expect("the server reads");
    expect(&mut observer, "+PONG\r\n");
    #[cfg(target_os = "linux")]
    let baseline = server.descriptors();

    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let mut stream = server.connect();
                for _ in 0..50 {
                    stream.write_all("incr n\r\nincrby m 2\r\n".repeat(10).as_bytes()).expect("the server reads");
                    let mut answers = 0;
                    let mut buffer = [0; 4096];
                    while answers < 20 {
                        let count = stream.read(&mut buffer).expect("answers come");
                        assert_ne!(count, 0);
                        answers += buffer[..count].iter().filter(|byte| **byte == b'\n').count();
                    }
                }
            });
        }
    });
    observer.write_all(b"mget n m\r\n").expect("the server reads");
    expect(&mut observer, "*2\r\n$5\r\n16000\r\n$5\r\n32000\r\n");

    eventually("only the observer is connected", || {
        observer.write_all(b"info clients\r\n").expect("the server reads");
        let mut buffer = [0; 4096];
        let count = observer.read(&mut buffer).expect("an answer comes");
        String::from_utf8_lossy(&buffer[..count]).contains("connected_clients:1\r\n")
    });
    #[cfg(target_os = "linux")]
    eventually("the descriptors are at their baseline", || server.descriptors() == baseline);
}

/// Without anybody asking for the key: the sweeper removes it.
#[test]
fn keys_expire_by_themselves() {
    let server = start();
    let mut stream = server.connect();
    stream.write_all(b"set a 1 px 30\r\nset b 1 px 150\r\nset c 1\r\n").expect("the server reads");
    expect(&mut stream, "+OK\r\n+OK\r\n+OK\r\n");
    eventually("the expired keys are gone", || {
        stream.write_all(b"dbsize\r\n").expect("the server reads");
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).expect("an answer comes");
        &answer == b":1\r\n"
    });
}

/// Clients break off in the middle of a request with a reset, as crashed programs do.
#[test]
fn connections_that_are_reset_in_mid_request_cost_nothing() {
    let server = start();
    let mut observer = server.connect();
    observer.write_all(b"ping\r\n").expect("the server reads");
    expect(&mut observer, "+PONG\r\n");
    #[cfg(target_os = "linux")]
    let baseline = server.descriptors();
    for _ in 0..200 {
        let mut stream = server.connect();
        stream.write_all(b"*2\r\n$4\r\nECHO\r\n$100\r\nhalf").expect("the server reads");
        let socket = socket2::SockRef::from(&stream);
        socket.set_linger(Some(Duration::ZERO)).expect("a socket option can be set");
    }
    #[cfg(target_os = "linux")]
    eventually("the descriptors are at their baseline", || server.descriptors() == baseline);
    observer.write_all(b"ping\r\n").expect("the server reads");
    expect(&mut observer, "+PONG\r\n");
}
