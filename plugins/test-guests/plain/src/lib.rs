//! A plugin that reads and edits as much as it is told, and nothing else: what `benches/benches/plugin_call.rs` measures,
//! and the rewriting in the comparison with other proxies (`benches/src/bin/peers`).
//!
//! Configuration: `{"reads": 6, "edits": 2, "reply-edits": 1}`, 0 for each that is absent. It decides by the percent, and
//! sets the headers `x-1`, `x-2` and so on: `edits` of a request, `reply-edits` of a reply.

use cutover_plugin::{
    Backend, Decision, Edits, Environment, Field, Header, Manifest, Plugin, Rewrite, Split, View,
};
use serde::Deserialize;
use std::hint::black_box;

/// Most that can be asked for.
const MOST_READS: usize = 6;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Config {
    reads: usize,
    edits: usize,
    reply_edits: usize,
}

struct Plain {
    reads: Vec<Field>,
    edits: Vec<Header>,
    reply_edits: Vec<Header>,
}

/// What every header is set to.
const VALUE: &str = "a value of a usual size";

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
        let reads = declare[..config.reads].iter().map(|declare| declare(manifest)).collect();
        let most = config.edits.max(config.reply_edits);
        let headers: Vec<Header> = (1..=most).map(|n| manifest.edits(format!("x-{n}"))).collect();
        Ok(Self {
            reads,
            edits: headers[..config.edits].to_vec(),
            reply_edits: headers[..config.reply_edits].to_vec(),
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
            edits.set(*header, VALUE);
        }
    }

    fn on_response(&self, _: &View<'_>, _: Backend, _: u16, edits: &mut Edits<'_>) {
        for header in &self.reply_edits {
            edits.set(*header, VALUE);
        }
    }
}

cutover_plugin::export!(Plain: split, rewrite);

#[cfg(test)]
mod tests;
