//! An open-loop load: requests have their times, whatever became of those before them.
//!
//! A closed loop waits for a slow reply before it asks again, and so leaves out of its percentiles what users would have
//! waited (coordinated omission; G. Tene, "How NOT to measure latency"). Here each request has its place in a schedule,
//! and its latency counts from there, unless the connection was free and only this program woke up late.

use super::backend::BODY_BYTES;
use super::head::Head;
use super::reply::{Came, Wanted, read};
use super::sides::{Sides, USERS, Watch};
use anyhow::{Context as _, bail};
use hdrhistogram::Histogram;
use std::fmt;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// A reply that takes longer ends the load.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections of a usual load.
const CONNECTIONS: u32 = 32;

/// What to send.
#[derive(Clone, Debug)]
pub struct Load {
    /// To whom.
    pub to: SocketAddr,
    /// Requests per second, over all connections.
    pub per_second: f64,
    /// Connections, each of which is one thread. A request waits for its own one.
    pub connections: u32,
    /// For how long.
    pub lasts: Duration,
    /// Path of every request.
    pub path: String,
    /// What every request's head has besides.
    pub head: Head,
    /// What each reply must be; if its header must be edited, the request's has one to edit, too.
    pub wanted: Wanted,
    /// What has no reply so long after the schedule's end counts as not answered; `None`: that is an error.
    pub gives_up: Option<Duration>,
}

/// What came of it, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// Replies.
    pub replies: u64,
    /// Half of them took less.
    pub p50_us: f64,
    /// All but a hundredth of them took less.
    pub p99_us: f64,
    /// All but a thousandth of them took less.
    pub p999_us: f64,
}

/// All that came of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sent {
    /// How long it took. What was not answered counts with the time until it was given up, so these are lower bounds then.
    pub latency: Latency,
    /// Requests without a reply when the load gave up, sent or not.
    pub unanswered: u64,
    /// Who answered.
    pub sides: Sides,
}

/// What one connection saw.
struct Told {
    latency: Histogram<u64>,
    unanswered: u64,
    watch: Watch,
}

impl Load {
    /// The load that most measurements take: a path of a profile, replies of our backend.
    pub fn usual(to: SocketAddr, per_second: f64, lasts: Duration) -> Self {
        Self {
            to,
            per_second,
            connections: CONNECTIONS,
            lasts,
            path: "/api/profile/4711".to_owned(),
            head: Head::default(),
            wanted: Wanted { body_bytes: BODY_BYTES, edited: false },
            gives_up: None,
        }
    }

    /// Sends it, from the threads of this process.
    ///
    /// # Errors
    /// If a connection fails, or a reply is not what it should be.
    pub fn send(&self) -> anyhow::Result<Sent> {
        #[expect(clippy::disallowed_methods, reason = "the schedule begins now")]
        let begins = Instant::now() + Duration::from_millis(50);
        let all = std::thread::scope(|scope| {
            let lines: Vec<_> = (0..self.connections)
                .map(|number| scope.spawn(move || self.connection(number, begins)))
                .collect();
            let mut all = Told::nothing()?;
            for line in lines {
                let Ok(told) = line.join() else { bail!("a connection's thread panicked") };
                let told = told?;
                all.latency.add(told.latency)?;
                all.unanswered += told.unanswered;
                all.watch.join(&told.watch);
            }
            anyhow::Ok(all)
        });
        let Told { latency: all, unanswered, watch } = all?;
        let at = |share: f64| all.value_at_quantile(share) as f64 / 1e3;
        let replies = all.len() - unanswered;
        let latency = Latency { replies, p50_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999) };
        Ok(Sent { latency, unanswered, sides: watch.sides() })
    }

    /// So few that all of them ask again, or constancy would not be seen; an odd number, so that they do so over another
    /// connection.
    fn users(&self) -> u32 {
        let requests = self.per_second * self.lasts.as_secs_f64();
        (((requests / 2.0) as u32).saturating_sub(1) | 1).min(USERS - 1)
    }

    /// One connection's part of the schedule, in nanoseconds.
    #[expect(clippy::disallowed_methods, reason = "measures time, and waits for its turn")]
    fn connection(&self, number: u32, begins: Instant) -> anyhow::Result<Told> {
        let mut stream = TcpStream::connect(self.to)?;
        stream.set_nodelay(true)?;
        let ends = self.gives_up.map(|after| begins + self.lasts + after);
        let mut told = Told::nothing()?;
        let mut held = vec![0; 16 * 1024];
        let between = f64::from(self.connections) / self.per_second;
        let first = f64::from(number) / self.per_second;
        let (users, more) = (self.users(), self.head.more(self.wanted.edited));
        let mut open = true;
        for turn in 0_u32.. {
            let at = first + f64::from(turn) * between;
            if at >= self.lasts.as_secs_f64() {
                break;
            }
            let due = begins + Duration::from_secs_f64(at);
            let early = due.saturating_duration_since(Instant::now());
            let from = if early.is_zero() || !open {
                due
            } else {
                std::thread::sleep(early);
                Instant::now()
            };
            let left = ends.map(|ends| ends.saturating_duration_since(Instant::now()));
            open &= left.is_none_or(|left| !left.is_zero());
            if open {
                stream.set_read_timeout(Some(left.unwrap_or(PATIENCE)))?;
                let user = turn.wrapping_mul(self.connections).wrapping_add(number) % users;
                write!(
                    stream,
                    "GET {} HTTP/1.1\r\nhost: bench.example\r\nx-user-id: user-{user}\r\n{more}\r\n",
                    self.path
                )?;
                match read(&mut stream, &mut held, self.wanted)? {
                    Came::Whole { byte, .. } => {
                        told.watch.saw(user, byte);
                        told.latency.record(u64::try_from(from.elapsed().as_nanos())?)?;
                        continue;
                    }
                    Came::Closed => bail!("the connection ended without a reply"),
                    Came::Late if ends.is_none() => bail!("no reply in {PATIENCE:?}"),
                    Came::Late => open = false,
                }
            }
            told.unanswered += 1;
            let waited = ends.map_or(Duration::ZERO, |ends| ends.saturating_duration_since(due));
            told.latency.record(u64::try_from(waited.as_nanos())?)?;
        }
        Ok(told)
    }
}

