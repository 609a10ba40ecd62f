//! Both ways in which an element becomes words, of which a build uses one: what goes into a slot comes out of it.
#![cfg(not(tiny_coro_loom))]

use std::fmt::Debug;

use tiny_coro_prim::atomic::AtomicPtr;

#[path = "../src/element/bits.rs"]
mod bits;
#[path = "../src/element/boxed.rs"]
mod boxed;

type Word = AtomicPtr<()>;

/// Puts a value into a slot by way of each form, and takes it out again.
fn round_trip<T: Debug + PartialEq + Clone>(value: T, words: usize) {
    let slot = |words| (0..words).map(|_| Word::default()).collect::<Vec<_>>();

    assert_eq!(bits::Element::<T>::WORDS, words);
    let words = slot(words);
    bits::Element::new(value.clone()).store(&words);
    // SAFETY: the words are those of the one value, and it is taken once.
    assert_eq!(unsafe { bits::Element::<T>::load(&words).into_value() }, value);

    let words = slot(boxed::Element::<T>::WORDS);
    boxed::Element::new(value.clone()).store(&words);
    // SAFETY: as above.
    assert_eq!(unsafe { boxed::Element::<T>::load(&words).into_value() }, value);
}

#[derive(Clone, Debug, PartialEq)]
#[repr(align(32))]
struct Aligned(u8);

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, packed)]
struct Packed(u8, u64, u16);

#[test]
fn what_goes_in_comes_out() {
    round_trip((), 0);
    round_trip([0_u64; 0], 0);
    round_trip(true, 1);
    round_trip(7_usize, 1);
    round_trip(Box::new(7), 1);
    round_trip(Some(&"a reference keeps its provenance"), 1);
    round_trip((1_u8, 2_u32, 3_u64), 2);
    round_trip([1_u32, 2, 3], 2);
    round_trip((u128::MAX, 1_u8), 4);
    round_trip(String::from("three words"), 3);
    round_trip(Some(vec![String::from("and a niche")]), 3);
    round_trip(Box::new([1, 2, 3]) as Box<[i32]>, 2);
    round_trip([7_u64; 100], 100);
    round_trip(Aligned(7), 4);
    round_trip(Packed(1, 2, 3), 2);
}

/// An element on its way forgets what it holds: loading what somebody else then wins, and does not give out, drops
/// nothing.
#[test]
fn what_is_not_taken_is_not_dropped() {
    let words = (0..3).map(|_| Word::default()).collect::<Vec<_>>();
    bits::Element::new(String::from("once")).store(&words);
    let _forgotten = bits::Element::<String>::load(&words);
    // SAFETY: the words are those of the one value, and it is taken once.
    assert_eq!(unsafe { bits::Element::<String>::load(&words).into_value() }, "once");
}
