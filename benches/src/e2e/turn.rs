//! A load across a change of configuration: which requests failed, and who answered from when on.
//!
//! It behaves as clients do: a connection that the other side has announced to close is opened anew, and a request whose
//! reused connection was closed before the first byte of a reply is sent once more. The second is counted, since not every
//! client does it.

use super::backend::BODY_BYTES;
use super::reply::{Came, Wanted, read};
use anyhow::{Context as _, bail};
use hdrhistogram::Histogram;
use std::fmt;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A reply that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(2);
/// A connection has seen the change when so many replies in a row were of the side that it was made to.
const SEEN: u32 = 5;
/// Requests due so long after the change are the ones whose percentiles are told.
const WINDOW: Duration = Duration::from_secs(1);

/// What to send, and what is to change.
#[derive(Clone, Debug)]
pub struct Turn {
    /// To whom.
    pub to: SocketAddr,
    /// Requests per second, over all connections.
    pub per_second: f64,
    /// Connections, each of which is one thread.
    pub connections: u32,
    /// From the first request to the change, and from there to the last one; longer if a connection has not seen it yet.
    pub each: Duration,
    /// A connection that has not seen the change so long after it never will.
    pub never: Duration,
    /// When the change is made, in milliseconds since 1970.
    pub at_unix_ms: u64,
    /// Who answers when it is done.
    pub into: u8,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Turned {
    /// Good replies.
    pub replies: u64,
    /// Requests that had to be sent once more.
    pub again: u64,
    /// Requests without a good reply.
    pub failed: u64,
    /// Connections that never saw the change.
    pub unsettled: u64,
    /// From the change to the end of the first reply of the side that it is made to; 0 without one.
    pub first_ms: f64,
    /// From the change to the end of the last reply of the other side; 0 if there was none after it.
    pub last_ms: f64,
    /// Of the requests that were due before the change.
    pub p99_before_us: f64,
    /// Of those that were due in the second after it.
    pub p99_after_us: f64,
}

/// One connection, and what it saw.
struct Line<'t> {
    turn: &'t Turn,
    changes: Instant,
    stream: Option<TcpStream>,
    held: Vec<u8>,
    before: Histogram<u64>,
    after: Histogram<u64>,
    told: Turned,
}

impl Turn {
    /// Sends it, from the threads of this process.
    ///
    /// # Errors
    /// If the moment of the change is over, or nothing at all was answered.
    #[expect(clippy::disallowed_methods, reason = "a moment that two processes share")]
    pub fn send(&self) -> anyhow::Result<Turned> {
        let at = UNIX_EPOCH + Duration::from_millis(self.at_unix_ms);
        let left = at.duration_since(SystemTime::now()).context("the change is over")?;
        let changes = Instant::now() + left;
        let mut all = Line::new(self, changes)?;
        let lines: Vec<anyhow::Result<Line<'_>>> = std::thread::scope(|scope| {
            let line = |number| {
                scope.spawn(move || {
                    let mut line = Line::new(self, changes)?;
                    line.send(number)?;
                    Ok(line)
                })
            };
            let lines: Vec<_> = (0..self.connections).map(line).collect();
            let end = |_| bail!("a connection's thread panicked");
            lines.into_iter().map(|line| line.join().unwrap_or_else(end)).collect()
        });
        for line in lines {
            all.join(&line?)?;
        }
        let p99 = |of: &Histogram<u64>| of.value_at_quantile(0.99) as f64 / 1e3;
        let (p99_before_us, p99_after_us) = (p99(&all.before), p99(&all.after));
        if all.told.replies == 0 {
            bail!("nothing was answered");
        }
        Ok(Turned { p99_before_us, p99_after_us, ..all.told })
    }
}

impl<'t> Line<'t> {
    fn new(turn: &'t Turn, changes: Instant) -> anyhow::Result<Self> {
        Ok(Self {
            turn,
            changes,
            stream: None,
            held: vec![0; 16 * 1024],
            before: Histogram::new(3)?,
            after: Histogram::new(3)?,
            told: Turned::default(),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "measures time, and waits for its turn")]
    fn send(&mut self, number: u32) -> anyhow::Result<()> {
        let Turn { per_second, connections, each, never, .. } = *self.turn;
        let begins = self.changes - each;
        let mut row = 0;
        for turn in 0_u32.. {
            let at = (f64::from(number) + f64::from(turn) * f64::from(connections)) / per_second;
            let due = begins + Duration::from_secs_f64(at);
            if due >= self.changes + each && row >= SEEN {
                break;
            }
            if due >= self.changes + never {
                self.told.unsettled = 1;
                break;
            }
            let early = due.saturating_duration_since(Instant::now());
            let from = if early.is_zero() {
                due
            } else {
                std::thread::sleep(early);
                Instant::now()
            };
            let Some(byte) = self.answered() else {
                self.told.failed += 1;
                continue;
            };
            let now = Instant::now();
            self.told.replies += 1;
            let took = u64::try_from(now.saturating_duration_since(from).as_nanos())?;
            if due < self.changes {
                self.before.record(took)?;
            } else if due < self.changes + WINDOW {
                self.after.record(took)?;
            }
            let since_ms = now.saturating_duration_since(self.changes).as_secs_f64() * 1e3;
            row = if byte == self.turn.into { row + 1 } else { 0 };
            if row == 0 {
                self.told.last_ms = self.told.last_ms.max(since_ms);
            } else if self.told.first_ms == 0.0 {
                self.told.first_ms = since_ms;
            }
        }
        Ok(())
    }

    /// Who answered, if somebody did, at the first or the second attempt.
    fn answered(&mut self) -> Option<u8> {
        // A new connection that is closed at once is a failure like any other.
        let reused = self.stream.is_some();
        let mut came = self.attempt();
        if reused && matches!(came, Ok(Came::Closed)) {
            self.stream = None;
            self.told.again += 1;
            came = self.attempt();
        }
        if !matches!(came, Ok(Came::Whole { last: false, .. })) {
            self.stream = None;
        }
        match came {
            Ok(Came::Whole { byte, .. }) => Some(byte),
            Ok(Came::Closed | Came::Late) | Err(_) => None,
        }
    }

    fn attempt(&mut self) -> anyhow::Result<Came> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.turn.to)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream
            }
        };
        let sent = stream.write_all(
            b"GET /api/profile/4711 HTTP/1.1\r\nhost: bench.example\r\nx-user-id: user-7\r\n\r\n",
        );
        if sent.is_err() {
            return Ok(Came::Closed);
        }
        let wanted = Wanted { body_bytes: BODY_BYTES, edited: false };
        let came = read(&mut stream, &mut self.held, wanted)?;
        self.stream = Some(stream);
        Ok(came)
    }

    fn join(&mut self, other: &Self) -> anyhow::Result<()> {
        self.before.add(&other.before)?;
        self.after.add(&other.after)?;
        let (ours, theirs) = (&mut self.told, &other.told);
        ours.replies += theirs.replies;
        ours.again += theirs.again;
        ours.failed += theirs.failed;
        ours.unsettled += theirs.unsettled;
        ours.last_ms = ours.last_ms.max(theirs.last_ms);
        if theirs.first_ms > 0.0 && (ours.first_ms == 0.0 || theirs.first_ms < ours.first_ms) {
            ours.first_ms = theirs.first_ms;
        }
        Ok(())
    }
}

