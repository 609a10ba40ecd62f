//! Every example as a program: its help, its errors, its end.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::thread;

use crate::support::{Server, output};

const SERVERS: [&str; 8] = ["echo", "proxy", "tinydb", "chat", "raw_http", "web", "files", "mini_redis"];
const OTHERS: [&str; 3] = ["hello", "channel", "sleep_sort"];

#[test]
fn help_is_printed_and_mistakes_are_refused() {
    for name in SERVERS.into_iter().chain(OTHERS) {
        let help = output(name, &["--help"]);
        assert!(help.status.success());
        assert!(String::from_utf8_lossy(&help.stdout).contains(&format!("Usage: {name}")), "{name}");

        let mistake = output(name, &["--nonsense"]);
        assert_eq!(mistake.status.code(), Some(2), "{name}");
        assert_eq!(String::from_utf8_lossy(&mistake.stderr).lines().next(), Some("error: invalid option '--nonsense'"));
        assert!(mistake.stdout.is_empty());
    }
    for name in SERVERS {
        for mistake in [&["--addr"][..], &["--addr", "nowhere"], &["--workers", "0"], &["--workers", "x"], &["extra"]] {
            let output = output(name, mistake);
            assert_eq!(output.status.code(), Some(2), "{name} {mistake:?}");
            assert!(output.stderr.starts_with(b"error: "), "{name} {mistake:?}");
        }
    }
    assert_eq!(output("sleep_sort", &["1", "x"]).status.code(), Some(2));
}

#[test]
fn an_address_in_use_is_an_error_that_says_so() {
    let first = Server::start("echo", &[]);
    let second = output("echo", &["--addr", &first.address.to_string()]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains(&first.address.to_string()) && said.contains("in use"), "{said}");
}

#[test]
fn servers_stop_on_either_signal_with_clients_connected() {
    // All at once: `web` and `files` give the request that has begun its time.
    thread::scope(|scope| {
        for (name, signal) in SERVERS.into_iter().flat_map(|name| [(name, "INT"), (name, "TERM")]) {
            scope.spawn(move || {
                let directory = tempfile::tempdir().expect("there is room for a directory");
                let path = directory.path().to_str().expect("the path is text");
                let arguments = if name == "files" { vec!["--dir", path] } else { vec![] };
                let mut server = Server::start(name, &arguments);
                let _idle = server.connect();
                let mut busy = server.connect();
                busy.write_all(b"P").expect("the server reads");
                let status = server.stop(signal);
                assert!(status.success(), "{name} after SIG{signal}: {status}");
            });
        }
    });
}

#[test]
fn the_small_ones_do_what_they_say() {
    let said = |name, arguments| String::from_utf8_lossy(&output(name, arguments).stdout).into_owned();
    assert_eq!(said("hello", &[]), "Hello from a task!\n");
    assert_eq!(said("sleep_sort", &["400", "0", "600", "200"]), "0\n200\n400\n600\n");
    assert!(said("channel", &[]).ends_with("their sum is 79999800000, expected 79999800000\n"));
}

#[test]
fn echo_sends_back_what_it_gets_after_the_client_has_finished_too() {
    let server = Server::start("echo", &[]);
    let text: Vec<u8> = (0..300_000_u32).map(|number| number as u8).collect();
    let mut stream = server.connect();
    let mut writer = stream.try_clone().expect("a socket can be cloned");
    let sent = text.clone();
    let sending = thread::spawn(move || {
        writer.write_all(&sent).expect("the server reads");
        writer.shutdown(Shutdown::Write).expect("the connection is open");
    });
    let mut received = Vec::new();
    stream.read_to_end(&mut received).expect("the server answers and closes");
    sending.join().expect("everything was sent");
    assert!(received == text);
}
