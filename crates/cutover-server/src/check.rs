//! `cutover check`: everything that is wrong with a configuration, without running it.

use crate::args::Output;
use crate::exit::{Exit, print};
use cutover::config::{Finding, Report, Severity};
use cutover::{Engine, EngineOptions};
use cutover_server::surroundings::Source;
use std::path::Path;

pub(crate) fn check(file: &Path, output: Output) -> Exit {
    let source = Source::new(file);
    let report = findings(&source);
    let failed = report.has_errors();
    match output {
        Output::Json => print(report.to_json()),
        Output::Text if report.findings.is_empty() => {
            print(format_args!("{}: no findings", report.file));
            print(format_args!("next: cutover run -c {}", report.file));
        }
        Output::Text => {
            print(report.to_string().trim_end());
            if !failed {
                print(format_args!("next: cutover run -c {}", report.file));
            }
        }
    }
    if failed { Exit::Failed } else { Exit::Done }
}

fn findings(source: &Source) -> Report {
    let config = match source.text().and_then(|text| source.check(&text)) {
        Ok(config) => config,
        Err(report) => return report,
    };
    let mut report =
        Report { file: source.file().display().to_string(), findings: config.warnings.clone() };
    // Plugins are loaded and configured too: that is where most surprises are.
    let options = EngineOptions { workers: 1, ..EngineOptions::default() };
    let prepared = match Engine::new(options) {
        Ok(engine) => engine
            .prepare(config.snapshot, &config.plugins, source)
            .map(drop)
            .map_err(|error| error.problems),
        Err(error) => {
            report.findings.push(Finding::whole(Severity::Error, "", &error.to_string(), None));
            return report;
        }
    };
    for problem in prepared.err().unwrap_or_default() {
        let key = format!("plugins.{}", problem.plugin);
        let what = format!("{}: {}", problem.file, problem.what);
        report.findings.push(Finding::whole(Severity::Error, &key, &what, Some(&problem.help)));
    }
    report
}
