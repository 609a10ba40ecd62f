//! The deque: the owner against thieves.

use loom::thread;
use tiny_coro_deque::{Steal, Stealer, Worker};

use super::{Item, Tracked, Wide, deep, drain, each_once, pop, push};

/// Steals under a pin that is there already: no fence of an outermost pin helps the orderings of the deque itself.
fn steal_pinned<T: Item>(stealer: &Stealer<T>) -> Vec<usize> {
    let _guard = tiny_coro_ebr::pin();
    steal(stealer)
}

fn steal<T: Item>(stealer: &Stealer<T>) -> Vec<usize> {
    stealer.steal().success().map(T::take).into_iter().collect()
}

fn steal_batch_and_pop<T: Item>(stealer: &Stealer<T>, dest: &Worker<T>) -> Vec<usize> {
    let Steal::Success((first, count)) = stealer.steal_batch_and_pop_counted(dest, 8) else { return Vec::new() };
    assert_eq!(dest.len(), count - 1);
    [first.take()].into_iter().chain(drain(dest)).collect()
}

/// D4, D7: the last element goes to the owner or to the thief.
#[test]
fn d4_last_element_lifo() {
    deep(|| {
        let worker = Worker::<Tracked>::lifo();
        push(&worker, 0..1);
        let stealer = worker.stealer();
        let thief = thread::spawn(move || steal(&stealer));
        let popped = drain(&worker);
        assert!(worker.is_empty());
        each_once([popped, thief.join().unwrap()], 1);
    });
}

/// D7: the same where both take at the top.
#[test]
fn d7_last_element_fifo() {
    deep(|| {
        let worker = Worker::<Tracked>::fifo();
        push(&worker, 0..1);
        let stealer = worker.stealer();
        let thief = thread::spawn(move || steal(&stealer));
        let popped = drain(&worker);
        each_once([popped, thief.join().unwrap()], 1);
    });
}

/// D1, D7: an owner that comes too late for the last element, puts `top` back, and pushes on; one thief has taken that element, another
/// may have read `top` before it was put back.
#[test]
fn d7_too_late_and_on() {
    loom::model(|| {
        let worker = Worker::<Tracked>::fifo();
        push(&worker, 0..1);
        let thieves = [worker.stealer(), worker.stealer()].map(|stealer| thread::spawn(move || steal(&stealer)));
        let mut shares = vec![pop(&worker)];
        push(&worker, 1..3);
        shares.push(pop(&worker));
        assert!(!shares[1].is_empty() || worker.is_empty());
        shares.extend(thieves.map(|thief| thief.join().unwrap()));
        shares.push(drain(&worker));
        each_once(shares, 3);
    });
}

fn two_thieves<T: Item>(worker: Worker<T>) {
    push(&worker, 0..2);
    let thieves = [worker.stealer(), worker.stealer()].map(|stealer| thread::spawn(move || steal(&stealer)));
    let mut shares = vec![pop(&worker)];
    shares.extend(thieves.map(|thief| thief.join().unwrap()));
    shares.push(drain(&worker));
    each_once(shares, 2);
}

/// D4, D7: two elements, two thieves, and an owner who comes from the other end: no thief takes what the owner took
/// on a `top` it had not yet seen rise.
#[test]
fn d4_two_thieves_lifo() {
    loom::model(|| two_thieves::<Tracked>(Worker::lifo()));
}

/// D7: two thieves and an owner at the same end.
#[test]
fn d7_two_thieves_fifo() {
    loom::model(|| two_thieves::<Tracked>(Worker::fifo()));
}

fn push_publishes<T: Item>(worker: Worker<T>, steal: fn(&Stealer<T>) -> Vec<usize>) {
    let stealer = worker.stealer();
    let thief = thread::spawn(move || [steal(&stealer), steal(&stealer)].concat());
    push(&worker, 0..2);
    let popped = pop(&worker);
    push(&worker, 2..3);
    let shares = [popped, thief.join().unwrap(), drain(&worker)];
    each_once(shares, 3);
}

/// D2: a thief that sees an index sees the element, also when the owner lowered `bottom` in between and a slot is
/// used again.
#[test]
fn d2_push_publishes_lifo() {
    deep(|| push_publishes::<Tracked>(Worker::lifo(), steal));
}

/// D2: a thief that sees an index sees the element.
#[test]
fn d2_push_publishes_fifo() {
    deep(|| push_publishes::<Tracked>(Worker::fifo(), steal));
    deep(|| push_publishes::<Tracked>(Worker::fifo(), steal_pinned));
}

