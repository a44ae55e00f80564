//! What the measurement is asked for.

use anyhow::{Context as _, bail, ensure};
use std::path::PathBuf;

/// The question.
pub(crate) struct Args {
    /// The binary under test.
    pub(crate) cutover: PathBuf,
    /// Requests per second.
    pub(crate) rate: u32,
    /// Pairs of blocks; the first warms up and is left out.
    pub(crate) pairs: usize,
    /// Length of a block.
    pub(crate) seconds: u32,
}

impl Args {
    pub(crate) fn read(words: &[&str]) -> anyhow::Result<Self> {
        const USAGE: &str = "usage: mirror PATH-OF-CUTOVER [--rate N] [--pairs N] [--seconds N]";
        let mut args = Self { cutover: PathBuf::new(), rate: 2_000, pairs: 13, seconds: 2 };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if !word.starts_with("--") {
                args.cutover = PathBuf::from(word);
                continue;
            }
            let number = words.next().context(USAGE)?;
            match *word {
                "--rate" => args.rate = number.parse().context(USAGE)?,
                "--pairs" => args.pairs = number.parse().context(USAGE)?,
                "--seconds" => args.seconds = number.parse().context(USAGE)?,
                _ => bail!(USAGE),
            }
        }
        ensure!(args.cutover.is_file(), "{USAGE}");
        ensure!(args.pairs > 1, "--pairs must be at least 2: the first one warms up");
        Ok(args)
    }
}
