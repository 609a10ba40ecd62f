//! Sorted sets: `ZADD`, `ZPOPMIN`, `ZRANGE`, `ZSCORE`, `ZREM`, `ZCARD`.

use crate::mini_redis::resp::{Args, Reply, format_double, parse_double};
use crate::mini_redis::store::SortedSet;

use super::context::{count, integer, range};
use super::{CommandError, Context, Outcome};

/// The words between the key and the first score of `ZADD`.
#[derive(Debug, Default)]
struct AddOptions {
    only_new: bool,
    only_old: bool,
    only_greater: bool,
    only_less: bool,
    counts_changes: bool,
    increments: bool,
}

impl AddOptions {
    /// Reads the options and tells how many there were.
    fn parse(words: Args<'_>) -> Result<(Self, usize), CommandError> {
        let mut options = AddOptions::default();
        let mut taken = 0;
        for word in words.iter() {
            let flag = match word.to_ascii_lowercase().as_slice() {
                b"nx" => &mut options.only_new,
                b"xx" => &mut options.only_old,
                b"gt" => &mut options.only_greater,
                b"lt" => &mut options.only_less,
                b"ch" => &mut options.counts_changes,
                b"incr" => &mut options.increments,
                _ => break,
            };
            *flag = true;
            taken += 1;
        }
        Ok((options, taken))
    }

    fn check(&self, pairs: Args<'_>) -> Outcome {
        if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
            return Err(CommandError::SYNTAX);
        }
        if self.only_new && self.only_old {
            return Err(CommandError::new("ERR XX and NX options at the same time are not compatible"));
        }
        if u8::from(self.only_greater) + u8::from(self.only_less) + u8::from(self.only_new) > 1 {
            return Err(CommandError::new("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if self.increments && pairs.len() > 2 {
            return Err(CommandError::new("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }

    /// The score that `member` is to have, or `None` to leave it as it is.
    fn decide(&self, old: Option<f64>, given: f64) -> Result<Option<f64>, CommandError> {
        let new = match old {
            Some(old) if self.increments => old + given,
            _ => given,
        };
        if new.is_nan() {
            return Err(CommandError::new("ERR resulting score is not a number (NaN)"));
        }
        let allowed = match old {
            None => !self.only_old,
            Some(old) => !(self.only_new || self.only_greater && new <= old || self.only_less && new >= old),
        };
        Ok(allowed.then_some(new))
    }
}

pub(super) fn zadd(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (options, words) = AddOptions::parse(args.from(2))?;
    let pairs = args.from(2 + words);
    options.check(pairs)?;
    // All scores are read before the first one counts: a bad one leaves the set as it was.
    let scores = pairs.pairs().map(|(score, _)| parse_double(score).ok_or(CommandError::NOT_A_FLOAT));
    if let Some(error) = scores.clone().find_map(Result::err) {
        return Err(error);
    }
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let set = slot.get_or_create::<SortedSet>()?;
    let (mut added, mut changed, mut last) = (0, 0, None);
    for ((_, member), score) in pairs.pairs().zip(scores) {
        let old = set.score(member);
        last = options.decide(old, score?)?;
        let Some(new) = last else { continue };
        added += usize::from(old.is_none());
        changed += usize::from(old != Some(new));
        set.set(member, new);
    }
    if set.is_empty() {
        slot.remove();
    }
    match (options.increments, last) {
        (true, Some(score)) => cx.out.bulk(format_double(score).as_bytes()),
        (true, None) => cx.out.null(),
        (false, _) => cx.out.count(if options.counts_changes { changed } else { added }),
    }
    Ok(())
}

fn write_scored(out: &mut Reply<'_>, member: &[u8], score: f64) {
    out.bulk(member);
    out.bulk(format_double(score).as_bytes());
}

pub(super) fn zpopmin(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(CommandError::SYNTAX);
    }
    let wanted = args.get(2).map_or(Ok(1), count)?;
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let Some(set) = slot.get::<SortedSet>()? else {
        cx.out.array(0);
        return Ok(());
    };
    let taken = wanted.min(set.len());
    cx.out.array(2 * taken);
    for (member, score) in std::iter::from_fn(|| set.pop_first()).take(taken) {
        write_scored(&mut cx.out, &member, score);
    }
    if set.is_empty() {
        slot.remove();
    }
    Ok(())
}

/// By position only: `BYSCORE` and `BYLEX` are a syntax error here.
pub(super) fn zrange(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (mut reversed, mut with_scores) = (false, false);
    for word in args.from(4).iter() {
        match word.to_ascii_lowercase().as_slice() {
            b"rev" => reversed = true,
            b"withscores" => with_scores = true,
            _ => return Err(CommandError::SYNTAX),
        }
    }
    let (start, stop) = (integer(args.at(2))?, integer(args.at(3))?);
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let Some(set) = slot.get::<SortedSet>()? else {
        cx.out.array(0);
        return Ok(());
    };
    let (skip, take) = range(start, stop, set.len());
    cx.out.array(if with_scores { 2 * take } else { take });
    let mut write = |(member, score)| match with_scores {
        true => write_scored(&mut cx.out, member, score),
        false => cx.out.bulk(member),
    };
    match reversed {
        true => set.iter().rev().skip(skip).take(take).for_each(&mut write),
        false => set.iter().skip(skip).take(take).for_each(&mut write),
    }
    Ok(())
}

pub(super) fn zscore(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    match slot.get::<SortedSet>()?.and_then(|set| set.score(args.at(2))) {
        Some(score) => cx.out.bulk(format_double(score).as_bytes()),
        None => cx.out.null(),
    }
    Ok(())
}

pub(super) fn zrem(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    let mut removed = 0;
    if let Some(set) = slot.get::<SortedSet>()? {
        removed = args.from(2).iter().filter(|member| set.remove(member)).count();
        if set.is_empty() {
            slot.remove();
        }
    }
    cx.out.count(removed);
    Ok(())
}

pub(super) fn zcard(cx: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut slot = cx.database().lock(args.at(1), cx.now);
    cx.out.count(slot.get::<SortedSet>()?.map_or(0, |set| set.len()));
    Ok(())
}
