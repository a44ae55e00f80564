//! What a measurement of the binary against itself is asked for: `PATH-OF-CUTOVER [--rate N] [--pairs N] [--seconds N]`.

use anyhow::{Context as _, bail, ensure};
use std::path::PathBuf;

const USAGE: &str = "usage: PATH-OF-CUTOVER [--rate N] [--pairs N] [--seconds N]";

/// The question.
#[derive(Clone, Debug)]
pub struct Args {
    /// The binary under test.
    pub cutover: PathBuf,
    /// Requests per second.
    pub rate: u32,
    /// Pairs of blocks; the first warms up and is left out.
    pub pairs: usize,
    /// Length of a block.
    pub seconds: u32,
}

impl Args {
    /// Reads the words; what they do not say is 31 pairs of 1 s at this rate: many short blocks, because what else a machine
    /// does comes and goes.
    ///
    /// # Errors
    /// If a word is unknown, a number is none, or there is no such program.
    pub fn read(words: &[&str], rate: u32) -> anyhow::Result<Self> {
        let mut args = Self { cutover: PathBuf::new(), rate, pairs: 31, seconds: 1 };
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