fn slot_is_used_again<T: Item>(worker: Worker<T>) {
    push(&worker, 0..1);
    let stealer = worker.stealer();
    let thief = thread::spawn(move || steal(&stealer));
    let mut shares = vec![pop(&worker)];
    push(&worker, 1..2);
    shares.push(thief.join().unwrap());
    shares.push(drain(&worker));
    each_once(shares, 2);
}

/// D3: a slot whose element a thief is taking is not used for another one before that is done, at a capacity of one.
#[test]
fn d3_slot_is_used_again() {
    deep(|| slot_is_used_again::<Tracked>(Worker::fifo_with_capacity(1)));
}

/// D3: a thief that reads one word of an element and one of the next gets neither.
#[test]
fn d3_torn_read_is_discarded_fifo() {
    deep(|| slot_is_used_again::<Wide>(Worker::fifo_with_capacity(1)));
}

/// D3, D4: the same where the owner takes at the other end, and writes the slot anew without touching `top`.
#[test]
fn d3_torn_read_is_discarded_lifo() {
    deep(|| slot_is_used_again::<Wide>(Worker::lifo_with_capacity(1)));
}

/// D3, D5: two words of each element move to a larger buffer while a thief reads them.
#[test]
fn d3_torn_read_is_discarded_grow() {
    loom::model(|| grow::<Wide>(Worker::lifo(), steal));
}

/// D3, D8: a batch of elements of two words that has been read, and then is not taken, leaves no trace in its
/// destination.
#[test]
fn d3_torn_batch_is_discarded() {
    deep(|| {
        let worker = Worker::<Wide>::fifo_with_capacity(2);
        push(&worker, 0..2);
        let stealer = worker.stealer();
        let thief = thread::spawn(move || steal_batch_and_pop(&stealer, &Worker::fifo()));
        let mut shares = vec![pop(&worker)];
        push(&worker, 2..3);
        shares.extend([thief.join().unwrap(), drain(&worker)]);
        each_once(shares, 3);
    });
}

fn grow<T: Item>(worker: Worker<T>, steal: fn(&Stealer<T>) -> Vec<usize>) {
    push(&worker, 0..2);
    let stealer = worker.stealer();
    let thief = thread::spawn(move || steal(&stealer));
    push(&worker, 2..4);
    let shares = [drain(&worker), thief.join().unwrap()];
    each_once(shares, 4);
}

/// D5, D6: a thief steals while the owner moves to a larger buffer; the indices wrap on the way.
#[test]
fn d5_grow_lifo() {
    loom::model(|| grow::<Tracked>(Worker::lifo(), steal));
}

/// D5, D6: the same for the other flavour.
#[test]
fn d5_grow_fifo() {
    loom::model(|| grow::<Tracked>(Worker::fifo(), steal));
    loom::model(|| {
        let _guard = tiny_coro_ebr::pin();
        grow::<Tracked>(Worker::fifo(), steal_pinned);
    });
}

/// D6: the old buffer is reclaimed while the thief may still look into it, if it may be at all.
#[test]
fn d6_old_buffer_is_reclaimed() {
    loom::model(|| {
        let worker = Worker::<Tracked>::fifo_with_capacity(1);
        push(&worker, 0..1);
        let stealer = worker.stealer();
        let thief = thread::spawn(move || steal(&stealer));
        push(&worker, 1..2);
        (0..3).for_each(|_| tiny_coro_ebr::pin().flush());
        let shares = [drain(&worker), thief.join().unwrap()];
        each_once(shares, 2);
    });
}

fn shrink<T: Item>(worker: Worker<T>) {
    push(&worker, 0..3);
    assert_eq!(worker.capacity(), 4);
    // In a model four pops in a row that leave no more than one element make four slots two. The last of them meets
    // the thief.
    let mut shares = vec![pop(&worker), pop(&worker)];
    for value in 3..5 {
        push(&worker, value..value + 1);
        shares.push(pop(&worker));
    }
    push(&worker, 5..6);
    let stealer = worker.stealer();
    let thief = thread::spawn(move || steal(&stealer));
    shares.push(pop(&worker));
    push(&worker, 6..7);
    shares.push(thief.join().unwrap());
    shares.push(drain(&worker));
    each_once(shares, 7);
}

/// D5, D6: a thief steals while the owner goes back to a smaller buffer.
#[test]
fn d5_shrink_lifo() {
    deep(|| shrink::<Tracked>(Worker::lifo_with_capacity(1)));
}

/// D5, D6: the same for the other flavour.
#[test]
fn d5_shrink_fifo() {
    deep(|| shrink::<Tracked>(Worker::fifo_with_capacity(1)));
}

