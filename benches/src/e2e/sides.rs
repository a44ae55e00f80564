//! Who answered whom: each backend fills its replies with a byte of its own.

use anyhow::{bail, ensure};
use std::fmt;
use std::str::FromStr;

/// Users of a load.
pub const USERS: u32 = 10_000;
/// What the side called old fills its replies with.
pub const OLD: u8 = b'o';
/// What the side called new does.
pub const NEW: u8 = b'n';

/// Who was answered by whom, while a load lasts.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The byte each user got; 0 before the first reply.
    seen: Vec<u8>,
    flips: u64,
}

/// The same, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Users that asked.
    pub users: u32,
    /// Those of them that new answered.
    pub on_new: u32,
    /// Times that a user was answered by another side than before.
    pub flips: u64,
}

impl Default for Watch {
    fn default() -> Self {
        Self { seen: vec![0; USERS as usize], flips: 0 }
    }
}

impl Watch {
    /// A user got a reply.
    pub fn saw(&mut self, user: u32, byte: u8) {
        let Some(seen) = self.seen.get_mut(user as usize) else { return };
        if *seen != 0 && *seen != byte {
            self.flips += 1;
        }
        *seen = byte;
    }

    /// What another connection saw.
    pub fn join(&mut self, other: &Self) {
        self.flips += other.flips;
        for (user, byte) in (0..).zip(&other.seen) {
            if *byte != 0 {
                self.saw(user, *byte);
            }
        }
    }

    /// In numbers.
    pub fn sides(&self) -> Sides {
        let count = |wanted: &dyn Fn(u8) -> bool| {
            let found = self.seen.iter().filter(|byte| wanted(**byte)).count();
            u32::try_from(found).unwrap_or(u32::MAX)
        };
        let (users, on_new) = (count(&|byte| byte != 0), count(&|byte| byte == NEW));
        Sides { users, on_new, flips: self.flips }
    }
}

impl Sides {
    /// Everybody got what old says.
    ///
    /// # Errors
    /// If somebody did not.
    pub fn all_old(&self) -> anyhow::Result<()> {
        ensure!(self.on_new == 0, "{} of {} users got new", self.on_new, self.users);
        Ok(())
    }

    /// Everybody got what new says.
    ///
    /// # Errors
    /// If somebody did not.
    pub fn all_new(&self) -> anyhow::Result<()> {
        let (stayed, users) = (self.users - self.on_new, self.users);
        ensure!(stayed == 0 && self.flips == 0, "{stayed} of {users} users got old");
        Ok(())
    }

    /// Each user stays, and this share of them is on new, give or take what chance does once in 15,000 times.
    ///
    /// # Errors
    /// If a user was moved, or the share is another one.
    pub fn split(&self, share: f64) -> anyhow::Result<()> {
        ensure!(self.flips == 0, "users changed sides {} times", self.flips);
        let users = f64::from(self.users);
        let (expected, deviation) = (users * share, (users * share * (1.0 - share)).sqrt());
        let off = (f64::from(self.on_new) - expected).abs();
        if off > 4.0 * deviation {
            bail!("{} of {} users are on new, not some {expected:.0}", self.on_new, self.users);
        }
        Ok(())
    }
}

impl fmt::Display for Sides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.users, self.on_new, self.flips)
    }
}

/// Reads what [`fmt::Display`] writes, from another process.
impl FromStr for Sides {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [users, on_new, flips] = words[..] else { bail!("not a line of counts: {text}") };
        Ok(Self { users: users.parse()?, on_new: on_new.parse()?, flips: flips.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_who_is_moved_is_seen_across_connections() {
        let (mut one, mut other) = (Watch::default(), Watch::default());
        (0..100).for_each(|user| one.saw(user, if user < 5 { NEW } else { OLD }));
        assert_eq!(one.sides(), Sides { users: 100, on_new: 5, flips: 0 });
        other.saw(7, OLD);
        one.join(&other);
        assert_eq!(one.sides().flips, 0);
        other.saw(7, NEW);
        one.join(&other);
        assert_eq!(one.sides().flips, 2, "once there, and once here");
        assert!(one.sides().split(0.05).is_err());
    }

    #[test]
    fn a_share_may_be_off_as_far_as_chance_goes() {
        let split = |on_new| Sides { users: 10_000, on_new, flips: 0 }.split(0.05);
        // The deviation is 21.8 users.
        assert!(split(500 - 87).is_ok() && split(500 + 87).is_ok());
        assert!(split(500 - 88).is_err() && split(500 + 88).is_err());
        assert!(Sides { users: 3, on_new: 1, flips: 0 }.all_old().is_err());
        assert!(Sides { users: 3, on_new: 2, flips: 0 }.all_new().is_err());
        assert!(Sides { users: 3, on_new: 3, flips: 0 }.all_new().is_ok());
    }
}
