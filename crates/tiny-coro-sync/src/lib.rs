//! Synchronisation for coroutines under any executor: baton-passing mutex, CSP channel, oneshot