fn batch<T: Item>(worker: Worker<T>, dest: fn() -> Worker<T>, in_order: fn(&usize, &usize) -> bool) {
    push(&worker, 0..4);
    let stealer = worker.stealer();
    let thief = thread::spawn(move || steal_batch_and_pop(&stealer, &dest()));
    let mut shares = vec![pop(&worker), pop(&worker), pop(&worker)];
    let stolen = thief.join().unwrap();
    assert!(stolen.is_sorted_by(in_order), "a batch is popped in the order of its deque");
    shares.push(stolen);
    shares.push(drain(&worker));
    each_once(shares, 4);
}

/// D8: a batch taken with one exchange, against the owner who pops at the same end.
#[test]
fn d8_batch_fifo() {
    deep(|| batch::<Tracked>(Worker::fifo_with_capacity(4), Worker::fifo, |a, b| a < b));
}

/// D4: a batch taken element by element, against the owner who comes from the other end.
#[test]
fn d4_batch_lifo() {
    deep(|| batch::<Tracked>(Worker::lifo_with_capacity(4), Worker::lifo, |a, b| a > b));
}

/// D8: a batch against another thief's batch, and a third thief who steals from the batch just landed.
#[test]
fn d8_batch_against_batch() {
    deep(|| {
        let worker = Worker::<Tracked>::fifo_with_capacity(4);
        push(&worker, 0..3);
        let thieves = [worker.stealer(), worker.stealer()].map(|stealer| {
            thread::spawn(move || {
                let dest = Worker::fifo();
                let Steal::Success(_) = stealer.steal_batch(&dest) else { return Vec::new() };
                drain(&dest)
            })
        });
        let mut shares: Vec<_> = thieves.into_iter().map(|thief| thief.join().unwrap()).collect();
        shares.push(drain(&worker));
        each_once(shares, 3);
    });
}

/// D2, D8: who steals from a batch that has just landed sees its elements.
#[test]
fn d2_batch_is_published() {
    deep(|| {
        let (worker, dest) = (Worker::<Tracked>::fifo(), Worker::fifo());
        push(&worker, 0..2);
        let (first, second) = (worker.stealer(), dest.stealer());
        let thief = thread::spawn(move || steal(&second));
        assert_eq!(first.steal_batch_counted(&dest, 1), Steal::Success(1));
        let shares = [drain(&worker), thief.join().unwrap(), drain(&dest)];
        each_once(shares, 2);
    });
}

/// D1: `Empty` is the truth: with two elements pushed before, one taken leaves one to find.
#[test]
fn d1_empty_is_true() {
    loom::model(|| {
        let worker = Worker::<Tracked>::fifo();
        push(&worker, 0..1);
        let (first, second) = (worker.stealer(), worker.stealer());
        let one = thread::spawn(move || {
            // Pinned before it looks: from there on it does not fence.
            let _guard = tiny_coro_ebr::pin();
            if first.len() == 2 { steal(&first) } else { Vec::new() }
        });
        let other = thread::spawn(move || {
            let _guard = tiny_coro_ebr::pin();
            let stolen = second.steal();
            (stolen.is_empty(), stolen.success().map(Tracked::take).into_iter().collect::<Vec<_>>())
        });
        push(&worker, 1..2);
        let one = one.join().unwrap();
        let (empty, other) = other.join().unwrap();
        assert!(!empty, "at no moment was the deque empty");
        each_once([one, other, drain(&worker)], 2);
    });
}

/// D1: the same where it is the owner that takes one, after it has pushed another.
#[test]
fn d1_empty_is_true_beside_the_owner() {
    for worker in [Worker::<Tracked>::fifo, Worker::lifo] {
        deep(move || {
            let worker = worker();
            push(&worker, 0..1);
            let stealer = worker.stealer();
            let thief = thread::spawn(move || {
                assert!(!stealer.is_empty(), "at no moment was the deque empty");
                steal(&stealer)
            });
            push(&worker, 1..2);
            let popped = pop(&worker);
            each_once([popped, thief.join().unwrap(), drain(&worker)], 2);
        });
    }
}

/// D9: the owner goes while a thief steals; whoever is last drops what is left.
#[test]
fn d9_owner_goes() {
    deep(|| {
        let worker = Worker::<Tracked>::lifo();
        push(&worker, 0..2);
        let stealer = worker.stealer();
        let thief = thread::spawn(move || steal(&stealer));
        drop(worker);
        let stolen = thief.join().unwrap();
        assert!(stolen.is_empty() || stolen == [0]);
    });
}
