//! What can be wrong with a request, in Redis's words.

use std::borrow::Cow;

use crate::mini_redis::resp::TooLong;
use crate::mini_redis::store::WrongType;

/// The text of an error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandError(Cow<'static, [u8]>);

impl CommandError {
    pub(crate) const SYNTAX: Self = Self::new("ERR syntax error");
    pub(crate) const NOT_AN_INTEGER: Self = Self::new("ERR value is not an integer or out of range");
    pub(crate) const NOT_A_FLOAT: Self = Self::new("ERR value is not a valid float");
    pub(crate) const NOT_POSITIVE: Self = Self::new("ERR value is out of range, must be positive");
    pub(crate) const OVERFLOW: Self = Self::new("ERR increment or decrement would overflow");
    pub(crate) const DATABASE: Self = Self::new("ERR DB index is out of range");

    pub(crate) const fn new(text: &'static str) -> Self {
        CommandError(Cow::Borrowed(text.as_bytes()))
    }

    pub(crate) fn owned(text: impl Into<Vec<u8>>) -> Self {
        CommandError(Cow::Owned(text.into()))
    }

    pub(crate) fn arity(command: &str) -> Self {
        Self::owned(format!("ERR wrong number of arguments for '{command}' command"))
    }

    pub(crate) fn expire_time(command: &str) -> Self {
        Self::owned(format!("ERR invalid expire time in '{command}' command"))
    }

    /// `container` is in capitals, as it is shown.
    pub(crate) fn subcommand(container: &str, subcommand: &[u8]) -> Self {
        let shown = String::from_utf8_lossy(&subcommand[..subcommand.len().min(128)]);
        Self::owned(format!("ERR unknown subcommand '{shown}'. Try {container} HELP."))
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.0
    }
}

impl From<TooLong> for CommandError {
    fn from(TooLong: TooLong) -> Self {
        Self::new("ERR the answer is too long")
    }
}

impl From<WrongType> for CommandError {
    fn from(WrongType: WrongType) -> Self {
        Self::new("WRONGTYPE Operation against a key holding the wrong kind of value")
    }
}
