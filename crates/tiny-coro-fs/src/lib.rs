//! Files over the blocking pool
