//! Any program of operations on a timer queue does what it does on an ordered map.
#![no_main]

use std::collections::BTreeMap;

use fuzz::Choices;
use libfuzzer_sys::fuzz_target;
use tiny_coro_timer::{Key, TimerQueue};

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let mut queue = TimerQueue::new();
    // By deadline, then by insertion: the value.
    let mut oracle: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    let mut keys: Vec<(Key, u64, (u64, u64))> = Vec::new();
    let (mut now, mut count) = (0_u64, 0_u64);
    while !choices.is_empty() {
        count += 1;
        let deadline = |choices: &mut Choices<'_>| match choices.byte() % 4 {
            0 => now.saturating_add(u64::from(choices.byte())),
            1 => now.saturating_add(u64::from(choices.byte()) << 16),
            2 => choices.word(),
            _ => [0, now, u64::MAX, u64::MAX - 1][choices.below(4)],
        };
        match choices.byte() % 6 {
            0 | 1 => {
                let deadline = deadline(&mut choices);
                let key = queue.insert(deadline, count);
                oracle.insert((deadline, count), count);
                keys.push((key, count, (deadline, count)));
            }
            2 if !keys.is_empty() => {
                let (key, value, place) = keys.swap_remove(choices.below(keys.len()));
                let there = oracle.remove(&place).is_some();
                assert_eq!(queue.cancel(key), there.then_some(value));
            }
            3 if !keys.is_empty() => {
                let at = choices.below(keys.len());
                let deadline = deadline(&mut choices);
                let (key, value, place) = &mut keys[at];
                let there = oracle.remove(place).is_some();
                assert_eq!(queue.reset(*key, deadline), there);
                if there {
                    *place = (deadline, count);
                    oracle.insert(*place, *value);
                }
            }
            4 => {
                now = now.max(deadline(&mut choices));
                let mut fired = Vec::new();
                queue.expire(now, |value| fired.push(value));
                let late = match now.checked_add(1) {
                    Some(next) => oracle.split_off(&(next, 0)),
                    None => BTreeMap::new(),
                };
                assert_eq!(fired, oracle.into_values().collect::<Vec<_>>());
                oracle = late;
            }
            _ => {}
        }
        assert_eq!(queue.len(), oracle.len());
        // A backend may say that the next is due earlier than it is, never later.
        match (queue.next_deadline(), oracle.keys().next()) {
            (Some(ours), Some((theirs, _))) => assert!(ours <= *theirs),
            (ours, theirs) => assert_eq!(ours.is_none(), theirs.is_none()),
        }
    }
});
