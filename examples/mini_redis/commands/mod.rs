//! The commands: a table of them, and one file for each kind of value.
//!
//! A command is a function from arguments to an answer. It may lock the store, it can't wait: [`execute`] is all that
//! the connection calls. The texts of errors are Redis's own, so that clients recognise them.

mod connection;
mod context;
mod error;
mod expiry;
mod glob;
mod hashes;
mod keys;
mod lists;
mod server;
mod sets;
mod sorted_sets;
mod strings;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use context::{Context, Session, Shared};
pub(crate) use error::CommandError;
use table::find;

use crate::mini_redis::resp::Args;

/// What a command returns: its answer is written already, an error is still to be written.
pub(crate) type Outcome = Result<(), CommandError>;

/// Runs one request and writes its answer. A request without arguments has none.
pub(crate) fn execute(cx: &mut Context<'_>, args: Args<'_>) {
    let Some(name) = args.get(0) else { return };
    let mark = cx.out.mark();
    let outcome = match find(name) {
        Some(command) if command.accepts(args.len()) => (command.run)(cx, args),
        Some(command) => Err(CommandError::arity(command.name)),
        None => connection::unknown(cx, args),
    };
    if let Err(error) = outcome {
        cx.out.truncate(mark);
        cx.out.error(error.text());
    }
}
