//! One thread sleeps, others wake it: a one-permit parker on the futex
