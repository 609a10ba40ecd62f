//! HTTP/1.1 server: zero-copy requests, pipelining, streaming bodies
