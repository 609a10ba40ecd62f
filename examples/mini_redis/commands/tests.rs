//! Every command against the answers of Redis 7.0.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::mini_redis::resp::{Parser, Reply, Status};
use crate::mini_redis::store::Store;

use super::{Context, Session, Shared, execute};

struct Client {
    shared: Arc<Shared>,
    session: Session,
    now: u64,
}

impl Client {
    fn new() -> Self {
        let store = Store::new(|| {});
        Self::of(Arc::new(Shared::new(store, ([127, 0, 0, 1], 6379).into(), String::new)))
    }

    fn of(shared: Arc<Shared>) -> Self {
        Client { shared, session: Session::new(1, ([127, 0, 0, 1], 50_000).into()), now: 1_700_000_000_000 }
    }

    /// Sends an inline request; shows the answer with `|` for CRLF.
    fn ask(&mut self, request: &str) -> String {
        let (mut parser, line) = (Parser::new(), format!("{request}\n"));
        assert_eq!(parser.parse(line.as_bytes()), Ok(Status::Complete(line.len())));
        let mut out = Vec::new();
        let mut cx =
            Context { shared: &self.shared, session: &mut self.session, out: Reply::new(&mut out), now: self.now };
        execute(&mut cx, parser.args(line.as_bytes()));
        String::from_utf8_lossy(&out).replace("\r\n", "|")
    }

    fn check(&mut self, table: &[(&str, &str)]) {
        for (request, answer) in table {
            assert_eq!(self.ask(request), *answer, "{request}");
        }
    }
}

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value|";
const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range|";
const NOT_POSITIVE: &str = "-ERR value is out of range, must be positive|";
const SYNTAX: &str = "-ERR syntax error|";

#[test]
fn unknown_commands_and_wrong_arities() {
    let long = "x".repeat(200);
    Client::new().check(&[
        ("foo bar", "-ERR unknown command 'foo', with args beginning with: 'bar' |"),
        ("FOO", "-ERR unknown command 'FOO', with args beginning with: |"),
        ("foo 'a b' c d", "-ERR unknown command 'foo', with args beginning with: 'a b' 'c' 'd' |"),
        ("foo \"a\\r\\nb\"", "-ERR unknown command 'foo', with args beginning with: 'a  b' |"),
        (
            &format!("{long} {long}"),
            &format!("-ERR unknown command '{0}', with args beginning with: '{0}' |", &long[..128]),
        ),
        ("get", "-ERR wrong number of arguments for 'get' command|"),
        ("GET a b", "-ERR wrong number of arguments for 'get' command|"),
        ("ping a b", "-ERR wrong number of arguments for 'ping' command|"),
        ("mset a 1 b", "-ERR wrong number of arguments for 'mset' command|"),
        ("hset h a 1 b", "-ERR wrong number of arguments for 'hset' command|"),
        ("config get", "-ERR wrong number of arguments for 'config|get' command|"),
        ("config foo", "-ERR unknown subcommand 'foo'. Try CONFIG HELP.|"),
        ("client foo", "-ERR unknown subcommand 'foo'. Try CLIENT HELP.|"),
        ("client id x", "-ERR wrong number of arguments for 'client|id' command|"),
        ("rpop l 1 1", "-ERR wrong number of arguments for 'rpop' command|"),
        ("", ""),
    ]);
}

