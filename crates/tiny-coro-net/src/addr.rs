//! Names to addresses, without blocking a worker.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::vec;
use tiny_coro_sched::Handle;

/// What can be turned into socket addresses: as [`std::net::ToSocketAddrs`], but a host name is looked up on the blocking pool.
///
/// This trait is sealed: the types that it is implemented for are those of the standard library's trait.
pub trait ToSocketAddrs: sealed::Target {}

impl<T: sealed::Target + ?Sized> ToSocketAddrs for T {}

pub(crate) mod sealed {
    use std::io;
    use std::net::SocketAddr;

    /// What is known at once, and what must be looked up.
    #[derive(Debug)]
    pub enum Resolve {
        /// The addresses themselves.
        Known(Vec<SocketAddr>),
        /// A host name and a port.
        LookUp(String, u16),
    }

    /// The sealed half of `ToSocketAddrs`.
    pub trait Target {
        /// Tells what is known without a look-up.
        fn target(&self) -> io::Result<Resolve>;
    }
}

use sealed::{Resolve, Target};

/// Returns the addresses that `target` stands for: at least one.
pub(crate) async fn resolve(target: &impl ToSocketAddrs) -> io::Result<vec::IntoIter<SocketAddr>> {
    let found = match target.target()? {
        Resolve::Known(addresses) => addresses,
        Resolve::LookUp(host, port) => {
            let lookup = move || {
                let found = std::net::ToSocketAddrs::to_socket_addrs(&(host.as_str(), port));
                found
                    .map(|addresses| addresses.collect::<Vec<_>>())
                    .map_err(|error| io::Error::new(error.kind(), format!("cannot look up {host}: {error}")))
            };
            let runtime = Handle::try_current().map_err(|error| io::Error::new(io::ErrorKind::NotConnected, error))?;
            runtime.spawn_blocking(lookup).await??
        }
    };
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name has no address"));
    }
    Ok(found.into_iter())
}

/// Calls `attempt` with one address after the other until one succeeds; the last error counts.
pub(crate) async fn first_success<T>(
    target: &impl ToSocketAddrs,
    mut attempt: impl AsyncFnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut addresses = resolve(target).await?;
    loop {
        let address = addresses.next().expect("`resolve` gives at least one address");
        match attempt(address).await {
            Err(_) if addresses.len() > 0 => {}
            result => return result,
        }
    }
}

fn host_and_port(host: &str, port: u16) -> Resolve {
    match host.parse::<IpAddr>() {
        Ok(ip) => Resolve::Known(vec![(ip, port).into()]),
        Err(_) => Resolve::LookUp(host.to_owned(), port),
    }
}

impl Target for str {
    fn target(&self) -> io::Result<Resolve> {
        if let Ok(address) = self.parse::<SocketAddr>() {
            return Ok(Resolve::Known(vec![address]));
        }
        let invalid = || {
            let text = format!("`{self}` is not an address: give HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080");
            io::Error::new(io::ErrorKind::InvalidInput, text)
        };
        let (host, port) = self.rsplit_once(':').ok_or_else(invalid)?;
        let port = port.parse().map_err(|_| invalid())?;
        if host.is_empty() || host.contains(':') {
            return Err(invalid());
        }
        Ok(host_and_port(host, port))
    }
}

impl Target for String {
    fn target(&self) -> io::Result<Resolve> {
        self.as_str().target()
    }
}

impl Target for (&str, u16) {
    fn target(&self) -> io::Result<Resolve> {
        Ok(host_and_port(self.0, self.1))
    }
}

impl Target for (String, u16) {
    fn target(&self) -> io::Result<Resolve> {
        Ok(host_and_port(&self.0, self.1))
    }
}

impl Target for [SocketAddr] {
    fn target(&self) -> io::Result<Resolve> {
        Ok(Resolve::Known(self.to_vec()))
    }
}

impl<T: Target + ?Sized> Target for &T {
    fn target(&self) -> io::Result<Resolve> {
        (**self).target()
    }
}

macro_rules! known {
    ($($address:ty),*) => {$(
        impl Target for $address {
            fn target(&self) -> io::Result<Resolve> {
                Ok(Resolve::Known(vec![(*self).into()]))
            }
        }
    )*};
}

known!(SocketAddr, SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));
