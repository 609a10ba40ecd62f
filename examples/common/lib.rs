//! What the examples share: argument parsing and the Ctrl-C future.
