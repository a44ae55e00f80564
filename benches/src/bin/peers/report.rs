//! Tables for people, the same for programs, and a picture.

mod json;
mod markdown;
mod picture;

use crate::args::Args;
use crate::idle::Idle;
use crate::machine::Machine;
use crate::measure::Measured;
use crate::product::{Kind, Product};
use crate::reload::Reloaded;
use crate::scenario::Scenario;
use crate::start::Started;
use std::path::Path;

/// What is known of one product in one place.
#[derive(Clone, Debug)]
pub(crate) struct Row<T> {
    pub(crate) name: &'static str,
    pub(crate) got: Got<T>,
}

#[derive(Clone, Debug)]
pub(crate) enum Got<T> {
    Measured(T),
    /// Not measured, and why.
    Not(&'static str),
}

#[derive(Debug)]
pub(crate) struct Report {
    rate: u32,
    pairs: usize,
    seconds: u32,
    machine: Machine,
    versions: Vec<(&'static str, String)>,
    blocks: Vec<(Scenario, Vec<Row<Measured>>)>,
    /// The bare proxy against itself.
    noise: Option<Measured>,
    /// With how each reloads.
    pub(crate) reloads: Vec<(&'static str, Row<Reloaded>)>,
    pub(crate) idle: Vec<Row<Idle>>,
    pub(crate) starts: Vec<(Scenario, Vec<Row<Started>>)>,
    /// Milliseconds that starting nothing takes, if starts were measured.
    pub(crate) start_of_nothing: Option<f64>,
}

impl<T> Row<T> {
    pub(crate) fn measured(&self) -> Option<&T> {
        match &self.got {
            Got::Measured(measured) => Some(measured),
            Got::Not(_) => None,
        }
    }
}

impl Report {
    pub(crate) fn new(args: &Args, products: &[Product]) -> Self {
        Self {
            rate: args.rate,
            pairs: args.pairs,
            seconds: args.seconds,
            machine: Machine::look(),
            versions: products.iter().map(|p| (p.name, p.version.clone())).collect(),
            blocks: Vec::new(),
            noise: None,
            reloads: Vec::new(),
            idle: Vec::new(),
            starts: Vec::new(),
            start_of_nothing: None,
        }
    }

    pub(crate) fn add(&mut self, scenario: Scenario, product: &Product, got: Got<Measured>) {
        if let (Kind::Bare, Got::Measured(measured)) = (product.kind, &got) {
            self.noise = Some(measured.clone());
        }
        let row = Row { name: product.name, got };
        match self.blocks.iter_mut().find(|(of, _)| *of == scenario) {
            Some((_, rows)) => rows.push(row),
            None => self.blocks.push((scenario, vec![row])),
        }
    }

    /// May the figures be believed?
    pub(crate) fn verdict(&self) -> String {
        match &self.noise {
            Some(noise) if noise.is_void() => format!(
                "VOID: two bare proxies differ by {:.2} to {:.2}, more than 5 %; measure again when \
                 the machine is quiet",
                noise.interval.0, noise.interval.1
            ),
            Some(_) => "two bare proxies differ by less than 5 %: the figures stand".to_owned(),
            None => "VOID: the bare proxy was not held against itself".to_owned(),
        }
    }

    pub(crate) fn write(&self, out: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(out)?;
        std::fs::write(out.join("peers.md"), markdown::text(self))?;
        std::fs::write(out.join("peers.json"), json::text(self)?)?;
        std::fs::write(out.join("peers.svg"), picture::of(self))?;
        Ok(())
    }
}