#[test]
fn strings() {
    Client::new().check(&[
        ("set a 1 ex", SYNTAX),
        ("set a 1 nx xx", SYNTAX),
        ("set a 1 ex 1 px 1", SYNTAX),
        ("set a 1 keepttl ex 5", SYNTAX),
        ("set a 1 ex 0", "-ERR invalid expire time in 'set' command|"),
        ("set a 1 px -1", "-ERR invalid expire time in 'set' command|"),
        ("set a 1 ex 9223372036854775807", "-ERR invalid expire time in 'set' command|"),
        ("set a 1 px 99999999999999999999", NOT_AN_INTEGER),
        ("get a", "$-1|"),
        ("set a 1", "+OK|"),
        ("set a 2 nx", "$-1|"),
        ("set a 2 XX", "+OK|"),
        ("set a 3 get", "$1|2|"),
        ("set zz 3 nx get", "$-1|"),
        ("set zz 4 nx get", "$1|3|"),
        ("get zz", "$1|3|"),
        ("incr a", ":4|"),
        ("decr a", ":3|"),
        ("incrby a x", NOT_AN_INTEGER),
        ("incrby a 9223372036854775807", "-ERR increment or decrement would overflow|"),
        ("decrby a -9223372036854775808", "-ERR decrement would overflow|"),
        ("decrby a 10", ":-7|"),
        ("set s abc", "+OK|"),
        ("incr s", NOT_AN_INTEGER),
        ("set s 007", "+OK|"),
        ("incr s", NOT_AN_INTEGER),
        ("get s", "$3|007|"),
        ("mset a 1 b 2 a 3", "+OK|"),
        ("mget a b nope", "*3|$1|3|$1|2|$-1|"),
        ("lpush l x", ":1|"),
        ("get l", WRONG_TYPE),
        ("incr l", WRONG_TYPE),
        ("set l 1 get", WRONG_TYPE),
        ("mget l a", "*2|$-1|$1|3|"),
        ("exists a b a nope", ":3|"),
        ("del a b nope a", ":2|"),
        ("set l 1", "+OK|"),
        ("type l", "+string|"),
    ]);
}

#[test]
fn lists() {
    Client::new().check(&[
        ("lpush l 1 2 3", ":3|"),
        ("rpush l 4", ":4|"),
        ("lrange l 0 -1", "*4|$1|3|$1|2|$1|1|$1|4|"),
        ("lrange l -2 -1", "*2|$1|1|$1|4|"),
        ("lrange l -100 100", "*4|$1|3|$1|2|$1|1|$1|4|"),
        ("lrange l 5 1", "*0|"),
        ("lrange l x 1", NOT_AN_INTEGER),
        ("lrange nope 0 -1", "*0|"),
        ("lpop l 0", "*0|"),
        ("lpop nope 0", "*-1|"),
        ("lpop l -1", NOT_POSITIVE),
        ("lpop l x", NOT_POSITIVE),
        ("lpop l 2", "*2|$1|3|$1|2|"),
        ("lpop nope", "$-1|"),
        ("rpop l", "$1|4|"),
        ("llen l", ":1|"),
        ("lpop l 10", "*1|$1|1|"),
        ("exists l", ":0|"),
        ("set s x", "+OK|"),
        ("rpush s a", WRONG_TYPE),
        ("llen s", WRONG_TYPE),
    ]);
}

#[test]
fn sets_and_hashes() {
    Client::new().check(&[
        ("sadd s a b a", ":2|"),
        ("sadd s b c", ":1|"),
        ("sismember s a", ":1|"),
        ("spop s 0", "*0|"),
        ("spop s -1", NOT_POSITIVE),
        ("spop nope", "$-1|"),
        ("spop nope 2", "*0|"),
        ("srem s a b x", ":2|"),
        ("smembers s", "*1|$1|c|"),
        ("spop s", "$1|c|"),
        ("exists s", ":0|"),
        ("smembers s", "*0|"),
        ("hset h a 1 b 2", ":2|"),
        ("hset h a 2 c 3", ":1|"),
        ("hget h a", "$1|2|"),
        ("hget h x", "$-1|"),
        ("hgetall h", "*6|$1|a|$1|2|$1|b|$1|2|$1|c|$1|3|"),
        ("hlen h", ":3|"),
        ("sadd h x", WRONG_TYPE),
        ("hdel h a b c d", ":3|"),
        ("type h", "+none|"),
    ]);
}

