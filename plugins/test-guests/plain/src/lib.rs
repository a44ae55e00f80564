//! A plugin that reads and edits as much as it is told, and nothing else: what `benches/benches/plugin_call.rs` measures.
//!
//! Configuration: `{"reads": 6, "edits": 2}`, both 0 if they are absent. It decides by the percent, and sets the headers
//! `x-1`, `x-2` and so on.

use cutover_plugin::{
    Backend, Decision, Edits, Environment, Field, Header, Manifest, Plugin, Rewrite, Split, View,
};
use serde::Deserialize;
use std::hint::black_box;

/// Most that can be asked for.
const MOST_READS: usize = 6;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    reads: usize,
    edits: usize,
}

struct Plain {
    reads: Vec<Field>,
    edits: Vec<Header>,
}

impl Plugin for Plain {
    fn configure(environment: &Environment, manifest: &mut Manifest) -> Result<Self, String> {
        let config: Config =
            serde_json::from_str(&environment.config).map_err(|error| error.to_string())?;
        if config.reads > MOST_READS {
            return Err(format!("`reads` is at most {MOST_READS}"));
        }
        // One of every kind that requests have.
        let declare: [fn(&mut Manifest) -> Field; MOST_READS] = [
            |manifest| manifest.path(),
            |manifest| manifest.host(),
            |manifest| manifest.header("x-user-id"),
            |manifest| manifest.cookie("sid"),
            |manifest| manifest.query_param("q"),
            |manifest| manifest.path_param("id"),
        ];
        Ok(Self {
            reads: declare[..config.reads].iter().map(|declare| declare(manifest)).collect(),
            edits: (1..=config.edits).map(|n| manifest.edits(format!("x-{n}"))).collect(),
        })
    }
}

impl Plain {
    fn read(&self, view: &View<'_>) {
        for field in &self.reads {
            black_box(view.get(*field));
        }
    }
}

impl Split for Plain {
    fn decide(&self, view: &View<'_>) -> Decision {
        self.read(view);
        Decision::by_share(view)
    }
}

impl Rewrite for Plain {
    fn on_request(&self, view: &View<'_>, _: Backend, edits: &mut Edits<'_>) {
        self.read(view);
        for header in &self.edits {
            edits.set(*header, "a value of a usual size");
        }
    }

    fn on_response(&self, _: &View<'_>, _: Backend, _: u16, _: &mut Edits<'_>) {}
}

cutover_plugin::export!(Plain: split, rewrite);

#[cfg(test)]
mod tests;
