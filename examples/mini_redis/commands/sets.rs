//! Sets: `SADD`, `SPOP`, `SREM`, `SCARD`, `SISMEMBER`, `SMEMBERS`.

use crate::mini_redis::resp::Args;
use crate::mini_redis::store::Members;

use super::context::count;
use super::{CommandError, Context, Outcome};

pub(super) fn sadd(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let members = slot.get_or_create::<Members>()?;
    let mut added = 0;
    for member in args.from(2).iter() {
        // Looked up first: a member that is there already costs no allocation.
        if !members.contains(member) {
            members.insert(member.into());
            added += 1;
        }
    }
    cx.out.integer(added);
    Ok(())
}

pub(super) fn spop(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(CommandError::SYNTAX);
    }
    let wanted = args.get(2).map(count).transpose()?;
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let Some(members) = slot.get::<Members>()? else {
        match wanted {
            None => cx.out.null(),
            Some(_) => cx.out.array(0),
        }
        return Ok(());
    };
    if let Some(wanted) = wanted {
        cx.out.array(wanted.min(members.len()));
    }
    for _ in 0..wanted.unwrap_or(1).min(members.len()) {
        let member = members.swap_remove_index(fastrand::usize(..members.len()));
        cx.out.bulk_or_null(member.as_deref());
    }
    if members.is_empty() {
        slot.remove();
    }
    Ok(())
}

pub(super) fn srem(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let mut removed = 0;
    if let Some(members) = slot.get::<Members>()? {
        removed = args.from(2).iter().filter(|member| members.swap_remove(*member)).count();
        if members.is_empty() {
            slot.remove();
        }
    }
    cx.out.count(removed);
    Ok(())
}

pub(super) fn scard(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    cx.out.count(slot.get::<Members>()?.map_or(0, |members| members.len()));
    Ok(())
}

pub(super) fn sismember(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let found = slot.get::<Members>()?.is_some_and(|members| members.contains(args.at(2)));
    cx.out.integer(i64::from(found));
    Ok(())
}

pub(super) fn smembers(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let members = slot.get::<Members>()?;
    cx.out.array(members.as_ref().map_or(0, |members| members.len()));
    for member in members.into_iter().flat_map(|members| members.iter()) {
        cx.out.bulk(member);
    }
    Ok(())
}