#[test]
fn sorted_sets() {
    Client::new().check(&[
        ("zadd z x a", "-ERR value is not a valid float|"),
        ("zadd z 1 a nan b", "-ERR value is not a valid float|"),
        ("exists z", ":0|"),
        ("zadd z 1 a 2", SYNTAX),
        ("zadd z nx xx 1 a", "-ERR XX and NX options at the same time are not compatible|"),
        ("zadd z gt lt 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible|"),
        ("zadd z incr 1 a 2 b", "-ERR INCR option supports a single increment-element pair|"),
        ("zadd z xx 1 a", ":0|"),
        ("exists z", ":0|"),
        ("zadd z 3 c 1 a 2 b", ":3|"),
        ("zrange z 0 -1", "*3|$1|a|$1|b|$1|c|"),
        ("zrange z 0 1 rev withscores", "*4|$1|c|$1|3|$1|b|$1|2|"),
        ("zadd z ch 1.5 a 4 d", ":2|"),
        ("zadd z gt 1 a", ":0|"),
        ("zscore z a", "$3|1.5|"),
        ("zadd z incr 5 a", "$3|6.5|"),
        ("zadd z nx incr 5 a", "$-1|"),
        ("zadd z inf i", ":1|"),
        ("zadd z incr -inf i", "-ERR resulting score is not a number (NaN)|"),
        ("zcard z", ":5|"),
        ("zpopmin z", "*2|$1|b|$1|2|"),
        ("zpopmin z -1", NOT_POSITIVE),
        ("zpopmin z 2", "*4|$1|c|$1|3|$1|d|$1|4|"),
        ("zrem z a i x", ":2|"),
        ("exists z", ":0|"),
        ("zpopmin z", "*0|"),
    ]);
}

#[test]
fn keys_expire_at_their_millisecond_and_not_before() {
    let mut client = Client::new();
    client.check(&[
        ("expire nope 10", ":0|"),
        ("set a 1 ex 10", "+OK|"),
        ("ttl a", ":10|"),
        ("pttl a", ":10000|"),
        ("expire a 10 foo", "-ERR Unsupported option foo|"),
        ("expire a 10 nx xx", "-ERR NX and XX, GT or LT options at the same time are not compatible|"),
        ("expire a 10 gt lt", "-ERR GT and LT options at the same time are not compatible|"),
        ("expire a 9223372036854775807", "-ERR invalid expire time in 'expire' command|"),
        ("expire a 10 nx", ":0|"),
        ("expire a 5 gt", ":0|"),
        ("expire a 5 lt", ":1|"),
        ("set a 2 keepttl", "+OK|"),
        ("ttl a", ":5|"),
        ("incr a", ":3|"),
        ("ttl nope", ":-2|"),
        ("set b 1", "+OK|"),
        ("ttl b", ":-1|"),
        ("pexpire b 7000", ":1|"),
        ("persist b", ":1|"),
        ("persist b", ":0|"),
        ("expire b -1", ":1|"),
        ("exists b", ":0|"),
    ]);
    client.now += 4_999;
    client.check(&[("get a", "$1|3|"), ("pttl a", ":1|")]);
    client.now += 1;
    client.check(&[("get a", "$-1|"), ("ttl a", ":-2|"), ("dbsize", ":0|"), ("incr a", ":1|"), ("ttl a", ":-1|")]);
}

/// K4: the sweeper hears of the first deadline, removes what is due, and says when to come again.
#[test]
fn the_sweep_removes_what_nobody_asks_for() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let store = Store::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let mut client = Client::of(Arc::new(Shared::new(store, ([127, 0, 0, 1], 6379).into(), String::new)));
    client.check(&[("set a 1", "+OK|"), ("select 3", "+OK|"), ("set b 1 px 50", "+OK|"), ("set c 1 px 70", "+OK|")]);
    assert!(calls.load(Ordering::Relaxed) >= 1);
    let store = &client.shared.store;
    assert_eq!(store.sweep(client.now), Some(client.now + 50));
    assert_eq!(store.sweep(client.now + 50), Some(client.now + 70));
    assert_eq!(store.databases().map(|(_, database)| database.len()).sum::<usize>(), 2);
    assert_eq!(store.sweep(client.now + 70), None);
    assert_eq!(store.databases().map(|(_, database)| database.len()).sum::<usize>(), 1);
}