impl Told {
    fn nothing() -> anyhow::Result<Self> {
        Ok(Self { latency: Histogram::new(3)?, unanswered: 0, watch: Watch::default() })
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {} / {}", self.latency, self.unanswered, self.sides)
    }
}

/// Reads what [`fmt::Display`] writes, from another process.
impl FromStr for Sent {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut parts = text.split('/');
        let mut part = || parts.next().context("half a line of figures");
        let (latency, unanswered, sides) = (part()?, part()?, part()?);
        Ok(Self {
            latency: latency.parse()?,
            unanswered: unanswered.trim().parse()?,
            sides: sides.parse()?,
        })
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { replies, p50_us, p99_us, p999_us } = self;
        write!(f, "{replies} {p50_us} {p99_us} {p999_us}")
    }
}

/// Reads what [`fmt::Display`] writes, from another process.
impl FromStr for Latency {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [replies, p50, p99, p999] = words[..] else { bail!("not a line of figures: {text}") };
        Ok(Self {
            replies: replies.parse()?,
            p50_us: p50.parse()?,
            p99_us: p99.parse()?,
            p999_us: p999.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;

    /// Answers every request after `pause`.
    fn backend(body: &'static str, pause: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
                    let mut stream = stream;
                    while let Some(Ok(line)) = lines.next() {
                        if !line.is_empty() {
                            continue;
                        }
                        #[expect(clippy::disallowed_methods, reason = "a slow backend")]
                        std::thread::sleep(pause);
                        let length = body.len();
                        let _ = write!(
                            stream,
                            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
                        );
                    }
                });
            }
        });
        address
    }

    fn load(to: SocketAddr, per_second: f64) -> Load {
        let usual = Load::usual(to, per_second, Duration::from_millis(200));
        Load { connections: 2, wanted: Wanted { body_bytes: 4, edited: false }, ..usual }
    }

    #[test]
    fn each_request_of_the_schedule_is_sent_and_its_figures_survive_a_line_of_text() {
        let told = load(backend("body", Duration::ZERO), 100.0).send().expect("replies");
        assert_eq!(told.to_string().parse::<Sent>().expect("figures"), told);
        let told = told.latency;
        assert_eq!(told.replies, 20);
        assert!(told.p50_us <= told.p99_us && told.p99_us <= told.p999_us, "{told:?}");
    }

    #[test]
    fn waiting_for_a_slow_backend_counts() {
        // Each connection is due every 20 ms and busy for 40: the last request of ten is 180 ms late.
        let told = load(backend("body", Duration::from_millis(40)), 100.0)
            .send()
            .expect("replies")
            .latency;
        assert_eq!(told.replies, 20);
        assert!(told.p99_us >= 200_000.0, "{told:?}");
    }

    #[test]
    fn what_a_stuck_backend_leaves_behind_is_counted_whether_it_was_sent_or_not() {
        // Each connection has ten requests in the schedule, and waits for the first one until the load gives up.
        let mut load = load(backend("body", Duration::from_secs(5)), 100.0);
        load.gives_up = Some(Duration::from_millis(100));
        let told = load.send().expect("it gives up");
        assert_eq!((told.latency.replies, told.unanswered), (0, 20));
        assert!(told.latency.p99_us >= 290_000.0, "{told:?}");
    }

    #[test]
    fn a_reply_that_is_not_as_it_should_be_ends_the_load() {
        let error = load(backend("longer", Duration::ZERO), 100.0).send().expect_err("a reply");
        assert!(error.to_string().contains("longer than 4 bytes"), "{error}");
    }

    #[test]
    fn every_user_of_a_load_asks_again_and_over_another_connection() {
        let to = SocketAddr::from(([127, 0, 0, 1], 1));
        for (per_second, users) in [(20.0, 1), (500.0, 49), (40_000.0, 3_999), (1e6, 9_999)] {
            assert_eq!(load(to, per_second).users(), users, "{per_second}");
        }
    }
}
