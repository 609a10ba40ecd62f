//! What a key can hold.

use std::collections::VecDeque;

use foldhash::fast::RandomState;
use indexmap::{IndexMap, IndexSet};

use super::SortedSet;
use crate::mini_redis::resp::parse_integer;

/// Bytes that a key or value owns. Never a slice of a receive buffer: three bytes would keep all of it alive.
pub(crate) type Text = Box<[u8]>;
/// A list.
pub(crate) type List = VecDeque<Text>;
/// A set. Its members have positions, so that `SPOP` picks one at random in constant time.
pub(crate) type Members = IndexSet<Text, RandomState>;
/// A hash.
pub(crate) type Fields = IndexMap<Text, Text, RandomState>;

/// The value of a key. Containers are boxed, so that a string's entry stays small.
#[derive(Debug)]
pub(crate) enum Value {
    /// A string that is the canonical form of an integer: what counters are.
    Integer(i64),
    /// Any other string, and so never the canonical form of an integer.
    Text(Text),
    List(Box<List>),
    Set(Box<Members>),
    Hash(Box<Fields>),
    Sorted(Box<SortedSet>),
}

impl Value {
    /// The string `text` as it is stored: an integer wherever that reads back the same.
    pub(crate) fn string(text: &[u8]) -> Self {
        parse_integer(text).map_or_else(|| Value::Text(text.into()), Value::Integer)
    }

    /// The name that `TYPE` answers with.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Integer(_) | Value::Text(_) => "string",
            Value::List(_) => "list",
            Value::Set(_) => "set",
            Value::Hash(_) => "hash",
            Value::Sorted(_) => "zset",
        }
    }
}

/// The key holds a value of another kind than the command works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongType;

/// A kind of container that a [`Value`] can be.
pub(crate) trait Kind {
    /// This kind, if `value` is of it.
    fn of(value: &mut Value) -> Option<&mut Self>;
    /// A value of this kind with nothing in it.
    fn empty() -> Value;
}

impl Kind for List {
    fn of(value: &mut Value) -> Option<&mut Self> {
        if let Value::List(list) = value { Some(list) } else { None }
    }
    fn empty() -> Value {
        Value::List(Box::default())
    }
}

impl Kind for Members {
    fn of(value: &mut Value) -> Option<&mut Self> {
        if let Value::Set(members) = value { Some(members) } else { None }
    }
    fn empty() -> Value {
        Value::Set(Box::default())
    }
}

impl Kind for Fields {
    fn of(value: &mut Value) -> Option<&mut Self> {
        if let Value::Hash(fields) = value { Some(fields) } else { None }
    }
    fn empty() -> Value {
        Value::Hash(Box::default())
    }
}

impl Kind for SortedSet {
    fn of(value: &mut Value) -> Option<&mut Self> {
        if let Value::Sorted(set) = value { Some(set) } else { None }
    }
    fn empty() -> Value {
        Value::Sorted(Box::default())
    }
}
