//! The table of commands.

use crate::mini_redis::resp::Args;

use super::{Context, Outcome, connection, expiry, hashes, keys, lists, server, sets, sorted_sets, strings};

/// One command.
#[derive(Debug)]
pub(crate) struct Command {
    /// In lower case.
    pub(crate) name: &'static str,
    /// How many arguments, the name included; a negative number is the least.
    pub(crate) arity: i8,
    pub(crate) flags: &'static [&'static str],
    pub(crate) keys: Keys,
    pub(crate) group: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) run: fn(&mut Context<'_>, Args<'_>) -> Outcome,
}

/// Which arguments are keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    pub(crate) first: i8,
    /// Negative: counted from the end.
    pub(crate) last: i8,
    pub(crate) step: i8,
}

const NONE: Keys = Keys { first: 0, last: 0, step: 0 };
const ONE: Keys = Keys { first: 1, last: 1, step: 1 };
const ALL: Keys = Keys { first: 1, last: -1, step: 1 };
const PAIRS: Keys = Keys { first: 1, last: -1, step: 2 };

const READ: &[&str] = &["readonly", "fast"];
const SCAN: &[&str] = &["readonly"];
const WRITE: &[&str] = &["write", "denyoom", "fast"];
const REMOVE: &[&str] = &["write", "fast"];
const ADMIN: &[&str] = &["loading", "stale", "fast"];

impl Command {
    /// Tells whether the command takes this many arguments, its name included.
    pub(crate) fn accepts(&self, arguments: usize) -> bool {
        let wanted = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { arguments >= wanted } else { arguments == wanted }
    }
}

/// All commands, in order of name.
pub(crate) fn all() -> &'static [Command] {
    &COMMANDS
}

/// Finds the command with this name, in capitals or not.
pub(crate) fn find(name: &[u8]) -> Option<&'static Command> {
    let mut lower = [0; LONGEST];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    let found = COMMANDS.binary_search_by(|command| command.name.as_bytes().cmp(lower)).ok()?;
    Some(&COMMANDS[found])
}

const LONGEST: usize = 16;

type Run = fn(&mut Context<'_>, Args<'_>) -> Outcome;

const fn row(
    name: &'static str,
    arity: i8,
    flags: &'static [&'static str],
    keys: Keys,
    group: &'static str,
    run: Run,
    summary: &'static str,
) -> Command {
    Command { name, arity, flags, keys, group, summary, run }
}

