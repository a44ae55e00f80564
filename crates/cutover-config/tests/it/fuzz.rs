//! Whatever stands in a file: findings or a configuration, never a panic.

use crate::sample::SAMPLE;
use crate::surroundings::usual;
use cutover_config::{Report, load};
use proptest::prelude::*;

/// Loads, and looks at everything that can be looked at.
fn survive(text: &str) {
    match load(text, "fuzz.toml", &usual()) {
        Ok(config) => {
            let _ = config.effective_toml();
            let _ = Report { file: "fuzz.toml".to_owned(), findings: config.warnings }.to_string();
        }
        Err(report) => {
            assert!(report.has_errors(), "refused without saying why: {text}");
            let _ = report.to_json();
            for line in report.to_string().lines() {
                assert!(line.chars().count() <= 80 || !line.contains(' '), "too wide: {line}");
            }
        }
    }
}

#[test]
fn every_beginning_of_the_sample() {
    for (at, _) in SAMPLE.char_indices() {
        survive(&SAMPLE[..at]);
    }
}

#[test]
fn every_line_missing_or_doubled() {
    let lines: Vec<&str> = SAMPLE.lines().collect();
    for at in 0..lines.len() {
        survive(&[&lines[..at], &lines[at + 1..]].concat().join("\n"));
        survive(&[&lines[..=at], &lines[at..]].concat().join("\n"));
    }
}

/// Values of every type in the place of every value of the sample.
#[test]
fn every_value_of_the_wrong_type() {
    let others =
        ["0", "-1", "1e400", "nan", "\"\"", "\"é\"", "true", "[]", "[[]]", "{}", "2027-01-01", "1"];
    let lines: Vec<&str> = SAMPLE.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some((key, _)) = line.split_once(" = ") else { continue };
        for other in others {
            let changed = format!("{key} = {other}");
            survive(&[&lines[..at], &[changed.as_str()], &lines[at + 1..]].concat().join("\n"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        survive(&text);
    }

    #[test]
    fn any_characters_in_the_sample(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..6),
    ) {
        let mut characters: Vec<char> = SAMPLE.chars().collect();
        for (at, character) in edits {
            let at = at.index(characters.len());
            characters[at] = character;
        }
        survive(&characters.into_iter().collect::<String>());
    }

    #[test]
    fn words_of_the_language(words in prop::collection::vec(word(), 0..60)) {
        survive(&words.concat());
    }
}

/// Pieces from which files are made, so that a random one often gets past the syntax.
fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "\n",
        "\n",
        "\n",
        "[server]\n",
        "[backends.a]\n",
        "[migrations.m]\n",
        "[[routes]]\n",
        "[plugins.p]\n",
        "[migrations.m.steps]\n",
        "listen",
        "addresses",
        "path",
        "backend",
        "old",
        "new",
        "key",
        "read-percent",
        "tls",
        "config",
        "routes",
        " = ",
        " = ",
        " = ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"a\"",
        "\"/x/{y}\"",
        "\"/{*r}\"",
        "\"1s\"",
        "5",
        "true",
        "\"127.0.0.1:1\"",
        "2027-01-01",
        "[\"a:1\"]\n",
        "[\"127.0.0.1:0\"]\n",
        "\"a\"\n",
    ])
}
