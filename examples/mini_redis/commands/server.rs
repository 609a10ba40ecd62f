//! The server itself: `INFO`, `CONFIG GET`, `COMMAND`.

use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

use crate::mini_redis::resp::{Args, Reply};
use crate::mini_redis::store::DATABASES;

use super::table::{self, Command};
use super::{CommandError, Context, Outcome, glob};

/// The Redis whose commands and texts these are, for clients that ask before they use something.
const REDIS_VERSION: &str = "7.0.15";

pub(super) fn info(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut text = String::new();
    for (name, write) in SECTIONS {
        let wanted = |word: &[u8]| {
            word.eq_ignore_ascii_case(name.as_bytes())
                || [&b"all"[..], b"default", b"everything"].iter().any(|all| word.eq_ignore_ascii_case(all))
        };
        if args.len() == 1 || args.from(1).iter().any(wanted) {
            let separator = if text.is_empty() { "" } else { "\r\n" };
            let _ = write!(text, "{separator}# {name}\r\n");
            write(cx, &mut text);
        }
    }
    cx.out.bulk(text.as_bytes());
    Ok(())
}

type Section = fn(&Context<'_>, &mut String);

const SECTIONS: [(&str, Section); 5] = [
    ("Server", |cx, text| {
        let _ = write!(
            text,
            "redis_version:{REDIS_VERSION}\r\nredis_mode:standalone\r\nserver_name:mini_redis\r\nprocess_id:{}\r\n\
             tcp_port:{}\r\nuptime_in_seconds:{}\r\n",
            std::process::id(),
            cx.shared.address.port(),
            cx.shared.started.elapsed().as_secs(),
        );
    }),
    ("Clients", |cx, text| {
        let _ = write!(text, "connected_clients:{}\r\n", cx.shared.clients.load(Relaxed));
    }),
    ("Stats", |cx, text| {
        let _ = write!(
            text,
            "total_connections_received:{}\r\ntotal_commands_processed:{}\r\n",
            cx.shared.accepted.load(Relaxed),
            cx.shared.commands.load(Relaxed),
        );
    }),
    ("Runtime", |cx, text| text.push_str(&(cx.shared.runtime_info)())),
    ("Keyspace", |cx, text| {
        for (number, database) in cx.shared.store.databases() {
            let keys = database.len();
            if keys > 0 {
                let _ = write!(text, "db{number}:keys={keys},expires={},avg_ttl=0\r\n", database.expiring());
            }
        }
    }),
];

pub(super) fn config(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    match args.at(1).to_ascii_lowercase().as_slice() {
        b"get" if args.len() < 3 => Err(CommandError::arity("config|get")),
        b"get" => {
            config_get(cx, args.from(2));
            Ok(())
        }
        b"resetstat" if args.len() == 2 => {
            cx.shared.commands.store(0, Relaxed);
            cx.out.ok();
            Ok(())
        }
        _ => Err(CommandError::subcommand("CONFIG", args.at(1))),
    }
}

fn config_get(cx: &mut Context<'_>, patterns: Args<'_>) {
    let settings = [
        ("appendonly", "no".to_owned()),
        ("bind", cx.shared.address.ip().to_string()),
        ("databases", DATABASES.to_string()),
        ("maxmemory", "0".to_owned()),
        ("maxmemory-policy", "noeviction".to_owned()),
        ("port", cx.shared.address.port().to_string()),
        ("proto-max-bulk-len", (512 * 1024 * 1024).to_string()),
        ("save", String::new()),
        ("timeout", "0".to_owned()),
    ];
    // In the order in which they are asked for, each of them once.
    let mut found: Vec<&(&str, String)> = Vec::new();
    for pattern in patterns.iter().map(<[u8]>::to_ascii_lowercase) {
        for setting in settings.iter().filter(|(name, _)| glob::matches(&pattern, name.as_bytes())) {
            if !found.iter().any(|(name, _)| *name == setting.0) {
                found.push(setting);
            }
        }
    }
    cx.out.array(2 * found.len());
    for (name, value) in found {
        cx.out.bulk(name.as_bytes());
        cx.out.bulk(value.as_bytes());
    }
}

pub(super) fn command(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let Some(subcommand) = args.get(1) else {
        describe_all(&mut cx.out, table::all());
        return Ok(());
    };
    match subcommand.to_ascii_lowercase().as_slice() {
        b"count" if args.len() == 2 => cx.out.count(table::all().len()),
        b"count" => return Err(CommandError::arity("command|count")),
        b"list" if args.len() > 2 => return Err(CommandError::SYNTAX),
        b"list" => {
            cx.out.array(table::all().len());
            table::all().iter().for_each(|command| cx.out.bulk(command.name.as_bytes()));
        }
        b"info" if args.len() == 2 => describe_all(&mut cx.out, table::all()),
        b"info" => {
            cx.out.array(args.len() - 2);
            for name in args.from(2).iter() {
                match table::find(name) {
                    Some(command) => describe(&mut cx.out, command),
                    None => cx.out.null(),
                }
            }
        }
        b"docs" => document(cx, args.from(2)),
        _ => return Err(CommandError::subcommand("COMMAND", subcommand)),
    }
    Ok(())
}

fn describe_all(out: &mut Reply<'_>, commands: &[Command]) {
    out.array(commands.len());
    commands.iter().for_each(|command| describe(out, command));
}

/// Name, arity, flags, first key, last key, step; then the categories, tips, key specifications and subcommands,
/// which are left empty.
fn describe(out: &mut Reply<'_>, command: &Command) {
    out.array(10);
    out.bulk(command.name.as_bytes());
    out.integer(command.arity.into());
    out.array(command.flags.len());
    command.flags.iter().for_each(|flag| out.simple(flag));
    for place in [command.keys.first, command.keys.last, command.keys.step] {
        out.integer(place.into());
    }
    (0..4).for_each(|_| out.array(0));
}

fn document(cx: &mut Context<'_>, names: Args<'_>) {
    let chosen: Vec<&Command> = match names.is_empty() {
        true => table::all().iter().collect(),
        false => names.iter().filter_map(table::find).collect(),
    };
    cx.out.array(2 * chosen.len());
    for command in chosen {
        cx.out.bulk(command.name.as_bytes());
        cx.out.array(4);
        for text in ["summary", command.summary, "group", command.group] {
            cx.out.bulk(text.as_bytes());
        }
    }
}
