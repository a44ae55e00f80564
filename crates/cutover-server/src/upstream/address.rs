//! What is known about one address of one backend: requests in flight, failures to connect, checks. It outlives
//! generations, so that a reload neither forgets a dead address nor counts requests anew.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Consecutive failures to connect that eject an address.
pub const EJECT_AFTER: u32 = 3;
/// How long it is left out the first time; doubles while it keeps failing.
const FIRST_EJECTION: Duration = Duration::from_secs(2);
/// At most this long.
const LONGEST_EJECTION: Duration = Duration::from_secs(60);

/// One address of one backend.
#[derive(Debug)]
pub struct Address {
    socket: SocketAddr,
    text: Box<str>,
    since: Instant,
    in_flight: AtomicU32,
    connect_failures: AtomicU32,
    /// Milliseconds after `since` at which an ejection ends; 0 if there is none.
    out_until: AtomicU64,
    /// By active checks.
    unhealthy: AtomicBool,
    /// Consecutive checks that contradict `unhealthy`.
    contradictions: AtomicU32,
    /// The last check was answered as it should.
    answers_checks: AtomicBool,
}

impl Address {
    fn new(socket: SocketAddr, since: Instant) -> Self {
        Self {
            socket,
            text: socket.to_string().into(),
            since,
            in_flight: AtomicU32::new(0),
            connect_failures: AtomicU32::new(0),
            out_until: AtomicU64::new(0),
            unhealthy: AtomicBool::new(false),
            contradictions: AtomicU32::new(0),
            answers_checks: AtomicBool::new(false),
        }
    }

    /// Where it is.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// The same, as logs and metrics write it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Requests on their way to it.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// Failures to connect since the last connection.
    pub fn connect_failures(&self) -> u32 {
        self.connect_failures.load(Relaxed)
    }

    /// Neither ejected nor found unhealthy? Asks the time only if it has been ejected.
    pub fn is_usable(&self, now: impl FnOnce() -> Instant) -> bool {
        if self.unhealthy.load(Relaxed) {
            return false;
        }
        let until = self.out_until.load(Relaxed);
        until == 0 || self.milliseconds(now()) >= until
    }

    /// Was its last active check answered as it should? Not, if nobody checks.
    pub fn answers_checks(&self) -> bool {
        self.answers_checks.load(Relaxed)
    }

    /// Nothing at all is held against it.
    pub fn is_clean(&self) -> bool {
        !self.unhealthy.load(Relaxed) && self.out_until.load(Relaxed) == 0
    }

    /// It took a connection: all is forgiven.
    pub fn connected(&self) {
        if self.connect_failures.load(Relaxed) != 0 {
            self.connect_failures.store(0, Relaxed);
            self.out_until.store(0, Relaxed);
        }
    }

    /// It refused a connection. After [`EJECT_AFTER`] in a row it is left out for a while, then tried again. How many
    /// in a row it is now.
    pub fn connect_failed(&self, now: Instant) -> u32 {
        let failures = self.connect_failures.fetch_add(1, Relaxed).saturating_add(1);
        if failures < EJECT_AFTER {
            return failures;
        }
        let doublings = (failures - EJECT_AFTER).min(5);
        let out = (FIRST_EJECTION * (1 << doublings)).min(LONGEST_EJECTION);
        self.out_until.store(self.milliseconds(now + out).max(1), Relaxed);
        failures
    }

    /// The result of an active check; `true` if it changed what is thought of the address.
    pub fn checked(&self, healthy: bool, unhealthy_after: u32, healthy_after: u32) -> bool {
        self.answers_checks.store(healthy, Relaxed);
        if self.unhealthy.load(Relaxed) != healthy {
            self.contradictions.store(0, Relaxed);
            return false;
        }
        let needed = if healthy { healthy_after } else { unhealthy_after };
        if self.contradictions.fetch_add(1, Relaxed) + 1 < needed {
            return false;
        }
        self.contradictions.store(0, Relaxed);
        self.unhealthy.store(!healthy, Relaxed);
        true
    }

    /// Nobody checks it any more: what checks have found is of a configuration that is gone.
    pub fn is_not_checked(&self) {
        self.contradictions.store(0, Relaxed);
        self.unhealthy.store(false, Relaxed);
        self.answers_checks.store(false, Relaxed);
    }

    fn milliseconds(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.since).as_millis()).unwrap_or(u64::MAX)
    }
}

/// One request on its way to an address; counted until dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Address>);

impl InFlight {
    /// Counts one more.
    pub fn new(address: Arc<Address>) -> Self {
        address.in_flight.fetch_add(1, Relaxed);
        Self(address)
    }

    /// Where to.
    pub fn address(&self) -> &Address {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

/// All addresses that a generation still uses, by backend.
#[derive(Debug)]
pub struct AddressBook {
    since: Instant,
    known: Mutex<HashMap<Named, Weak<Address>>>,
}

/// An address of a backend, by its name.
type Named = (Box<str>, SocketAddr);

impl AddressBook {
    /// An empty one.
    pub fn new(now: Instant) -> Self {
        Self { since: now, known: Mutex::default() }
    }

    /// The address, as known before or new.
    pub fn address(&self, backend: &str, socket: SocketAddr) -> Arc<Address> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = known.get(&(backend.into(), socket)).and_then(Weak::upgrade) {
            return address;
        }
        known.retain(|_, address| address.strong_count() > 0);
        let address = Arc::new(Address::new(socket, self.since));
        known.insert((backend.into(), socket), Arc::downgrade(&address));
        address
    }
}

#[cfg(test)]
mod tests;
