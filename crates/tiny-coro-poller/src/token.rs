//! The 64 bits that name a registration.

/// What the caller wants to hear back with an event: an index and a generation, 64 bits in all.
///
/// The index says which entry of the caller's table an event is for. The generation says which *use* of that entry: a
/// caller that counts it up whenever it reuses an entry can tell an event of the previous owner, fetched before the
/// entry changed hands, from one of its own. The poller compares neither, and gives both back bit for bit.
///
/// The index [`Token::RESERVED_INDEX`] belongs to the poller's own waker: registering a token with it is refused.
///
/// # Examples
///
/// ```
/// use tiny_coro_poller::Token;
/// let token = Token::new(7, 2);
/// assert_eq!((token.index(), token.generation()), (7, 2));
/// assert_eq!(Token::from_u64(token.to_u64()), token);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    index: u32,
    generation: u32,
}

impl Token {
    /// The index that no user token may have.
    pub const RESERVED_INDEX: u32 = u32::MAX;

    /// The token of the poller's own waker (P1).
    pub(crate) const WAKER: Self = Self::new(Self::RESERVED_INDEX, u32::MAX);

    /// Makes a token.
    #[must_use]
    pub const fn new(index: u32, generation: u32) -> Self {
        Self { index, generation }
    }

    /// Returns the index.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Returns the generation.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }

    /// Packs the token: the generation in the high half, the index in the low half.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }

    /// Unpacks what [`Token::to_u64`] packed.
    #[must_use]
    pub const fn from_u64(bits: u64) -> Self {
        Self { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}
