//! An open-loop load: requests have their times, whatever became of those before them.
//!
//! A closed loop waits for a slow reply before it asks again, and so leaves out of its percentiles what users would have
//! waited (coordinated omission; G. Tene, "How NOT to measure latency"). Here each request has its place in a schedule,
//! and its latency counts from there, unless the connection was free and only this program woke up late.

use super::sides::{Sides, USERS, Watch};
use anyhow::{Context as _, bail, ensure};
use hdrhistogram::Histogram;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// A reply that takes longer ends the load.
const PATIENCE: Duration = Duration::from_secs(30);

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
    /// Bytes of the body that each reply must have.
    pub body_bytes: usize,
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
    /// How long it took.
    pub latency: Latency,
    /// Who answered.
    pub sides: Sides,
}

impl Load {
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
            let (mut all, mut watch) = (Histogram::<u64>::new(3)?, Watch::default());
            for line in lines {
                let Ok(told) = line.join() else { bail!("a connection's thread panicked") };
                let (told, seen) = told?;
                all.add(told)?;
                watch.join(&seen);
            }
            Ok((all, watch))
        });
        let (all, watch) = all?;
        let at = |share: f64| all.value_at_quantile(share) as f64 / 1e3;
        let replies = all.len();
        let latency = Latency { replies, p50_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999) };
        Ok(Sent { latency, sides: watch.sides() })
    }

    /// So few that all of them ask again, or constancy would not be seen; an odd number, so that they do so over another
    /// connection.
    fn users(&self) -> u32 {
        let requests = self.per_second * self.lasts.as_secs_f64();
        (((requests / 2.0) as u32).saturating_sub(1) | 1).min(USERS - 1)
    }

    /// One connection's part of the schedule, in nanoseconds.
    #[expect(clippy::disallowed_methods, reason = "measures time, and waits for its turn")]
    fn connection(&self, number: u32, begins: Instant) -> anyhow::Result<(Histogram<u64>, Watch)> {
        let mut stream = TcpStream::connect(self.to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (mut told, mut watch) = (Histogram::<u64>::new(3)?, Watch::default());
        let mut held = vec![0; 16 * 1024];
        let between = f64::from(self.connections) / self.per_second;
        let first = f64::from(number) / self.per_second;
        let users = self.users();
        for turn in 0_u32.. {
            let at = first + f64::from(turn) * between;
            if at >= self.lasts.as_secs_f64() {
                break;
            }
            let due = begins + Duration::from_secs_f64(at);
            let early = due.saturating_duration_since(Instant::now());
            let from = if early.is_zero() {
                due
            } else {
                std::thread::sleep(early);
                Instant::now()
            };
            let user = turn.wrapping_mul(self.connections).wrapping_add(number) % users;
            write!(
                stream,
                "GET {} HTTP/1.1\r\nhost: bench.example\r\nx-user-id: user-{user}\r\n\r\n",
                self.path
            )?;
            let byte = reply(&mut stream, &mut held, self.body_bytes)?;
            watch.saw(user, byte);
            told.record(u64::try_from(from.elapsed().as_nanos())?)?;
        }
        Ok((told, watch))
    }
}

/// Reads one whole reply, and answers with the first byte of its body.
fn reply(stream: &mut TcpStream, held: &mut [u8], body_bytes: usize) -> anyhow::Result<u8> {
    let mut have = 0;
    loop {
        let read = stream.read(&mut held[have..]).context("no reply")?;
        ensure!(read > 0, "the connection ended in the middle of a reply");
        have += read;
        let Some(head) = held[..have].windows(4).position(|four| four == b"\r\n\r\n") else {
            ensure!(have < held.len(), "a header without an end");
            continue;
        };
        ensure!(held.starts_with(b"HTTP/1.1 200 "), "not a 200: {}", held[..head].escape_ascii());
        let whole = head + 4 + body_bytes;
        ensure!(have <= whole, "a reply longer than {body_bytes} bytes");
        if have == whole {
            return Ok(held[head + 4]);
        }
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.latency, self.sides)
    }
}

/// Reads what [`fmt::Display`] writes, from another process.
impl FromStr for Sent {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (latency, sides) = text.split_once('/').context("half a line of figures")?;
        Ok(Self { latency: latency.parse()?, sides: sides.parse()? })
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
        let lasts = Duration::from_millis(200);
        Load { to, per_second, connections: 2, lasts, path: "/".to_owned(), body_bytes: 4 }
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
