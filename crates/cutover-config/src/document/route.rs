//! Reads `[[routes]]` and a migration's routes.

use super::edit;
use crate::keys;
use crate::place::{At, Span};
use crate::reader::{Item, Reader, nearest};
use cutover_core::edit::Edits;
use cutover_core::fallback::is_safe;
use cutover_core::route::{Predicate, RouteSpec};
use http::Method;
use toml::de::DeValue;

/// What a request must look like, and where that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RouteMatch {
    pub(crate) spec: RouteSpec,
    pub(crate) path: Span,
    pub(crate) host: Span,
}

/// `[[routes]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RouteDocument {
    pub(crate) matching: RouteMatch,
    pub(crate) backend: At<String>,
    pub(crate) edits: Edits,
}

/// One of a migration's `routes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MigrationRouteDocument {
    pub(crate) matching: RouteMatch,
    pub(crate) write: bool,
    /// Fit to be copied to the other side, or unfit; `None`: safe methods are.
    pub(crate) mirror: Option<bool>,
    /// Its reads must have been compared, however rare they are.
    pub(crate) critical: bool,
}

impl MigrationRouteDocument {
    /// May a request that it matches be a write?
    pub(super) fn takes_writes(&self) -> bool {
        let methods = &self.matching.spec.methods;
        self.write || methods.is_empty() || !methods.iter().all(is_safe)
    }
}

/// Methods of RFC 9110 and 5789; others are accepted, but hardly typed by mistake.
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

pub(super) fn read_all(root: &Reader<'_>) -> Vec<RouteDocument> {
    let Some(list) = root.item("routes") else { return Vec::new() };
    let items = list.items().into_iter().flatten();
    let route = |item: Item<'_>| {
        item.table(&keys::ROUTE, |reader| RouteDocument {
            matching: matching(reader),
            backend: reader.require("backend").unwrap_or_else(|| nothing(reader.span)),
            edits: reader.table("edits", &keys::EDITS, edit::edits).unwrap_or_default(),
        })
    };
    items.filter_map(route).collect()
}

pub(super) fn read_migrations(reader: &Reader<'_>) -> Vec<MigrationRouteDocument> {
    let Some(list) = reader.required("routes") else { return Vec::new() };
    if list.value.as_array().is_some_and(|array| array.is_empty()) {
        list.error("must name at least one route", "write routes = [{ path = \"/api/{*rest}\" }]");
    }
    let items = list.items().into_iter().flatten();
    let route = |item: Item<'_>| {
        item.table(&keys::MIGRATION_ROUTE, |reader| {
            let write = reader.get_or_default("write").value;
            let matching = matching(reader);
            let mirror = mirror(write, &matching, reader);
            let critical = critical((write, mirror), &matching, reader);
            MigrationRouteDocument { matching, write, mirror, critical }
        })
    };
    items.filter_map(route).collect()
}

/// May exchanges of the route be copied? What is declared fit must say what it is.
fn mirror(write: bool, matching: &RouteMatch, reader: &Reader<'_>) -> Option<bool> {
    let declared = reader.get::<bool>("mirror")?;
    if declared.value && write {
        let what = "a write that is copied happens twice";
        let help = "remove `mirror`, or `write` if the route only reads";
        reader.error("mirror", declared.span, what, help);
    } else if declared.value && matching.spec.methods.is_empty() {
        let what = "copies every method of the route, its writes too";
        let help = "name those that only read: methods = [\"POST\"]";
        reader.error("mirror", declared.span, what, help);
    }
    Some(declared.value)
}

