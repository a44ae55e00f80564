//! Reads native edits of headers and paths.

use crate::keys;
use crate::place::At;
use crate::reader::{Item, Reader};
use cutover_core::edit::{Edits, HeaderEdits, PathEdit};
use http::{HeaderName, HeaderValue};
use toml::de::DeValue;

/// Headers that frame the message or belong to one connection: whoever forwards it sets them.
const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// The edits of a migration, or of a plain route's `edits`: `headers` and `path`.
pub(super) fn edits(reader: &Reader<'_>) -> Edits {
    let headers = reader.table("headers", &keys::HEADERS, |reader| {
        (
            reader.table("request", &keys::HEADER_EDITS, header_edits).unwrap_or_default(),
            reader.table("response", &keys::HEADER_EDITS, header_edits).unwrap_or_default(),
        )
    });
    let (request, response) = headers.unwrap_or_default();
    let path = reader.table("path", &keys::PATH_EDIT, |reader| PathEdit {
        strip_prefix: reader.item("strip-prefix").and_then(|item| prefix(&item)),
        add_prefix: reader.item("add-prefix").and_then(|item| prefix(&item)),
    });
    Edits { request, response, path: path.unwrap_or_default() }
}

fn header_edits(reader: &Reader<'_>) -> HeaderEdits {
    let remove = reader.item("remove").map(|list| {
        let items = list.items().into_iter().flatten();
        items
            .filter_map(|item| editable(&header_name(&item, &item.get::<String>()?)?, &item))
            .collect()
    });
    HeaderEdits {
        remove: remove.unwrap_or_default(),
        set: values(reader, "set"),
        append: values(reader, "append"),
    }
}

fn values(reader: &Reader<'_>, name: &'static str) -> Box<[(HeaderName, HeaderValue)]> {
    let Some(table) = reader.item(name) else { return Box::default() };
    let mut all: Vec<(HeaderName, HeaderValue)> = Vec::new();
    for (name, item) in table.entries().into_iter().flatten() {
        let name_item = Item { span: name.span, ..item };
        let Some(name) = header_name(&name_item, name.value) else { continue };
        let Some(name) = editable(&name, &name_item) else { continue };
        if all.iter().any(|(known, _)| *known == name) {
            name_item.error(format_args!("{name} is named twice"), "remove one");
        }
        let DeValue::String(text) = item.value else {
            item.error("must be a text", "write name = \"value\"");
            continue;
        };
        match HeaderValue::from_str(text) {
            Ok(value) if text.is_ascii() => all.push((name, value)),
            _ => item.error(
                "cannot be the value of a header",
                "a value is visible ASCII characters, spaces and tabs",
            ),
        }
    }
    all.into()
}

/// The name of a header, in lower case.
pub(super) fn header_name(item: &Item<'_>, text: &str) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(text.as_bytes()).ok();
    if name.is_none() {
        let help = "a name is letters, digits and hyphens, like x-user-id";
        item.error(format_args!("{text:?} cannot be the name of a header"), help);
    }
    name
}

fn editable(name: &HeaderName, item: &Item<'_>) -> Option<HeaderName> {
    if FRAMING.contains(&name.as_str()) {
        let what = format!("{name} cannot be edited");
        item.error(what, "it frames the message or belongs to one connection; cutover sets it");
        return None;
    }
    Some(name.clone())
}

fn prefix(item: &Item<'_>) -> Option<Box<str>> {
    let text: At<String> = item.get()?;
    let trimmed = text.trim_end_matches('/');
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\' | '{' | '}' | '*');
    if !text.chars().all(plain) {
        let what = format!("{:?} cannot be a prefix of a path", text.value);
        item.error(what, "write a plain path like \"/v2\", percent-encoded where needed");
    } else if !text.starts_with('/') {
        let help = format!("write \"/{trimmed}\"");
        item.error(format_args!("{:?} does not begin with /", text.value), help);
    } else if trimmed.is_empty() {
        item.error("\"/\" changes nothing", "remove the key");
    } else if text.ends_with('/') {
        item.error(format_args!("{:?} ends with /", text.value), format!("write {trimmed:?}"));
    } else {
        return Some(text.value.into());
    }
    None
}
