//! Sockets over the reactor: TCP listener and stream
