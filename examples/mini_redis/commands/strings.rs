//! Strings and counters: `GET`, `SET`, `MGET`, `MSET`, `INCR` and their like.

use crate::mini_redis::resp::{Args, Reply};
use crate::mini_redis::store::{Deadline, NEVER, Value, WrongType};

use super::context::integer;
use super::expiry::{self, Unit};
use super::{CommandError, Context, Outcome};

/// Writes the string, or that there is none.
fn write(out: &mut Reply<'_>, value: Option<&mut Value>) -> Outcome {
    match value {
        None => out.null(),
        Some(Value::Integer(value)) => out.bulk_integer(*value),
        Some(Value::Text(text)) => out.bulk(text),
        Some(_) => return Err(WrongType.into()),
    }
    Ok(())
}

pub(super) fn get(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    write(&mut cx.out, slot.value())
}

pub(super) fn mget(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let keys = args.from(1);
    let mut locked = cx.database().lock_many(keys.iter(), cx.now);
    let mark = cx.out.mark();
    cx.out.array(keys.len());
    for key in keys.iter() {
        cx.out.room_since(mark)?;
        if write(&mut cx.out, locked.slot(key).value()).is_err() {
            cx.out.null();
        }
    }
    Ok(())
}

pub(super) fn mset(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let pairs = args.from(1);
    if !pairs.len().is_multiple_of(2) {
        return Err(CommandError::arity("mset"));
    }
    let mut locked = cx.database().lock_many(pairs.pairs().map(|(key, _)| key), cx.now);
    for (key, value) in pairs.pairs() {
        locked.slot(key).set(Value::string(value), NEVER);
    }
    cx.out.ok();
    Ok(())
}

/// On what `SET` depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Always,
    Absent,
    Present,
}

/// The words behind `SET key value`.
#[derive(Debug)]
struct SetOptions {
    condition: Condition,
    returns_old: bool,
    /// `None` keeps the deadline that the key has.
    deadline: Option<Deadline>,
}

impl SetOptions {
    fn parse(words: Args<'_>, now: Deadline) -> Result<Self, CommandError> {
        let mut options = SetOptions { condition: Condition::Always, returns_old: false, deadline: Some(NEVER) };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let free = options.deadline == Some(NEVER);
            if word.eq_ignore_ascii_case(b"nx") && options.condition != Condition::Present {
                options.condition = Condition::Absent;
            } else if word.eq_ignore_ascii_case(b"xx") && options.condition != Condition::Absent {
                options.condition = Condition::Present;
            } else if word.eq_ignore_ascii_case(b"get") {
                options.returns_old = true;
            } else if word.eq_ignore_ascii_case(b"keepttl") && free {
                options.deadline = None;
            } else if let Some(unit) = Unit::of_set(word).filter(|_| free) {
                let amount = integer(words.next().ok_or(CommandError::SYNTAX)?)?;
                if amount <= 0 {
                    return Err(CommandError::expire_time("set"));
                }
                options.deadline = Some(expiry::deadline(unit, amount, now, "set")?);
            } else {
                return Err(CommandError::SYNTAX);
            }
        }
        Ok(options)
    }
}

pub(super) fn set(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let options = SetOptions::parse(args.from(3), cx.now)?;
    // Made before the lock is taken: it allocates.
    let value = Value::string(args.at(2));
    let mut slot = cx.database().lock(args.at(1), cx.now);
    if options.returns_old {
        write(&mut cx.out, slot.value())?;
    }
    let goes_ahead = match options.condition {
        Condition::Always => true,
        Condition::Absent => slot.value().is_none(),
        Condition::Present => slot.value().is_some(),
    };
    if goes_ahead {
        let deadline = options.deadline.unwrap_or_else(|| slot.deadline().unwrap_or(NEVER));
        slot.set(value, deadline);
    }
    match (options.returns_old, goes_ahead) {
        (true, _) => {}
        (false, true) => cx.out.ok(),
        (false, false) => cx.out.null(),
    }
    Ok(())
}

fn add(cx: &mut Context<'_>, key: &[u8], amount: i64) -> Outcome {
    let mut slot = cx.database().lock(key, cx.now);
    let sum = match slot.value() {
        None => {
            slot.set(Value::Integer(amount), NEVER);
            amount
        }
        Some(Value::Integer(value)) => {
            *value = value.checked_add(amount).ok_or(CommandError::OVERFLOW)?;
            *value
        }
        Some(Value::Text(_)) => return Err(CommandError::NOT_AN_INTEGER),
        Some(_) => return Err(WrongType.into()),
    };
    cx.out.integer(sum);
    Ok(())
}

pub(super) fn incr(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    add(cx, args.at(1), 1)
}

pub(super) fn decr(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    add(cx, args.at(1), -1)
}

pub(super) fn incrby(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    add(cx, args.at(1), integer(args.at(2))?)
}

pub(super) fn decrby(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let amount = integer(args.at(2))?.checked_neg().ok_or(CommandError::new("ERR decrement would overflow"))?;
    add(cx, args.at(1), amount)
}
