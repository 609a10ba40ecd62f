//! Deadlines: `EXPIRE`, `TTL`, `PERSIST`, and the time options of `SET`.

use crate::mini_redis::resp::Args;
use crate::mini_redis::store::{Deadline, NEVER};

use super::context::integer;
use super::{CommandError, Context, Outcome};

/// How a time argument is meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
    UnixSeconds,
    UnixMilliseconds,
}

impl Unit {
    /// The unit that this option of `SET` stands for.
    pub(super) fn of_set(word: &[u8]) -> Option<Unit> {
        [
            ("ex", Unit::Seconds),
            ("px", Unit::Milliseconds),
            ("exat", Unit::UnixSeconds),
            ("pxat", Unit::UnixMilliseconds),
        ]
        .into_iter()
        .find_map(|(name, unit)| word.eq_ignore_ascii_case(name.as_bytes()).then_some(unit))
    }
}

/// The deadline that `amount` stands for; one in the past is [`Deadline`] 0 at the earliest.
pub(super) fn deadline(unit: Unit, amount: i64, now: Deadline, command: &str) -> Result<Deadline, CommandError> {
    let (factor, base) = match unit {
        Unit::Seconds => (1000, now as i64),
        Unit::Milliseconds => (1, now as i64),
        Unit::UnixSeconds => (1000, 0),
        Unit::UnixMilliseconds => (1, 0),
    };
    let deadline = amount.checked_mul(factor).and_then(|amount| amount.checked_add(base));
    deadline.map(|at| at.max(0) as Deadline).ok_or_else(|| CommandError::expire_time(command))
}

/// On what `EXPIRE` depends.
#[derive(Debug, Default)]
struct Conditions {
    /// There is no deadline yet.
    absent: bool,
    /// There is one.
    present: bool,
    later: bool,
    earlier: bool,
}

impl Conditions {
    fn parse(words: Args<'_>) -> Result<Self, CommandError> {
        let mut conditions = Conditions::default();
        for word in words.iter() {
            match word.to_ascii_lowercase().as_slice() {
                b"nx" => conditions.absent = true,
                b"xx" => conditions.present = true,
                b"gt" => conditions.later = true,
                b"lt" => conditions.earlier = true,
                _ => return Err(CommandError::owned([b"ERR Unsupported option ", word].concat())),
            }
        }
        if conditions.absent && (conditions.present || conditions.later || conditions.earlier) {
            return Err(CommandError::new("ERR NX and XX, GT or LT options at the same time are not compatible"));
        }
        if conditions.later && conditions.earlier {
            return Err(CommandError::new("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(conditions)
    }

    /// A key without a deadline counts as one that expires last.
    fn allow(&self, old: Deadline, new: Deadline) -> bool {
        !(self.absent && old != NEVER
            || self.present && old == NEVER
            || self.later && new <= old
            || self.earlier && new >= old)
    }
}

fn set_expiry(cx: &mut Context<'_>, args: Args<'_>, unit: Unit, command: &str) -> Outcome {
    let conditions = Conditions::parse(args.from(3))?;
    let new = deadline(unit, integer(args.at(2))?, cx.now, command)?;
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let done = match slot.deadline() {
        Some(old) if conditions.allow(old, new) => {
            if new <= cx.now {
                slot.remove();
            } else {
                slot.set_deadline(new);
            }
            true
        }
        _ => false,
    };
    cx.out.integer(i64::from(done));
    Ok(())
}

pub(super) fn expire(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    set_expiry(cx, args, Unit::Seconds, "expire")
}

pub(super) fn pexpire(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    set_expiry(cx, args, Unit::Milliseconds, "pexpire")
}

pub(super) fn expireat(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    set_expiry(cx, args, Unit::UnixSeconds, "expireat")
}

pub(super) fn pexpireat(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    set_expiry(cx, args, Unit::UnixMilliseconds, "pexpireat")
}

/// The milliseconds that are left, or Redis's -1 for "it doesn't expire" and -2 for "there is no such key".
fn left(cx: &Context<'_>, key: &[u8]) -> i64 {
    match cx.database().lock(key, cx.now).deadline() {
        None => -2,
        Some(NEVER) => -1,
        Some(deadline) => (deadline - cx.now) as i64,
    }
}

pub(super) fn ttl(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let left = left(cx, args.at(1));
    cx.out.integer(if left < 0 { left } else { (left + 500) / 1000 });
    Ok(())
}

pub(super) fn pttl(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let left = left(cx, args.at(1));
    cx.out.integer(left);
    Ok(())
}

pub(super) fn persist(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let had_one = slot.deadline().is_some_and(|deadline| deadline != NEVER);
    slot.set_deadline(NEVER);
    cx.out.integer(i64::from(had_one));
    Ok(())
}
