//! `plugins/dist/SOURCES.json`: what each committed component was built from, and by what.

use super::guests::{Built, Guest};
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;

const FILE: &str = "SOURCES.json";

/// All entries, by the plugin's name.
pub(super) struct Record {
    entries: Vec<(String, Entry)>,
}

/// One component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// SHA-256 over its sources, the SDK and the interface.
    pub(super) source: String,
    /// SHA-256 of the component.
    pub(super) component: String,
    /// What built it.
    pub(super) toolchain: String,
}

impl Entry {
    pub(super) fn new(source: String, built: &Built) -> Self {
        Self { source, component: sha256(&built.component), toolchain: built.toolchain.clone() }
    }
}

impl Record {
    /// The record of that folder; empty if there is none yet.
    pub(super) fn load(dist: &Path) -> Result<Self> {
        let path = dist.join(FILE);
        if !path.exists() {
            return Ok(Self { entries: Vec::new() });
        }
        let text = std::fs::read_to_string(&path)?;
        Self::parse(&text).with_context(|| format!("read {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let all: Map<String, Value> = serde_json::from_str(text)?;
        let entry = |name: String, value: &Value| {
            let text = |key: &str| {
                let found = value.get(key).and_then(Value::as_str).map(str::to_owned);
                found.with_context(|| format!("`{name}` has no `{key}`"))
            };
            let (source, component) = (text("source")?, text("component")?);
            let entry = Entry { source, component, toolchain: text("toolchain")? };
            Ok((name, entry))
        };
        let entries = all.into_iter().map(|(name, value)| entry(name, &value));
        Ok(Self { entries: entries.collect::<Result<_>>()? })
    }

    pub(super) fn save(&self, dist: &Path) -> Result<()> {
        let path = dist.join(FILE);
        std::fs::write(&path, self.text()?).with_context(|| format!("write {}", path.display()))
    }

    fn text(&self) -> Result<String> {
        let all: Map<String, Value> = self
            .entries
            .iter()
            .map(|(name, entry)| {
                let Entry { source, component, toolchain } = entry;
                let value =
                    json!({ "source": source, "component": component, "toolchain": toolchain });
                (name.clone(), value)
            })
            .collect();
        Ok(serde_json::to_string_pretty(&all)? + "\n")
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|(known, _)| known == name).map(|(_, entry)| entry)
    }

    /// Sets the entry of one plugin.
    pub(super) fn set(&mut self, name: &str, entry: Entry) {
        self.entries.retain(|(known, _)| known != name);
        self.entries.push((name.to_owned(), entry));
        self.entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    }

    /// Forgets plugins that are gone.
    pub(super) fn keep_only(&mut self, names: &[&str]) {
        self.entries.retain(|(known, _)| names.contains(&known.as_str()));
    }

    /// Names that none of these guests has.
    pub(super) fn others(&self, guests: &[Guest]) -> Vec<&str> {
        let names = self.entries.iter().map(|(name, _)| name.as_str());
        names.filter(|name| guests.iter().all(|guest| guest.name != *name)).collect()
    }
}

/// SHA-256, in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("a string takes what is written");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(word: &str) -> Entry {
        let word = word.to_owned();
        Entry { source: word.clone(), component: word.clone(), toolchain: word }
    }

    #[test]
    fn a_record_survives_being_written() {
        let mut record = Record { entries: Vec::new() };
        record.set("b", entry("first"));
        record.set("a", entry("second"));
        record.set("b", entry("third"));
        let again = Record::parse(&record.text().unwrap()).unwrap();
        assert_eq!(
            again.entries,
            [("a".to_owned(), entry("second")), ("b".to_owned(), entry("third"))]
        );
        record.keep_only(&["a"]);
        assert!(record.get("b").is_none());
    }

    #[test]
    fn a_broken_record_is_an_error() {
        assert!(Record::parse("{").is_err());
        let error = Record::parse(r#"{"a": {"source": "x"}}"#).err().unwrap().to_string();
        assert!(error.contains("`a` has no `component`"), "{error}");
    }

    #[test]
    fn sha256_is_the_published_one() {
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), of_abc);
    }
}