impl fmt::Display for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { replies, again, failed, unsettled, first_ms, last_ms, .. } = self;
        let Self { p99_before_us, p99_after_us, .. } = self;
        write!(f, "{replies} {again} {failed} {unsettled} {first_ms} {last_ms} ")?;
        write!(f, "{p99_before_us} {p99_after_us}")
    }
}

/// Reads what [`fmt::Display`] writes, from another process.
impl FromStr for Turned {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [replies, again, failed, unsettled, first, last, before, after] = words[..] else {
            bail!("not a line of figures: {text}")
        };
        Ok(Self {
            replies: replies.parse()?,
            again: again.parse()?,
            failed: failed.parse()?,
            unsettled: unsettled.parse()?,
            first_ms: first.parse()?,
            last_ms: last.parse()?,
            p99_before_us: before.parse()?,
            p99_after_us: after.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::e2e::sides::{NEW, OLD};
    use std::io::Read as _;
    use std::net::TcpListener;

    /// Answers `requests` of each connection and closes it, and says before whether it will.
    fn backend(requests: usize, says: bool, changes: Instant) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    for number in 1..=requests {
                        let Ok(1..) = stream.read(&mut [0; 1024]) else { return };
                        let close =
                            if says && number == requests { "connection: close\r\n" } else { "" };
                        #[expect(clippy::disallowed_methods, reason = "a side that changes")]
                        let byte = if Instant::now() < changes { OLD } else { NEW };
                        let body = String::from(char::from(byte)).repeat(BODY_BYTES);
                        let _ = write!(
                            stream,
                            "HTTP/1.1 200 OK\r\ncontent-length: {BODY_BYTES}\r\n{close}\r\n{body}"
                        );
                    }
                });
            }
        });
        address
    }

    fn turn(to: SocketAddr, each: Duration, at_unix_ms: u64) -> Turn {
        let never = Duration::from_secs(2);
        Turn { to, per_second: 100.0, connections: 2, each, never, at_unix_ms, into: NEW }
    }

    #[expect(clippy::disallowed_methods, reason = "a moment that two sides share")]
    fn turned(requests: usize, says: bool) -> Turned {
        let each = Duration::from_millis(200);
        let soon = Duration::from_millis(250);
        let at = SystemTime::now() + soon;
        let at_unix_ms = at.duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
        let to = backend(requests, says, Instant::now() + soon);
        turn(to, each, at_unix_ms).send().expect("replies")
    }

    #[test]
    fn who_answers_from_when_on_survives_a_line_of_text() {
        let told = turned(1_000, true);
        assert_eq!((told.again, told.failed, told.unsettled), (0, 0, 0));
        assert!(told.replies >= 40, "{told:?}");
        assert!(told.first_ms > 0.0 && told.p99_before_us > 0.0, "{told:?}");
        assert_eq!(told.to_string().parse::<Turned>().expect("figures"), told);
    }

    #[test]
    fn a_connection_that_is_closed_without_a_word_costs_another_attempt_and_an_announced_one_none()
    {
        let told = turned(5, true);
        assert_eq!((told.again, told.failed), (0, 0));
        let told = turned(5, false);
        assert_eq!(told.failed, 0);
        assert!(told.again > 0, "{told:?}");
    }

    #[test]
    fn who_closes_new_connections_has_failed() {
        let to = backend(0, false, far());
        let turn = turn(to, Duration::from_millis(200), unix_ms() + 250);
        let error = turn.send().expect_err("no reply").to_string();
        assert!(error.contains("nothing was answered"), "{error}");
    }

    #[test]
    fn who_never_sees_the_change_is_counted() {
        let to = backend(1_000, false, far());
        let told = turn(to, Duration::from_millis(200), unix_ms() + 250).send().expect("replies");
        assert_eq!((told.failed, told.unsettled, told.first_ms), (0, 2, 0.0));
        assert!(told.last_ms > 1_000.0, "{told:?}");
    }

    #[expect(clippy::disallowed_methods, reason = "a moment that never comes here")]
    fn far() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[expect(clippy::disallowed_methods, reason = "a moment that two sides share")]
    fn unix_ms() -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_millis() as u64)
    }
}
