//! Configurations: findings that point into the text, or one that can be printed and read again.

use cutover_config::{Finding, Report, Surroundings, load};

/// Any text gives findings that name places of it, or a configuration that means the same when its
/// printed form is loaded.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match load(text, "fuzz.toml", &World) {
        Err(report) => {
            assert!(report.has_errors(), "refused without a reason");
            look_at(report, text);
        }
        Ok(config) => {
            let printed = config.effective_toml();
            let again = load(&printed, "printed.toml", &World)
                .unwrap_or_else(|report| panic!("{report}\nprinted:\n{printed}"));
            assert!(config.means_the_same_as(&again), "printed:\n{printed}");
            assert_eq!(printed, again.effective_toml());
            let findings = config.warnings;
            look_at(Report { file: "fuzz.toml".to_owned(), findings }, text);
        }
    }
}

fn look_at(report: Report, text: &str) {
    let lines: Vec<&str> = text.split('\n').collect();
    for finding in &report.findings {
        assert!(!finding.what.is_empty(), "a finding that says nothing");
        inside(finding, &lines);
    }
    let (shown, json) = (report.to_string(), report.to_json());
    assert!(!shown.is_empty() && !json.is_empty());
}

fn inside(finding: &Finding, lines: &[&str]) {
    if finding.line == 0 {
        assert_eq!((finding.column, &finding.source), (0, &None), "a place in no line");
        return;
    }
    let line = lines.get(finding.line - 1).unwrap_or_else(|| panic!("{finding:?}: no such line"));
    let width = line.chars().count();
    // A finding may point just behind the last character, at what is missing there.
    let begins = (1..=width + 1).contains(&finding.column);
    let ends = finding.column - 1 + finding.length <= width.max(finding.column);
    assert!(begins && ends, "{finding:?}: the line has {width} characters");
    if let Some(source) = &finding.source {
        assert_eq!(source, line.strip_suffix('\r').unwrap_or(line), "{finding:?}");
    }
}

/// Surroundings in which some of the names that configurations mention lead somewhere.
struct World;

impl Surroundings for World {
    fn variable(&self, name: &str) -> Option<String> {
        (!name.is_empty() && name.len() < 20).then(|| "0123456789abcdef0123456789abcdef".to_owned())
    }

    fn file(&self, path: &str) -> std::io::Result<Vec<u8>> {
        match path.len() {
            0..8 => Err(std::io::ErrorKind::NotFound.into()),
            _ => Ok(b"0123456789abcdef0123456789abcdef\n".to_vec()),
        }
    }

    fn today(&self) -> Option<(u16, u8, u8)> {
        Some((2026, 11, 22))
    }
}
