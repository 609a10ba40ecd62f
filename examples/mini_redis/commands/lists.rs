//! Lists: `LPUSH`, `RPUSH`, `LPOP`, `RPOP`, `LRANGE`, `LLEN`.

use crate::mini_redis::resp::Args;
use crate::mini_redis::store::{List, Text};

use super::context::{count, integer, range};
use super::{CommandError, Context, Outcome};

fn push(cx: &mut Context<'_>, args: Args<'_>, put: fn(&mut List, Text)) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let list = slot.get_or_create::<List>()?;
    for item in args.from(2).iter() {
        put(list, item.into());
    }
    cx.out.count(list.len());
    Ok(())
}

pub(super) fn lpush(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    push(cx, args, List::push_front)
}

pub(super) fn rpush(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    push(cx, args, List::push_back)
}

fn pop(cx: &mut Context<'_>, args: Args<'_>, name: &str, take: fn(&mut List) -> Option<Text>) -> Outcome {
    if args.len() > 3 {
        return Err(CommandError::arity(name));
    }
    let wanted = args.get(2).map(count).transpose()?;
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let Some(list) = slot.get::<List>()? else {
        match wanted {
            None => cx.out.null(),
            Some(_) => cx.out.null_array(),
        }
        return Ok(());
    };
    match wanted {
        None => cx.out.bulk_or_null(take(list).as_deref()),
        Some(wanted) => {
            let taken = wanted.min(list.len());
            cx.out.array(taken);
            for item in std::iter::from_fn(|| take(list)).take(taken) {
                cx.out.bulk(&item);
            }
        }
    }
    if list.is_empty() {
        slot.remove();
    }
    Ok(())
}

pub(super) fn lpop(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    pop(cx, args, "lpop", List::pop_front)
}

pub(super) fn rpop(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    pop(cx, args, "rpop", List::pop_back)
}

pub(super) fn lrange(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (start, stop) = (integer(args.at(2))?, integer(args.at(3))?);
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let Some(list) = slot.get::<List>()? else {
        cx.out.array(0);
        return Ok(());
    };
    let (skip, take) = range(start, stop, list.len());
    let mark = cx.out.mark();
    cx.out.array(take);
    for item in list.range(skip..skip + take) {
        cx.out.room_since(mark)?;
        cx.out.bulk(item);
    }
    Ok(())
}

pub(super) fn llen(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    cx.out.count(slot.get::<List>()?.map_or(0, |list| list.len()));
    Ok(())
}
