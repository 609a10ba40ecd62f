//! Sorted sets: members by name and members by score.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// A score. Never NaN, so that scores have an order.
#[derive(Clone, Copy, Debug)]
struct Score(f64);

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        // `partial_cmp`, because to `total_cmp` the two zeros differ.
        self.0.partial_cmp(&other.0).unwrap_or(Ordering::Equal)
    }
}
impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Score {}

/// Members with a score each, in order of score and then of name.
///
/// Both halves hold the same members with the same scores.
#[derive(Debug, Default)]
pub(crate) struct SortedSet {
    by_name: HashMap<Arc<[u8]>, Score, RandomState>,
    by_score: BTreeSet<(Score, Arc<[u8]>)>,
}

impl SortedSet {
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub(crate) fn score(&self, member: &[u8]) -> Option<f64> {
        self.by_name.get(member).map(|score| score.0)
    }

    /// Gives `member` this score, which must not be NaN.
    pub(crate) fn set(&mut self, member: &[u8], score: f64) {
        debug_assert!(!score.is_nan());
        let score = Score(score);
        let member: Arc<[u8]> = match self.by_name.get_key_value(member) {
            Some((_, old)) if *old == score => return,
            Some((member, old)) => {
                let member = member.clone();
                self.by_score.remove(&(*old, member.clone()));
                member
            }
            None => member.into(),
        };
        self.by_name.insert(member.clone(), score);
        self.by_score.insert((score, member));
    }

    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let Some((member, score)) = self.by_name.remove_entry(member) else { return false };
        self.by_score.remove(&(score, member))
    }

    /// Takes out the member with the lowest score.
    pub(crate) fn pop_first(&mut self) -> Option<(Arc<[u8]>, f64)> {
        let (score, member) = self.by_score.pop_first()?;
        self.by_name.remove(&member);
        Some((member, score.0))
    }

    /// The members with their scores, lowest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], f64)> {
        self.by_score.iter().map(|(score, member)| (&**member, score.0))
    }
}
