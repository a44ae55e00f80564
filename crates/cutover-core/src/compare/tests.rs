//! Tests of comparisons. Published cases of others are in `tests/it`.

use super::*;

mod bodies;
mod headers;
mod hostile;
mod ignoring;
mod numbers;
mod properties;
mod rules;
mod samples;
mod settling;

/// A reply of JSON.
fn json(headers: &HeaderMap, body: &'static str) -> Reply<'static> {
    let headers = Box::leak(Box::new(headers.clone()));
    Reply { status: StatusCode::OK, headers, body: Body::Whole(body.as_bytes()) }
}

fn json_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", http::HeaderValue::from_static("application/json"));
    headers
}

/// Compares two bodies of JSON.
fn compared(old: &[u8], new: &[u8], rules: &Rules) -> Comparison {
    let headers = json_headers();
    let reply = |body| Reply { status: StatusCode::OK, headers: &headers, body };
    compare(&reply(Body::Whole(old)), &reply(Body::Whole(new)), rules)
}

/// What differs between two bodies: `kind pointer`, each on a line.
fn told(old: &str, new: &str, rules: &Rules) -> String {
    lines(&compared(old.as_bytes(), new.as_bytes(), rules))
}

fn lines(comparison: &Comparison) -> String {
    let differences = match comparison {
        Comparison::Match => return String::new(),
        Comparison::Differs(differences) => differences,
        Comparison::Failed { old, new } => return format!("failed: old {old}, new {new}"),
    };
    let line = |difference: &Difference| {
        let place = match &difference.place {
            Place::Body(place) => place.pointer(),
            Place::Status => String::new(),
            place @ Place::Header(_) => place.path(),
        };
        format!("{} {place}", difference.kind.name()).trim_end().to_owned()
    };
    differences.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn rules(spec: &RuleSpec) -> Rules {
    Rules::compile(spec).unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn ignoring(paths: &[&str]) -> RuleSpec {
    RuleSpec { ignore: paths.iter().map(|&path| path.to_owned()).collect(), ..RuleSpec::default() }
}

fn unordered(paths: &[&str]) -> RuleSpec {
    let unordered = paths.iter().map(|&path| path.to_owned()).collect();
    RuleSpec { unordered, ..RuleSpec::default() }
}

fn numbers_within(paths: &[(&str, &str)]) -> RuleSpec {
    let own = |&(path, by): &(&str, &str)| (path.to_owned(), by.to_owned());
    RuleSpec { numbers: paths.iter().map(own).collect(), ..RuleSpec::default() }
}
