//! Keys of any kind: `DEL`, `EXISTS`, `TYPE`, `KEYS`, `DBSIZE`, `FLUSHALL`.

use crate::mini_redis::resp::Args;

use super::{CommandError, Context, Outcome, glob};

pub(super) fn del(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let keys = args.from(1);
    let mut locked = cx.database().lock_many(keys.iter(), cx.now);
    let removed = keys.iter().filter(|key| locked.slot(key).remove()).count();
    cx.out.count(removed);
    Ok(())
}

pub(super) fn exists(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let keys = args.from(1);
    let mut locked = cx.database().lock_many(keys.iter(), cx.now);
    let found = keys.iter().filter(|key| locked.slot(key).value().is_some()).count();
    cx.out.count(found);
    Ok(())
}

pub(super) fn kind(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    cx.out.simple(slot.value().map_or("none", |value| value.type_name()));
    Ok(())
}

pub(super) fn keys(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let pattern = args.at(1);
    let locked = cx.database().lock_all();
    let found: Vec<&[u8]> =
        locked.iter().flat_map(|shard| shard.keys(cx.now)).filter(|key| glob::matches(pattern, key)).collect();
    cx.out.array(found.len());
    for key in found {
        cx.out.bulk(key);
    }
    Ok(())
}

pub(super) fn dbsize(cx: &mut Context<'_>, _: Args<'_>) -> Outcome {
    let len = cx.database().len();
    cx.out.count(len);
    Ok(())
}

/// `ASYNC` and `SYNC` are understood; memory is always freed after the locks are.
fn check_flush_mode(args: Args<'_>) -> Outcome {
    match args.get(1) {
        None => Ok(()),
        Some(mode)
            if args.len() == 2 && (mode.eq_ignore_ascii_case(b"async") || mode.eq_ignore_ascii_case(b"sync")) =>
        {
            Ok(())
        }
        Some(_) => Err(CommandError::SYNTAX),
    }
}

pub(super) fn flushall(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    check_flush_mode(args)?;
    cx.shared.store.clear();
    cx.out.ok();
    Ok(())
}

pub(super) fn flushdb(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    check_flush_mode(args)?;
    cx.database().clear();
    cx.out.ok();
    Ok(())
}
