//! Deadlines to keys: a timer queue without clocks and threads
