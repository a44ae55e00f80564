//! Addresses and names: `127.0.0.1:9001` is used as it is, `api.internal:80` is looked up when the configuration is
//! loaded and again in the background.

use super::{AddressBook, Backends, Pool};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

/// Time between two look-ups of a name.
pub(super) const EVERY: Duration = Duration::from_secs(30);
/// The same while nothing was found.
pub(super) const EVERY_WHILE_EMPTY: Duration = Duration::from_secs(2);

/// One configured address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) host: Box<str>,
    pub(super) port: u16,
    /// Known if the host is an address.
    pub(super) ip: Option<IpAddr>,
}

impl Name {
    /// Reads `host:port`; IPv6 in brackets.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(socket) = text.parse::<SocketAddr>() {
            let ip = socket.ip();
            return Some(Self { host: ip.to_string().into(), port: socket.port(), ip: Some(ip) });
        }
        let (host, port) = text.rsplit_once(':')?;
        let plain = !host.is_empty() && !host.contains([':', '/', '[', ']']);
        let port = port.parse().ok().filter(|_| plain)?;
        Some(Self { host: host.into(), port, ip: None })
    }
}

impl Pool {
    /// Must names be looked up again from time to time?
    pub(super) fn has_names(&self) -> bool {
        self.names.iter().any(|name| name.ip.is_none())
    }

    /// Looks all names up and puts what was found in use. A name that is not found keeps the addresses it had.
    pub(super) async fn look_up(&self, book: &AddressBook) {
        let mut found = Vec::new();
        let mut missing = false;
        for name in &self.names {
            if let Some(ip) = name.ip {
                found.push((SocketAddr::new(ip, name.port), &*name.host));
                continue;
            }
            match tokio::net::lookup_host((&*name.host, name.port)).await {
                Ok(sockets) => found.extend(sockets.map(|socket| (socket, &*name.host))),
                Err(error) => {
                    missing = true;
                    tracing::warn!(backend = %self.name, host = %name.host, %error, "name not found");
                }
            }
        }
        if missing && !self.endpoints.load().is_empty() {
            return;
        }
        self.put(book, found);
    }

    /// The same, blocking, at load time; `before` is what the generation before knows of this backend.
    fn look_up_now(&self, book: &AddressBook, before: Option<&Self>) {
        let mut found = Vec::new();
        for name in &self.names {
            match name.ip {
                Some(ip) => found.push((SocketAddr::new(ip, name.port), &*name.host)),
                None => match (&*name.host, name.port).to_socket_addrs() {
                    Ok(sockets) => found.extend(sockets.map(|socket| (socket, &*name.host))),
                    Err(error) => {
                        let host = &name.host;
                        tracing::warn!(backend = %self.name, %host, %error, "name not found yet");
                        let known = before.map(|pool| pool.known(name)).unwrap_or_default();
                        found.extend(known.into_iter().map(|socket| (socket, &*name.host)));
                    }
                },
            }
        }
        self.put(book, found);
    }

    /// The addresses in use under a name.
    fn known(&self, name: &Name) -> Vec<SocketAddr> {
        let endpoints = self.endpoints.load();
        let of_name = endpoints.iter().filter(|each| each.host == name.host);
        let sockets = of_name.map(|each| each.address.socket());
        sockets.filter(|socket| socket.port() == name.port).collect()
    }

    fn put(&self, book: &AddressBook, mut found: Vec<(SocketAddr, &str)>) {
        let mut seen = std::collections::HashSet::new();
        found.retain(|(socket, _)| seen.insert(*socket));
        let same = {
            let now = self.endpoints.load();
            now.len() == found.len() && now.iter().all(|each| seen.contains(&each.address.socket()))
        };
        if !same {
            self.replace(book, &found);
        }
    }
}

/// First look-up of all backends. Names are looked up side by side, because a dead name server costs seconds each.
pub(super) fn all_at_once(pools: &[Pool], book: &AddressBook, known: Option<&Backends>) {
    const SIDE_BY_SIDE: usize = 16;
    let before = |pool: &Pool| {
        let known = known?.pools().iter().find(|known| known.name == pool.name);
        known.map(|known| &**known)
    };
    let (named, plain): (Vec<_>, Vec<_>) = pools.iter().partition(|pool| pool.has_names());
    for pool in plain {
        pool.look_up_now(book, None);
    }
    for some in named.chunks(SIDE_BY_SIDE) {
        std::thread::scope(|scope| {
            for pool in some {
                scope.spawn(|| pool.look_up_now(book, before(pool)));
            }
        });
    }
}

#[cfg(test)]
mod tests;
