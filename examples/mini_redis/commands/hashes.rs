//! Hashes: `HSET`, `HGET`, `HGETALL`, `HDEL`, `HLEN`.

use crate::mini_redis::resp::Args;
use crate::mini_redis::store::Fields;

use super::{CommandError, Context, Outcome};

pub(super) fn hset(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let pairs = args.from(2);
    if !pairs.len().is_multiple_of(2) {
        return Err(CommandError::arity("hset"));
    }
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let fields = slot.get_or_create::<Fields>()?;
    let mut added = 0;
    for (field, value) in pairs.pairs() {
        match fields.get_mut(field) {
            Some(old) => *old = value.into(),
            None => {
                fields.insert(field.into(), value.into());
                added += 1;
            }
        }
    }
    cx.out.integer(added);
    Ok(())
}

pub(super) fn hget(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let value = slot.get::<Fields>()?.and_then(|fields| fields.get(args.at(2)));
    cx.out.bulk_or_null(value.map(|value| &**value));
    Ok(())
}

pub(super) fn hgetall(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let fields = slot.get::<Fields>()?;
    let mark = cx.out.mark();
    cx.out.array(fields.as_ref().map_or(0, |fields| 2 * fields.len()));
    for (field, value) in fields.into_iter().flat_map(|fields| fields.iter()) {
        cx.out.room_since(mark)?;
        cx.out.bulk(field);
        cx.out.bulk(value);
    }
    Ok(())
}

pub(super) fn hdel(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let mut removed = 0;
    if let Some(fields) = slot.get::<Fields>()? {
        removed = args.from(2).iter().filter(|field| fields.swap_remove(*field).is_some()).count();
        if fields.is_empty() {
            slot.remove();
        }
    }
    cx.out.count(removed);
    Ok(())
}

pub(super) fn hlen(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    cx.out.count(slot.get::<Fields>()?.map_or(0, |fields| fields.len()));
    Ok(())
}
