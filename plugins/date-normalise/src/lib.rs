//! Makes dates comparable that two systems write differently on purpose: those of named JSON fields become
//! `2026-11-27T16:39:46Z`, whether they came as RFC 3339, as `2026-11-27 16:39:46`, or as seconds or milliseconds since
//! 1970, as a number or as text. Parts of a second are dropped.
//!
//! Configuration: `{"fields": ["created_at", "updatedAt"], "offset": "+01:00"}`. A field is the name of a member at any
//! depth; of a list each item counts. `offset` is that of dates that state none; it is UTC unless given.
//!
//! What is no such date stays as it is, and so does every other byte of the body: a wrong date, a `null` on one side
//! and a broken document are differences that must be found.

mod date;
mod json;

use cutover_plugin::{Comparable, Environment, Manifest, Normalise, Plugin, Reply, View};
use serde::Deserialize;

/// What an operator writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    fields: Vec<String>,
    #[serde(default)]
    offset: Option<String>,
}

struct DateNormalise {
    fields: Vec<String>,
    /// Seconds that dates without an offset are ahead of UTC.
    ahead_s: i64,
}

impl Plugin for DateNormalise {
    fn configure(environment: &Environment, _: &mut Manifest) -> Result<Self, String> {
        let config: Config =
            serde_json::from_str(&environment.config).map_err(|e| e.to_string())?;
        if config.fields.is_empty() {
            return Err("`fields` is empty: name the members that hold dates".to_owned());
        }
        let offset = config.offset.as_deref().unwrap_or("Z");
        let ahead_s = date::offset(offset.as_bytes()).ok_or_else(|| {
            format!("`offset` is `{offset}`, but wants to be like `+01:00` or `Z`")
        })?;
        Ok(Self { fields: config.fields, ahead_s })
    }
}

impl Normalise for DateNormalise {
    fn make_comparable(&self, _: &View<'_>, reply: &Reply<'_>) -> Comparable {
        if !reply.is_json() {
            return Comparable::Unchanged;
        }
        let named = |name: &str| self.fields.iter().any(|field| field == name);
        let dated = |scalar: json::Scalar<'_>| {
            let epoch_s = match scalar {
                json::Scalar::Text(text) => date::written(text, self.ahead_s),
                json::Scalar::Number(digits) => date::counted(digits),
            };
            epoch_s.and_then(date::utc)
        };
        json::replace(reply.body, named, dated).map_or(Comparable::Unchanged, Comparable::Body)
    }
}

cutover_plugin::export!(DateNormalise: normalise);

#[cfg(test)]
mod tests;
