//! The route table, against trying every route and ranking those that match.

use arbitrary::{Result, Unstructured};
use cutover_core::RequestView;
use cutover_core::route::{Predicate, RouteError, RouteSpec, RouteTable};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::cmp::Reverse;

const X: HeaderName = HeaderName::from_static("x-a");
const METHODS: [&str; 5] = ["GET", "HEAD", "DELETE", "PURGE", "BREW"];
const VALUES: [Option<&str>; 4] = [None, Some("1"), Some("2"), Some("3")];

/// Any table finds for any request what trying every route finds, and refuses exactly the routes
/// that have an equal.
pub fn check(data: &[u8]) {
    // Data that ends too early is no case.
    let _ = compare(&mut Unstructured::new(data));
}

fn compare(u: &mut Unstructured<'_>) -> Result<()> {
    // Texts that patterns and requests share, so that they often meet.
    let texts = texts(u)?;
    let mut builder = RouteTable::builder();
    let mut kept: Vec<RouteSpec> = Vec::new();
    for _ in 0..u.int_in_range(1..=24)? {
        let spec = spec(u, &texts)?;
        let equal = kept.iter().position(|other| conflict(other, &spec));
        match (builder.insert(spec.clone()), equal) {
            (Ok(id), None) => {
                assert_eq!(id.index(), kept.len());
                kept.push(spec);
            }
            (Err(RouteError::Conflict(id)), Some(equal)) => assert_eq!(id.index(), equal),
            (said, equal) => panic!("{spec:?}: {said:?}, but its equal is {equal:?}"),
        }
    }
    let table = builder.finish();
    for _ in 0..u.int_in_range(1..=8)? {
        ask(u, &texts, &table, &kept)?;
    }
    Ok(())
}

/// Segments: a few that are nearly the same, some of lengths at which the table works differently.
fn texts(u: &mut Unstructured<'_>) -> Result<Vec<String>> {
    let mut texts = vec![String::new(), "a".to_owned()];
    for _ in 0..u.int_in_range(1..=6)? {
        let length = u.int_in_range(0..=40)?;
        let last = *u.choose(&["", "a", "b", "~"])?;
        texts.push("a".repeat(length) + last);
    }
    Ok(texts)
}

fn spec(u: &mut Unstructured<'_>, texts: &[String]) -> Result<RouteSpec> {
    let hosts =
        [None, Some("a.b.example"), Some("b.example"), Some("*.b.example"), Some("*.example")];
    let mut path = String::new();
    let (count, rest) = (u.int_in_range(0..=5)?, u.ratio(1, 4)?);
    for at in 0..count {
        if u.ratio(1, 3)? {
            path += &format!("/{{p{at}}}");
        } else {
            path = path + "/" + u.choose(texts)?;
        }
    }
    if rest || path.is_empty() {
        path += "/{*rest}";
    }
    let mut methods = Vec::new();
    if u.ratio(1, 3)? {
        for _ in 0..u.int_in_range(1..=2)? {
            methods.push(method(u)?);
        }
    }
    let mut predicate = || -> Result<Option<Predicate>> {
        let present = Predicate::Present;
        let is = |value: &str| Some(Predicate::Is(value.into()));
        Ok(u.choose(&[None, None, None, Some(present), is("1"), is("2")])?.clone())
    };
    Ok(RouteSpec {
        headers: predicate()?.into_iter().map(|p| (X, p)).collect(),
        query: predicate()?.into_iter().map(|p| ("v".into(), p)).collect(),
        host: u.choose(&hosts)?.map(Into::into),
        path: path.into(),
        methods,
    })
}

fn method(u: &mut Unstructured<'_>) -> Result<Method> {
    Ok(Method::from_bytes(u.choose(&METHODS)?.as_bytes()).expect("they are tokens"))
}

fn ask(
    u: &mut Unstructured<'_>,
    texts: &[String],
    table: &RouteTable,
    routes: &[RouteSpec],
) -> Result<()> {
    let hosts = ["a.b.example", "A.b.Example.:80", "x.a.b.example", "b.example", "example", ""];
    let mut path = String::new();
    for _ in 0..u.int_in_range(1..=6)? {
        let text = if u.ratio(1, 8)? { "other" } else { u.choose(texts)? };
        path = path + "/" + text;
    }
    let (header, value) = (*u.choose(&VALUES)?, *u.choose(&VALUES)?);
    let mut headers = HeaderMap::new();
    if let Some(value) = header {
        headers.insert(X, HeaderValue::from_static(value));
    }
    let query = value.map(|value| format!("w&v={value}"));
    let method = method(u)?;
    let mut request = RequestView::new(&method, u.choose(&hosts)?, &path, &headers);
    request.query = query.as_deref();
    let found = table.find(&request);
    let values = found.as_ref().map(|found| {
        let params = table.params(found).iter(&path).map(|(_, value)| value.to_owned());
        (found.route.index(), params.collect::<Vec<String>>())
    });
    let asked = Asked { method: &method, header, query: value };
    assert_eq!(values, naive(routes, request.host, &path, &asked), "{request:?}");
    for near in table.near_misses(&request) {
        assert!(!near.missed.is_empty() && Some(near.route) != found.map(|found| found.route));
    }
    Ok(())
}