/// Must its reads have been compared? Only what is copied can be.
fn critical(
    (write, mirror): (bool, Option<bool>),
    matching: &RouteMatch,
    reader: &Reader<'_>,
) -> bool {
    let declared = reader.get_or_default::<bool>("critical");
    if !declared.value {
        return false;
    }
    let methods = &matching.spec.methods;
    let error = |what: &str, help: &str| reader.error("critical", declared.span, what, help);
    if write {
        error("writes are not compared", "remove `critical`, or `write` if the route only reads");
    } else if mirror == Some(false) {
        error("what is not copied is never compared", "remove `critical`, or `mirror`");
    } else if methods.is_empty() {
        let what = "does not say which of its reads must be compared";
        error(what, "name them: methods = [\"GET\"]");
    } else if mirror.is_none() && !methods.iter().any(is_read) {
        let what = "none of its methods is copied, so that nothing of it is ever compared";
        error(what, "remove `critical`; or add mirror = true if the route only reads");
    }
    true
}

/// Copied without being declared fit for it.
fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The placeholder of a text that could not be read; no text that can be read is empty.
pub(super) fn nothing(span: Span) -> At<String> {
    At { value: String::new(), span }
}

fn matching(reader: &Reader<'_>) -> RouteMatch {
    let path: At<String> = reader.require("path").unwrap_or_else(|| nothing(reader.span));
    let host: Option<At<String>> = reader.get("host");
    RouteMatch {
        path: path.span,
        host: host.as_ref().map_or(path.span, |host| host.span),
        spec: RouteSpec {
            host: host.map(|host| host.value.into()),
            path: path.value.into(),
            methods: methods(reader),
            headers: headers(reader),
            query: query(reader),
        },
    }
}

fn methods(reader: &Reader<'_>) -> Vec<Method> {
    let Some(list) = reader.item("methods") else { return Vec::new() };
    let mut all = Vec::new();
    for item in list.items().into_iter().flatten() {
        let Some(text) = item.get::<String>() else { continue };
        let upper = text.to_ascii_uppercase();
        if METHODS.contains(&upper.as_str()) && upper != *text {
            let what = format!("{:?} is not a method: methods are case-sensitive", text.value);
            item.error(what, format_args!("write {upper:?}"));
            continue;
        }
        match Method::from_bytes(text.as_bytes()) {
            Ok(method) if all.contains(&method) => {
                item.error(format_args!("{method} is listed twice"), "remove one");
            }
            Ok(method) => {
                if !METHODS.contains(&method.as_str())
                    && let Some(known) = nearest(&upper, METHODS)
                {
                    let what = format!("{method} is an unusual method");
                    let help = format!("did you mean {known}?");
                    item.sink.warning(item.span, item.path, what, help);
                }
                all.push(method);
            }
            Err(_) => item.error(
                format_args!("{:?} cannot be a method", text.value),
                "write one like \"GET\"",
            ),
        }
    }
    if list.value.as_array().is_some_and(|array| array.is_empty()) {
        list.error("must name at least one method", "remove the key to match any method");
    }
    all
}

fn headers(reader: &Reader<'_>) -> Vec<(http::HeaderName, Predicate)> {
    let Some(table) = reader.item("headers") else { return Vec::new() };
    let mut all = Vec::new();
    for (name, item) in table.entries().into_iter().flatten() {
        let name_item = Item { span: name.span, ..item };
        let header = edit::header_name(&name_item, name.value);
        if let (Some(header), Some(predicate)) = (header, predicate(&item)) {
            if all.iter().any(|(known, _)| *known == header) {
                name_item.error(format_args!("{header} is named twice"), "remove one");
            }
            all.push((header, predicate));
        }
    }
    all
}

fn query(reader: &Reader<'_>) -> Vec<(Box<str>, Predicate)> {
    let Some(table) = reader.item("query") else { return Vec::new() };
    let entries = table.entries().into_iter().flatten();
    entries.filter_map(|(name, item)| Some((name.value.into(), predicate(&item)?))).collect()
}

fn predicate(item: &Item<'_>) -> Option<Predicate> {
    match item.value {
        DeValue::String(text) => Some(Predicate::Is(text.as_ref().into())),
        DeValue::Boolean(true) => Some(Predicate::Present),
        DeValue::Boolean(false) => {
            let help = "add a route for those that have it: the more specific route wins";
            item.error("absence cannot be asked for", help);
            None
        }
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => {
            item.error("must be a text or `true`", "write name = \"value\" or name = true");
            None
        }
    }
}
