//! A table for people, the same for programs, and a picture.

use crate::args::Args;
use crate::measure::Measured;
use crate::product::{Kind, Product};
use crate::scenario::Scenario;
use crate::{Row, svg};
use std::fmt::Write as _;
use std::path::Path;

pub(crate) struct Report {
    rate: u32,
    versions: Vec<(String, String)>,
    rows: Vec<Row>,
    /// The bare proxy against itself.
    noise: Option<Measured>,
}

impl Report {
    pub(crate) fn new(args: &Args, products: &[Product]) -> Self {
        let versions = products.iter().map(|p| (p.name.to_owned(), p.version.clone()));
        Self { rate: args.rate, versions: versions.collect(), rows: Vec::new(), noise: None }
    }

    pub(crate) fn add(&mut self, scenario: Scenario, product: &Product, measured: Measured) {
        if product.kind == Kind::Bare {
            self.noise = Some(measured.clone());
        }
        self.rows.push((scenario, product.name.to_owned(), measured));
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
        std::fs::write(out.join("peers.md"), self.markdown())?;
        std::fs::write(out.join("peers.json"), self.json())?;
        std::fs::write(out.join("peers.svg"), svg::chart(&self.rows))?;
        Ok(())
    }

    fn markdown(&self) -> String {
        let mut text = format!("{}; {} requests per second.\n", self.verdict(), self.rate);
        for scenario in Scenario::ALL {
            let _ = write!(
                text,
                "\n| {} | µs of CPU per request | beside bare Pingora | 95 % | p50 | p99 | most per second | peak memory |\n\
                 |---|---|---|---|---|---|---|---|\n",
                scenario.name()
            );
            for (_, name, m) in self.rows.iter().filter(|(of, ..)| *of == scenario) {
                let most = m.most_per_s.map_or_else(|| "?".to_owned(), |most| format!("{most:.0}"));
                let _ = writeln!(
                    text,
                    "| {name} | {:.1} | {:.2} | {:.2} to {:.2} | {:.0} µs | {:.0} µs | {most} | {:.0} MiB |",
                    m.cpu_us, m.ratio, m.interval.0, m.interval.1, m.p50_us, m.p99_us, m.peak_mib
                );
            }
        }
        text.push('\n');
        for (name, version) in &self.versions {
            let _ = writeln!(text, "- {name}: {version}");
        }
        text
    }

    fn json(&self) -> String {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|(scenario, name, m)| {
                let most = m.most_per_s.map_or_else(|| "null".to_owned(), |most| most.to_string());
                format!(
                    "  {{ \"scenario\": \"{}\", \"product\": \"{name}\", \"cpu_us\": {}, \"ratio\": {}, \
                     \"low\": {}, \"high\": {}, \"p50_us\": {}, \"p99_us\": {}, \"most_per_s\": {most}, \
                     \"peak_mib\": {} }}",
                    scenario.name(), m.cpu_us, m.ratio, m.interval.0, m.interval.1, m.p50_us, m.p99_us,
                    m.peak_mib
                )
            })
            .collect();
        format!("[\n{}\n]\n", rows.join(",\n"))
    }
}
