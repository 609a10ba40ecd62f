//! RESP2, the wire format: bytes to arguments ([`Parser`]) and answers to bytes ([`Reply`]), with no I/O in it.
//!
//! A request is an array of bulk strings (`*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`) or, for people at a terminal, an inline
//! line (`GET k\r\n`).
//!
//! | ID | always true | kept by |
//! |---|---|---|
//! | R1 | where the bytes were cut changes nothing: the parser only ever resumes, it never guesses | `Parser::parse` |
//! | R2 | memory follows what has arrived, never what a length claims | `Parser::parse` allocates one slot an argument |
//! | R3 | an argument is a slice of the receive buffer: nothing is copied or allocated per argument | [`Args`] |
//! | R4 | after a [`ProtocolError`] nothing more of that stream is believed | the server closes |

mod args;
mod inline;
mod number;
mod parser;
mod reply;
#[cfg(test)]
mod tests;

pub(crate) use args::Args;
pub(crate) use number::{format_double, parse_double, parse_integer};
pub(crate) use parser::{Parser, Status};
pub(crate) use reply::{Reply, TooLong};