#[test]
fn databases_and_the_server() {
    let mut client = Client::new();
    client.check(&[
        ("select x", NOT_AN_INTEGER),
        ("select 16", "-ERR DB index is out of range|"),
        ("select -1", "-ERR DB index is out of range|"),
        ("set a 1", "+OK|"),
        ("select 1", "+OK|"),
        ("get a", "$-1|"),
        ("dbsize", ":0|"),
        ("mset hello 1 hallo 2 world 3", "+OK|"),
        ("dbsize", ":3|"),
        ("keys w*", "*1|$5|world|"),
        ("flushdb foo", SYNTAX),
        ("flushdb", "+OK|"),
        ("select 0", "+OK|"),
        ("dbsize", ":1|"),
        ("flushall async", "+OK|"),
        ("dbsize", ":0|"),
        ("config get save appendonly", "*4|$4|save|$0||$10|appendonly|$2|no|"),
        ("config get nope", "*0|"),
        ("client getname", "$-1|"),
        ("client setname ab", "+OK|"),
        ("client getname", "$2|ab|"),
        ("client id", ":1|"),
        ("command count", ":53|"),
        ("command docs nope", "*0|"),
        ("command info nope", "*1|$-1|"),
        ("ping hello", "$5|hello|"),
        ("ping", "+PONG|"),
        ("echo ''", "$0||"),
        ("info nope", "$0||"),
    ]);
    assert!(client.ask("info").contains("# Keyspace"));
    assert!(client.ask("COMMAND INFO get").starts_with("*1|*10|$3|get|:2|*2|+readonly|+fast|:1|:1|:1|"));
    assert_eq!(client.ask("quit"), "+OK|");
    assert!(client.session.closing);
}

/// Two clients set the same keys together, a third reads them together: it never sees a mixture.
#[test]
fn commands_with_many_keys_are_atomic() {
    let shared = Client::new().shared;
    let names: Vec<String> = (0..20).map(|number| format!("key:{number}")).collect();
    std::thread::scope(|scope| {
        for value in ["1", "2"] {
            let pairs: String = names.iter().map(|name| format!(" {name} {value}")).collect();
            let mut client = Client::of(shared.clone());
            scope.spawn(move || {
                for _ in 0..500 {
                    assert_eq!(client.ask(&format!("mset{pairs}")), "+OK|");
                }
            });
        }
        let mut client = Client::of(shared.clone());
        // The last name first: locks are taken in an order of their own.
        let keys: String = names.iter().rev().map(|name| format!(" {name}")).collect();
        scope.spawn(move || {
            for _ in 0..500 {
                let answer = client.ask(&format!("mget{keys}"));
                let same = ["$-1|", "$1|1|", "$1|2|"].map(|one| format!("*20|{}", one.repeat(20)));
                assert!(same.contains(&answer), "{answer}");
            }
        });
    });
}

/// A request of a few bytes can't make an answer of gigabytes.
#[test]
fn an_answer_has_a_longest_length() {
    let mut client = Client::new();
    let value = "x".repeat(60_000);
    client.check(&[(&format!("set long {value}"), "+OK|")]);
    let keys = " long".repeat(1_100);
    assert!(client.ask(&format!("mget{keys}")).starts_with("*1100|$60000|"));
    let keys = " long".repeat(1_200);
    assert_eq!(client.ask(&format!("mget{keys}")), "-ERR the answer is too long|");
}
