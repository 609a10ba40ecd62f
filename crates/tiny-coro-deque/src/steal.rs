//! What an attempt to steal comes to.

/// What an attempt to steal came to.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steal<T> {
    /// There was nothing to steal.
    Empty,
    /// At least one element was stolen.
    Success(T),
    /// Somebody else was faster: there may be more, try again.
    Retry,
}

impl<T> Steal<T> {
    /// Returns whether there was nothing to steal.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Returns whether something was stolen.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Success(_))
    }

    /// Returns whether to try again.
    pub fn is_retry(&self) -> bool {
        matches!(self, Self::Retry)
    }

    /// Returns what was stolen, if anything was.
    pub fn success(self) -> Option<T> {
        match self {
            Self::Success(value) => Some(value),
            Self::Empty | Self::Retry => None,
        }
    }

    /// Applies `function` to what was stolen.
    pub fn map<U>(self, function: impl FnOnce(T) -> U) -> Steal<U> {
        match self {
            Self::Success(value) => Steal::Success(function(value)),
            Self::Empty => Steal::Empty,
            Self::Retry => Steal::Retry,
        }
    }

    /// Tries elsewhere if nothing was stolen. If neither attempt succeeds, the result is [`Retry`](Self::Retry) if
    /// either was.
    pub fn or_else(self, elsewhere: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Success(_) => self,
            Self::Empty => elsewhere(),
            Self::Retry => match elsewhere() {
                Self::Empty => Self::Retry,
                other => other,
            },
        }
    }
}

/// Takes attempts until one succeeds; otherwise [`Retry`](Steal::Retry) if any of them was.
impl<T> FromIterator<Steal<T>> for Steal<T> {
    fn from_iter<I: IntoIterator<Item = Self>>(attempts: I) -> Self {
        let mut retry = false;
        for attempt in attempts {
            match attempt {
                Self::Success(_) => return attempt,
                Self::Retry => retry = true,
                Self::Empty => {}
            }
        }
        if retry { Self::Retry } else { Self::Empty }
    }
}
