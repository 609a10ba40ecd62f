//! `proxy`, `tinydb` and `chat` over the network: half-closes, resets, many clients, slow ones, and the way back to rest.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::support::{Server, WATCHDOG, eventually};

fn noise(bytes: u32) -> Vec<u8> {
    (0..bytes).map(|number| (number ^ number >> 8) as u8).collect()
}

/// Writes `text` and the end of the stream while it reads to the end.
fn exchange(mut stream: TcpStream, text: &[u8]) -> Vec<u8> {
    let mut writer = stream.try_clone().expect("a socket can be cloned");
    let mut received = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || {
            writer.write_all(text).expect("the server reads");
            writer.shutdown(Shutdown::Write).expect("the connection is open");
        });
        stream.read_to_end(&mut received).expect("the server answers and closes");
    });
    received
}

/// A proxy to a listener that the test accepts from.
fn proxy() -> (Server, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let to = listener.local_addr().expect("a listener has an address").to_string();
    (Server::start("proxy", &["--to", &to]), listener)
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().expect("the proxy connects");
    stream.set_read_timeout(Some(WATCHDOG)).expect("a time-out can be set");
    stream
}

#[test]
fn a_proxy_carries_all_bytes_of_many_clients_and_each_end() {
    let echo = Server::start("echo", &[]);
    let proxy = Server::start("proxy", &["--to", &echo.address.to_string()]);
    let text = noise(200_000);
    thread::scope(|scope| {
        for client in 0..40 {
            let (proxy, text) = (&proxy, &text[client..]);
            scope.spawn(move || assert!(exchange(proxy.connect(), text) == text));
        }
    });
}

/// The end of one direction does not end the other, whichever comes first.
#[test]
fn a_proxy_passes_a_half_close_on() {
    let (proxy, listener) = proxy();
    for client_first in [true, false] {
        let client = proxy.connect();
        let server = accept(&listener);
        let (mut first, mut second) = if client_first { (client, server) } else { (server, client) };
        let mut text = String::new();
        first.write_all(b"question").expect("the connection is open");
        first.shutdown(Shutdown::Write).expect("the connection is open");
        second.read_to_string(&mut text).expect("the end is passed on");
        second.write_all(b", answer").expect("the other direction is open");
        drop(second);
        first.read_to_string(&mut text).expect("the end is passed on");
        assert_eq!(text, "question, answer");
    }
}

#[test]
fn a_proxy_closes_what_has_nobody_behind_and_goes_on() {
    let (proxy, listener) = proxy();
    let to = listener.local_addr().expect("a listener has an address");
    drop(listener);
    let mut nothing = Vec::new();
    // The end or a reset: the point is that the client is told.
    let _ = proxy.connect().read_to_end(&mut nothing);
    assert!(nothing.is_empty());

    let listener = TcpListener::bind(to).expect("the port is free again");
    let client = proxy.connect();
    drop(accept(&listener));
    assert!(exchange(client, b"").is_empty());
}

/// A client that resets, with bytes under way in both directions, ends the other connection, and leaves nothing.
#[test]
fn a_proxy_ends_both_connections_when_one_is_reset() {
    let (proxy, listener) = proxy();
    #[cfg(target_os = "linux")]
    let before = proxy.descriptors();
    for _ in 0..20 {
        let client = proxy.connect();
        let mut server = accept(&listener);
        server.set_write_timeout(Some(Duration::from_millis(20))).expect("a time-out can be set");
        while server.write(&[7; 65_536]).is_ok() {}
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("a socket option can be set");
        drop(client);
        let _ = server.read_to_end(&mut Vec::new());
    }
    #[cfg(target_os = "linux")]
    eventually("all descriptors closed", || proxy.descriptors() == before);
}

#[test]
fn a_database_answers_in_order_wherever_the_requests_are_cut() {
    let server = Server::start("tinydb", &[]);
    // The last request has no end of line, only the end of the stream.
    let requests = "SET a one\r\nGET a\nSET a two words\nGET b\nDEL a\nDEL a\nSET a\nGET\nget a\n\nGET a b";
    let answers = "a = one\na = one\na = two words, was one\nerror: b has no value\na was two words\nerror: a has no value\n\
        error: SET needs a value after the name\nerror: GET needs a name\n\
        error: there is no command \"get\": there are GET, SET and DEL\n\
        error: there is no command \"\": there are GET, SET and DEL\nerror: GET takes one name and nothing more\n";
    for cut in 0..requests.len() {
        let mut stream = server.connect();
        stream.set_nodelay(true).expect("a socket option can be set");
        stream.write_all(&requests.as_bytes()[..cut]).expect("the server reads");
        let received = exchange(stream, &requests.as_bytes()[cut..]);
        assert_eq!(String::from_utf8_lossy(&received), answers);
    }
}

