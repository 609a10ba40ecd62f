//! The M:N scheduler core: task cell, worker loop, injector, idle protocol, blocking pool
