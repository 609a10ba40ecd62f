//! Numbers that look random and are the same in each run.

/// Marsaglia's xorshift64: a few instructions a number, so that it does not drown what is measured.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Starts the one sequence that every contender gets.
    #[must_use]
    pub fn new() -> Self {
        Random(0x9E37_79B9_7F4A_7C15)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The upper half, scaled: no division.
        ((self.0 >> 32) * end) >> 32
    }
}

impl Default for Random {
    fn default() -> Self {
        Random::new()
    }
}
