//! OS readiness: epoll and kqueue behind one contract
