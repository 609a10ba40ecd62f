//! A Chase-Lev work-stealing deque that grows and reclaims through epochs