#[test]
fn a_database_is_shared_by_many_clients() {
    let server = Server::start("tinydb", &[]);
    thread::scope(|scope| {
        for client in 0..30 {
            let server = &server;
            scope.spawn(move || {
                for round in 0..20 {
                    let request = format!("SET key{client} {round}\n");
                    exchange(server.connect(), request.as_bytes());
                }
            });
        }
    });
    for client in 0..30 {
        let received = exchange(server.connect(), format!("GET key{client}").as_bytes());
        assert_eq!(String::from_utf8_lossy(&received), format!("key{client} = 19\n"));
    }
}

#[test]
fn a_database_closes_on_what_is_no_line_of_text_and_serves_the_others() {
    let server = Server::start("tinydb", &[]);
    let other = server.connect();
    for nonsense in [vec![b'x'; 100_000], b"GET \xff\n".to_vec()] {
        let mut stream = server.connect();
        // It may close before it has read all of it.
        let _ = stream.write_all(&nonsense);
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received);
        assert!(received.is_empty());
    }
    assert_eq!(exchange(other, b"SET a 1\n"), b"a = 1\n");
}

/// A member of a chat room.
struct Member {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Member {
    fn new(room: &Server, name: &str) -> Self {
        let stream = room.connect();
        let lines = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
        let mut member = Self { stream, lines };
        assert_eq!(member.hears(), "What is your name?");
        member.says(name);
        member
    }

    fn says(&mut self, line: &str) {
        self.stream.write_all(format!("{line}\n").as_bytes()).expect("the room reads");
    }

    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("the room speaks");
        line.trim_end().to_owned()
    }
}

#[test]
fn a_room_passes_lines_to_all_others() {
    let room = Server::start("chat", &[]);
    let mut ada = Member::new(&room, "ada");
    let mut bob = Member::new(&room, "bob");
    assert_eq!(ada.hears(), "* bob has come");
    ada.says("hello");
    assert_eq!(bob.hears(), "ada: hello");

    let mut other = Member::new(&room, "ada");
    assert_eq!(other.hears(), "* Come back with another name.");
    assert_eq!(other.hears(), "");

    // Who has said the last word still hears what was said before it left.
    bob.says("bye");
    bob.stream.shutdown(Shutdown::Write).expect("the connection is open");
    assert_eq!(ada.hears(), "bob: bye");
    assert_eq!(ada.hears(), "* bob has left");
    assert_eq!(bob.hears(), "");
    let _bob = Member::new(&room, "bob");
    assert_eq!(ada.hears(), "* bob has come");
}

/// Everybody speaks at once: each hears all others, each of them in its order.
#[test]
fn a_room_keeps_every_speaker_in_order() {
    const MEMBERS: usize = 12;
    const LINES: usize = 100;
    let room = Server::start("chat", &[]);
    let mut members: Vec<Member> = Vec::new();
    for number in 0..MEMBERS {
        let member = Member::new(&room, &number.to_string());
        for earlier in &mut members {
            assert_eq!(earlier.hears(), format!("* {number} has come"));
        }
        members.push(member);
    }
    thread::scope(|scope| {
        for (own, member) in members.iter_mut().enumerate() {
            let mut writer = member.stream.try_clone().expect("a socket can be cloned");
            scope.spawn(move || {
                let text: String = (0..LINES).map(|line| format!("{line}\n")).collect();
                writer.write_all(text.as_bytes()).expect("the room reads");
            });
            scope.spawn(move || {
                let mut heard = [0; MEMBERS];
                for _ in 0..(MEMBERS - 1) * LINES {
                    let line = member.hears();
                    let (name, line) = line.split_once(": ").expect("nobody leaves");
                    let name: usize = name.parse().expect("names are numbers");
                    assert_eq!(line.parse(), Ok(heard[name]));
                    heard[name] += 1;
                }
                assert_eq!(heard[own], 0);
            });
        }
    });
}

/// One who does not read is put out; the one who speaks waits for it so long and no longer, and nothing gets lost for the others.
#[test]
fn a_room_puts_out_who_does_not_read() {
    let room = Server::start("chat", &[]);
    let mut listener = Member::new(&room, "listener");
    let deaf = Member::new(&room, "deaf");
    assert_eq!(listener.hears(), "* deaf has come");
    let mut speaker = Member::new(&room, "speaker");
    assert_eq!(listener.hears(), "* speaker has come");
    let speaking = thread::spawn(move || {
        let line = "x".repeat(1000);
        for _ in 0..20_000 {
            speaker.says(&line);
        }
        speaker
    });
    let mut lines = 0;
    let mut deaf_has_left = false;
    while lines < 20_000 {
        match listener.hears().as_str() {
            "* deaf has left" => deaf_has_left = true,
            line => {
                assert!(line.starts_with("speaker: xxx"), "{line}");
                lines += 1;
            }
        }
    }
    assert!(deaf_has_left);
    drop((speaking.join().expect("everything was said"), deaf));
}