/// What predicates look at.
struct Asked<'a> {
    method: &'a Method,
    header: Option<&'a str>,
    query: Option<&'a str>,
}

fn naive(
    routes: &[RouteSpec],
    host: &str,
    path: &str,
    asked: &Asked<'_>,
) -> Option<(usize, Vec<String>)> {
    let matching = routes.iter().enumerate().filter_map(|(at, spec)| {
        let host = match_host(spec.host.as_deref(), host)?;
        let (kinds, values) = match_path(&spec.path, path)?;
        holds(spec, asked).then(|| ((host, kinds, Reverse(predicates(spec))), at, values))
    });
    matching.min_by(|a, b| a.0.cmp(&b.0)).map(|(_, at, values)| (at, values))
}

/// How a host ranks, smaller being better, if it matches.
fn match_host(pattern: Option<&str>, host: &str) -> Option<(u8, Reverse<usize>)> {
    let host = host.to_ascii_lowercase();
    let host = host.split(':').next()?.trim_end_matches('.');
    let Some(pattern) = pattern else { return Some((2, Reverse(0))) };
    match pattern.strip_prefix('*') {
        Some(suffix) if host.len() > suffix.len() && host.ends_with(suffix) => {
            Some((1, Reverse(suffix.len())))
        }
        None if host == pattern => Some((0, Reverse(0))),
        _ => None,
    }
}

/// How each segment ranks, and the values of the parameters, if the path matches.
fn match_path(pattern: &str, path: &str) -> Option<(Vec<u8>, Vec<String>)> {
    let texts: Vec<&str> = path[1..].split('/').collect();
    let (mut kinds, mut values) = (Vec::new(), Vec::new());
    for (at, segment) in pattern[1..].split('/').enumerate() {
        let text = *texts.get(at)?;
        if segment.starts_with("{*") {
            kinds.push(2);
            values.push(texts[at..].join("/"));
            return Some((kinds, values));
        } else if segment.starts_with('{') && !text.is_empty() {
            kinds.push(1);
            values.push(text.to_owned());
        } else if segment == text {
            kinds.push(0);
        } else {
            return None;
        }
    }
    (kinds.len() == texts.len()).then_some((kinds, values))
}

fn holds(spec: &RouteSpec, asked: &Asked<'_>) -> bool {
    let holds = |predicate: &Predicate, value: Option<&str>| match predicate {
        Predicate::Present => value.is_some(),
        Predicate::Is(exact) => value == Some(exact),
    };
    (spec.methods.is_empty() || spec.methods.contains(asked.method))
        && spec.headers.iter().all(|(_, predicate)| holds(predicate, asked.header))
        && spec.query.iter().all(|(_, predicate)| holds(predicate, asked.query))
}

fn predicates(spec: &RouteSpec) -> usize {
    usize::from(!spec.methods.is_empty()) + spec.headers.len() + spec.query.len()
}

/// Equal in host, path and number of predicates, and some request satisfies both?
fn conflict(a: &RouteSpec, b: &RouteSpec) -> bool {
    let shape = |spec: &RouteSpec| -> Vec<String> {
        let kind = |segment: &str| match segment.as_bytes() {
            [b'{', b'*', ..] => "{*}".to_owned(),
            [b'{', ..] => "{}".to_owned(),
            _ => segment.to_owned(),
        };
        spec.path.split('/').map(kind).collect()
    };
    let met = || {
        let methods = METHODS.iter().map(|name| name.parse::<Method>().expect("they are tokens"));
        methods.into_iter().any(|method| {
            VALUES.iter().any(|header| {
                VALUES.iter().any(|query| {
                    let asked = Asked { method: &method, header: *header, query: *query };
                    holds(a, &asked) && holds(b, &asked)
                })
            })
        })
    };
    a.host == b.host && shape(a) == shape(b) && predicates(a) == predicates(b) && met()
}
