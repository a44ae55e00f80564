//! A table for people, the same for programs, and a picture.

use crate::args::Args;
use crate::machine::Machine;
use crate::measure::Measured;
use crate::product::{Kind, Product};
use crate::scenario::Scenario;
use crate::{Row, svg};
use std::fmt::Write as _;
use std::path::Path;

pub(crate) struct Report {
    rate: u32,
    pairs: usize,
    seconds: u32,
    machine: Machine,
    versions: Vec<(String, String)>,
    rows: Vec<Row>,
    /// The bare proxy against itself.
    noise: Option<Measured>,
}

impl Report {
    pub(crate) fn new(args: &Args, products: &[Product]) -> Self {
        let versions = products.iter().map(|p| (p.name.to_owned(), p.version.clone()));
        Self {
            rate: args.rate,
            pairs: args.pairs,
            seconds: args.seconds,
            machine: Machine::look(),
            versions: versions.collect(),
            rows: Vec::new(),
            noise: None,
        }
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
        std::fs::write(out.join("peers.svg"), svg::chart(&self.rows, &self.verdict()))?;
        Ok(())
    }

    fn markdown(&self) -> String {
        let Self { rate, pairs, seconds, machine, .. } = self;
        let mut text = format!(
            "{}. {rate} requests per second, {pairs} pairs of blocks of {seconds} s. {}, Linux {}, commit {}; \
             {} processes ran or waited before it began",
            self.verdict(),
            machine.processor,
            machine.kernel,
            machine.commit,
            machine.waiting,
        );
        match machine.stolen_percent() {
            Some(stolen) => drop(writeln!(text, ", others had {stolen:.1} % of the cores' time.")),
            None => text.push_str(".\n"),
        }
        for scenario in Scenario::ALL {
            let _ = write!(
                text,
                "\n| {} | µs of CPU per request | beside bare Pingora | 95 % | p50 | p99 | most per second | peak memory |\n\
                 |---|---|---|---|---|---|---|---|\n",
                scenario.name()
            );
            for (_, name, m) in self.rows.iter().filter(|(of, ..)| *of == scenario) {
                let most = m.most.map_or_else(
                    || "?".to_owned(),
                    |most| {
                        let over = if most.is_a_floor() { "over " } else { "" };
                        format!("{over}{:.0}", most.per_s)
                    },
                );
                let _ = writeln!(
                    text,
                    "| {name} | {:.1} | {:.2} | {:.2} to {:.2} | {:.0} µs | {:.0} µs | {most} | {:.0} MiB |",
                    m.cpu_us, m.ratio, m.interval.0, m.interval.1, m.p50_us, m.p99_us, m.peak_mib
                );
            }
        }
        text.push_str(
            "\n\"over\": the load or the backends were at their end before the proxy was.\n\n",
        );
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
                let (most, busy) = m.most.map_or_else(
                    || ("null".to_owned(), "null".to_owned()),
                    |most| (most.per_s.to_string(), most.busy.to_string()),
                );
                format!(
                    "    {{ \"scenario\": {}, \"product\": {}, \"cpu_us\": {}, \"ratio\": {}, \
                     \"low\": {}, \"high\": {}, \"p50_us\": {}, \"p99_us\": {}, \"most_per_s\": {most}, \
                     \"busy_at_most\": {busy}, \"peak_mib\": {} }}",
                    quoted(scenario.name()), quoted(name), m.cpu_us, m.ratio, m.interval.0, m.interval.1,
                    m.p50_us, m.p99_us, m.peak_mib
                )
            })
            .collect();
        let versions = self.versions.iter();
        let versions: Vec<String> = versions
            .map(|(name, version)| format!("    {}: {}", quoted(name), quoted(version)))
            .collect();
        let Self { rate, pairs, seconds, machine, .. } = self;
        let stolen = machine.stolen_percent();
        let stolen = stolen.map_or_else(|| "null".to_owned(), |stolen| stolen.to_string());
        format!(
            "{{\n  \"verdict\": {},\n  \"commit\": {},\n  \"processor\": {},\n  \"kernel\": {},\n  \
             \"waiting_before\": {},\n  \"stolen_percent\": {stolen},\n  \"rate_per_s\": {rate},\n  \
             \"pairs\": {pairs},\n  \"block_s\": {seconds},\n  \"versions\": {{\n{}\n  }},\n  \
             \"rows\": [\n{}\n  ]\n}}\n",
            quoted(&self.verdict()),
            quoted(&machine.commit),
            quoted(&machine.processor),
            quoted(&machine.kernel),
            quoted(&machine.waiting),
            versions.join(",\n"),
            rows.join(",\n")
        )
    }
}

/// A text of JSON. Programs say their versions in one line, so that only these need care.
fn quoted(text: &str) -> String {
    let text: String = text.chars().filter(|char| !char.is_control()).collect();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_of_itself_cannot_break_the_json() {
        assert_eq!(quoted("a \"b\" \\ c\t"), r#""a \"b\" \\ c""#);
    }
}
