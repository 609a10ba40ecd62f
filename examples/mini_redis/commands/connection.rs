//! The client itself: `PING`, `ECHO`, `SELECT`, `CLIENT`, `QUIT`, and what isn't a command.

use crate::mini_redis::resp::Args;
use crate::mini_redis::store::DATABASES;

use super::context::integer;
use super::{CommandError, Context, Outcome};

/// As much of an unknown request is shown in the error.
const SHOWN: usize = 128;

pub(super) fn ping(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    match args.get(1) {
        None => cx.out.simple("PONG"),
        Some(_) if args.len() > 2 => return Err(CommandError::arity("ping")),
        Some(message) => cx.out.bulk(message),
    }
    Ok(())
}

pub(super) fn echo(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    cx.out.bulk(args.at(1));
    Ok(())
}

pub(super) fn quit(cx: &mut Context<'_>, _: Args<'_>) -> Outcome {
    cx.session.closing = true;
    cx.out.ok();
    Ok(())
}

pub(super) fn select(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let number = usize::try_from(integer(args.at(1))?).ok().filter(|number| *number < DATABASES);
    cx.session.database = number.ok_or(CommandError::DATABASE)?;
    cx.out.ok();
    Ok(())
}

pub(super) fn client(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let subcommand = args.at(1).to_ascii_lowercase();
    let arity = |wanted: usize| match args.len() == wanted {
        true => Ok(()),
        false => Err(CommandError::arity(&format!("client|{}", String::from_utf8_lossy(&subcommand)))),
    };
    match subcommand.as_slice() {
        b"id" => {
            arity(2)?;
            cx.out.integer(cx.session.id as i64);
        }
        b"getname" => {
            arity(2)?;
            cx.out.bulk_or_null(Some(cx.session.name.as_slice()).filter(|name| !name.is_empty()));
        }
        b"setname" => {
            arity(3)?;
            set_name(cx, args.at(2))?;
        }
        b"info" | b"list" => {
            arity(2)?;
            let line = describe(cx);
            cx.out.bulk(&line);
        }
        b"setinfo" => {
            arity(4)?;
            cx.out.ok();
        }
        b"no-evict" | b"no-touch" => {
            arity(3)?;
            cx.out.ok();
        }
        _ => return Err(CommandError::subcommand("CLIENT", args.at(1))),
    }
    Ok(())
}

fn set_name(cx: &mut Context<'_>, name: &[u8]) -> Outcome {
    if !name.iter().all(u8::is_ascii_graphic) {
        return Err(CommandError::new("ERR Client names cannot contain spaces, newlines or special characters."));
    }
    cx.session.name = name.to_vec();
    cx.out.ok();
    Ok(())
}

/// This client's own line of `CLIENT LIST`: a connection knows no other's.
fn describe(cx: &Context<'_>) -> Vec<u8> {
    let session = &cx.session;
    let (peer, address) = (session.peer, cx.shared.address);
    let mut line = format!("id={} addr={peer} laddr={address} name=", session.id).into_bytes();
    line.extend_from_slice(&session.name);
    line.extend_from_slice(format!(" db={} cmd=client resp=2\n", session.database).as_bytes());
    line
}

pub(super) fn unknown(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let name = args.at(0);
    // A browser that was made to post to this port: nothing of what it says may be taken as a command.
    if name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:") {
        cx.session.closing = true;
        return Ok(());
    }
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(&name[..name.len().min(SHOWN)]);
    text.extend_from_slice(b"', with args beginning with: ");
    let mut left = SHOWN;
    for arg in args.from(1).iter() {
        if left == 0 {
            break;
        }
        let shown = &arg[..arg.len().min(left)];
        text.push(b'\'');
        text.extend_from_slice(shown);
        text.extend_from_slice(b"' ");
        left = left.saturating_sub(shown.len() + 3);
    }
    Err(CommandError::owned(text))
}