#[rustfmt::skip]
static COMMANDS: [Command; 53] = [
    row("client", -2, ADMIN, NONE, "connection", connection::client, "Tells or sets what the server knows of this client."),
    row("command", -1, ADMIN, NONE, "server", server::command, "Describes the commands."),
    row("config", -2, ADMIN, NONE, "server", server::config, "Tells the settings that match a pattern."),
    row("dbsize", 1, READ, NONE, "server", keys::dbsize, "Counts the keys."),
    row("decr", 2, WRITE, ONE, "string", strings::decr, "Takes one from a number."),
    row("decrby", 3, WRITE, ONE, "string", strings::decrby, "Takes an amount from a number."),
    row("del", -2, REMOVE, ALL, "generic", keys::del, "Removes keys and counts those that were there."),
    row("echo", 2, ADMIN, NONE, "connection", connection::echo, "Answers with its argument."),
    row("exists", -2, READ, ALL, "generic", keys::exists, "Counts the keys that are there."),
    row("expire", -3, REMOVE, ONE, "generic", expiry::expire, "Lets a key expire in so many seconds."),
    row("expireat", -3, REMOVE, ONE, "generic", expiry::expireat, "Lets a key expire at a second of Unix time."),
    row("flushall", -1, REMOVE, NONE, "server", keys::flushall, "Removes every key of every database."),
    row("flushdb", -1, REMOVE, NONE, "server", keys::flushdb, "Removes every key of this database."),
    row("get", 2, READ, ONE, "string", strings::get, "Answers with a string."),
    row("hdel", -3, REMOVE, ONE, "hash", hashes::hdel, "Removes fields of a hash."),
    row("hget", 3, READ, ONE, "hash", hashes::hget, "Answers with one field of a hash."),
    row("hgetall", 2, SCAN, ONE, "hash", hashes::hgetall, "Answers with all fields of a hash and their values."),
    row("hlen", 2, READ, ONE, "hash", hashes::hlen, "Counts the fields of a hash."),
    row("hset", -4, WRITE, ONE, "hash", hashes::hset, "Sets fields of a hash."),
    row("incr", 2, WRITE, ONE, "string", strings::incr, "Adds one to a number."),
    row("incrby", 3, WRITE, ONE, "string", strings::incrby, "Adds an amount to a number."),
    row("info", -1, ADMIN, NONE, "server", server::info, "Tells how the server is doing."),
    row("keys", 2, SCAN, NONE, "generic", keys::keys, "Lists the keys that match a pattern."),
    row("llen", 2, READ, ONE, "list", lists::llen, "Counts the items of a list."),
    row("lpop", -2, REMOVE, ONE, "list", lists::lpop, "Takes items from the front of a list."),
    row("lpush", -3, WRITE, ONE, "list", lists::lpush, "Puts items at the front of a list."),
    row("lrange", 4, SCAN, ONE, "list", lists::lrange, "Answers with the items between two positions."),
    row("mget", -2, READ, ALL, "string", strings::mget, "Answers with several strings of one moment."),
    row("mset", -3, WRITE, PAIRS, "string", strings::mset, "Sets several strings at one moment."),
    row("persist", 2, REMOVE, ONE, "generic", expiry::persist, "Lets a key stay for ever."),
    row("pexpire", -3, REMOVE, ONE, "generic", expiry::pexpire, "Lets a key expire in so many milliseconds."),
    row("pexpireat", -3, REMOVE, ONE, "generic", expiry::pexpireat, "Lets a key expire at a millisecond of Unix time."),
    row("ping", -1, ADMIN, NONE, "connection", connection::ping, "Answers PONG, or with its argument."),
    row("pttl", 2, READ, ONE, "generic", expiry::pttl, "Tells in how many milliseconds a key expires."),
    row("quit", -1, ADMIN, NONE, "connection", connection::quit, "Closes the connection."),
    row("rpop", -2, REMOVE, ONE, "list", lists::rpop, "Takes items from the back of a list."),
    row("rpush", -3, WRITE, ONE, "list", lists::rpush, "Puts items at the back of a list."),
    row("sadd", -3, WRITE, ONE, "set", sets::sadd, "Puts members into a set."),
    row("scard", 2, READ, ONE, "set", sets::scard, "Counts the members of a set."),
    row("select", 2, ADMIN, NONE, "connection", connection::select, "Chooses one of the databases."),
    row("set", -3, WRITE, ONE, "string", strings::set, "Sets a string."),
    row("sismember", 3, READ, ONE, "set", sets::sismember, "Tells whether a set has a member."),
    row("smembers", 2, SCAN, ONE, "set", sets::smembers, "Answers with the members of a set."),
    row("spop", -2, REMOVE, ONE, "set", sets::spop, "Takes random members from a set."),
    row("srem", -3, REMOVE, ONE, "set", sets::srem, "Removes members from a set."),
    row("ttl", 2, READ, ONE, "generic", expiry::ttl, "Tells in how many seconds a key expires."),
    row("type", 2, READ, ONE, "generic", keys::kind, "Tells what kind of value a key holds."),
    row("zadd", -4, WRITE, ONE, "sorted-set", sorted_sets::zadd, "Puts members with scores into a sorted set."),
    row("zcard", 2, READ, ONE, "sorted-set", sorted_sets::zcard, "Counts the members of a sorted set."),
    row("zpopmin", -2, REMOVE, ONE, "sorted-set", sorted_sets::zpopmin, "Takes the members with the lowest scores."),
    row("zrange", -4, SCAN, ONE, "sorted-set", sorted_sets::zrange, "Answers with the members between two positions."),
    row("zrem", -3, REMOVE, ONE, "sorted-set", sorted_sets::zrem, "Removes members from a sorted set."),
    row("zscore", 3, READ, ONE, "sorted-set", sorted_sets::zscore, "Answers with a member's score."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_command_is_found_by_its_name() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.name < b.name));
        for command in all() {
            assert_eq!(find(command.name.to_ascii_uppercase().as_bytes()).map(|found| found.name), Some(command.name));
        }
        assert!(find(b"").is_none());
        assert!(find(&[b'x'; 1000]).is_none());
    }
}
