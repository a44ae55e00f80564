//! The table against a matcher so naive that it is plainly right: try every route, rank those that
//! match.

use crate::RequestView;
use crate::route::path::{Segment, parse};
use crate::route::{Predicate, RouteError, RouteSpec, RouteTable};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;
use std::cmp::Reverse;

const X: HeaderName = HeaderName::from_static("x-a");

/// What the oracle asks of a request; the domain is small, so that all of it can be tried.
#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    host: &'static str,
    path: String,
    header: Option<&'static str>,
    query: Option<&'static str>,
}

impl Asked {
    fn with<T>(&self, then: impl FnOnce(&RequestView<'_>) -> T) -> T {
        let mut headers = HeaderMap::new();
        if let Some(value) = self.header {
            headers.insert(X, HeaderValue::from_static(value));
        }
        let query = self.query.map(|value| format!("w&v={value}"));
        let mut request = RequestView::new(&self.method, self.host, &self.path, &headers);
        request.query = query.as_deref();
        then(&request)
    }
}

/// Values of the parameters, if the path matches; and how it ranks, smaller being better.
fn match_path(pattern: &str, path: &str) -> Option<(Vec<u8>, Vec<String>)> {
    let texts: Vec<&str> = path[1..].split('/').collect();
    let (mut kinds, mut values) = (Vec::new(), Vec::new());
    let segments = parse(pattern).expect("the routes are valid");
    let mut at = 0;
    for segment in segments {
        let text = *texts.get(at)?;
        match segment {
            Segment::Exact(exact) if exact == text => kinds.push(0),
            Segment::Param(_) if !text.is_empty() => {
                kinds.push(1);
                values.push(text.to_owned());
            }
            Segment::Rest(_) => {
                kinds.push(2);
                values.push(texts[at..].join("/"));
                return Some((kinds, values));
            }
            Segment::Exact(_) | Segment::Param(_) => return None,
        }
        at += 1;
    }
    (at == texts.len()).then_some((kinds, values))
}

/// How the host ranks, smaller being better, if it matches.
fn match_host(pattern: Option<&str>, host: &str) -> Option<(u8, Reverse<usize>)> {
    let host = host.to_ascii_lowercase();
    let host = host.split(':').next().expect("a split has a first part").trim_end_matches('.');
    let Some(pattern) = pattern else { return Some((2, Reverse(0))) };
    match pattern.strip_prefix('*') {
        Some(suffix) if host.len() > suffix.len() && host.ends_with(suffix) => {
            Some((1, Reverse(suffix.len())))
        }
        None if host == pattern => Some((0, Reverse(0))),
        _ => None,
    }
}

fn predicates_hold(spec: &RouteSpec, asked: &Asked) -> bool {
    let holds = |predicate: &Predicate, value: Option<&str>| match predicate {
        Predicate::Present => value.is_some(),
        Predicate::Is(exact) => value == Some(exact),
    };
    (spec.methods.is_empty() || spec.methods.contains(&asked.method))
        && spec.headers.iter().all(|(_, predicate)| holds(predicate, asked.header))
        && spec.query.iter().all(|(_, predicate)| holds(predicate, asked.query))
}

fn count(spec: &RouteSpec) -> usize {
    usize::from(!spec.methods.is_empty()) + spec.headers.len() + spec.query.len()
}

fn naive(routes: &[RouteSpec], asked: &Asked) -> Option<(usize, Vec<String>)> {
    let matching = routes.iter().enumerate().filter_map(|(at, spec)| {
        let host = match_host(spec.host.as_deref(), asked.host)?;
        let (path, values) = match_path(&spec.path, &asked.path)?;
        predicates_hold(spec, asked).then(|| ((host, path, Reverse(count(spec))), at, values))
    });
    matching.min_by(|a, b| a.0.cmp(&b.0)).map(|(_, at, values)| (at, values))
}

fn methods() -> impl Strategy<Value = Method> {
    let purge = Method::from_bytes(b"PURGE").expect("a token");
    let brew = Method::from_bytes(b"BREW").expect("a token");
    prop::sample::select(vec![Method::GET, Method::HEAD, Method::DELETE, purge, brew])
}

fn predicate() -> impl Strategy<Value = Option<Predicate>> {
    prop::sample::select(vec![
        None,
        None,
        Some(Predicate::Present),
        Some(Predicate::Is("1".into())),
        Some(Predicate::Is("2".into())),
    ])
}

fn pattern() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "a", "b", "", "long-segment-name", "{"]);
    (prop::collection::vec(segment, 0..5), any::<bool>()).prop_map(|(segments, rest)| {
        let mut pattern = String::new();
        for (at, segment) in segments.iter().enumerate() {
            let segment =
                if *segment == "{" { format!("{{p{at}}}") } else { (*segment).to_owned() };
            pattern = format!("{pattern}/{segment}");
        }
        if rest || pattern.is_empty() { pattern + "/{*rest}" } else { pattern }
    })
}

fn route() -> impl Strategy<Value = RouteSpec> {
    let hosts = prop::sample::select(vec![
        None,
        None,
        Some("a.b.example"),
        Some("b.example"),
        Some("*.b.example"),
        Some("*.example"),
    ]);
    let methods = prop::collection::vec(methods(), 0..3);
    (hosts, pattern(), methods, predicate(), predicate()).prop_map(
        |(host, path, methods, header, query)| RouteSpec {
            host: host.map(Into::into),
            path: path.into(),
            methods,
            headers: header.into_iter().map(|predicate| (X, predicate)).collect(),
            query: query.into_iter().map(|predicate| ("v".into(), predicate)).collect(),
        },
    )
}

fn asked() -> impl Strategy<Value = Asked> {
    let hosts = prop::sample::select(vec![
        "a.b.example",
        "A.B.Example.:80",
        "x.a.b.example",
        "b.example",
        "example",
        ".example",
        "",
    ]);
    let segment = prop::sample::select(vec!["a", "a", "b", "", "long-segment-name", "other"]);
    let path = prop::collection::vec(segment, 1..6);
    let value = || prop::sample::select(vec![None, Some("1"), Some("2"), Some("3")]);
    (methods(), hosts, path, value(), value()).prop_map(|(method, host, path, header, query)| {
        Asked { method, host, path: format!("/{}", path.join("/")), header, query }
    })
}

/// Is there a request for which both routes of one path hold? Tries every request of the domain.
fn overlap(a: &RouteSpec, b: &RouteSpec) -> bool {
    let purge = Method::from_bytes(b"PURGE").expect("a token");
    let brew = Method::from_bytes(b"BREW").expect("a token");
    let methods = [Method::GET, Method::HEAD, Method::DELETE, Method::PUT, purge, brew];
    let values = [None, Some("1"), Some("2"), Some("3")];
    methods.iter().any(|method| {
        values.iter().any(|header| {
            values.iter().any(|query| {
                let (method, path) = (method.clone(), String::new());
                let asked = Asked { method, host: "", path, header: *header, query: *query };
                predicates_hold(a, &asked) && predicates_hold(b, &asked)
            })
        })
    })
}

fn shape(spec: &RouteSpec) -> (Option<&str>, Vec<Segment<'_>>) {
    let nameless = |segment| match segment {
        Segment::Param(_) => Segment::Param(""),
        Segment::Rest(_) => Segment::Rest(""),
        Segment::Exact(text) => Segment::Exact(text),
    };
    let segments = parse(&spec.path).expect("the routes are valid");
    (spec.host.as_deref(), segments.into_iter().map(nameless).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn the_table_finds_what_trying_every_route_finds(
        specs in prop::collection::vec(route(), 1..40),
        requests in prop::collection::vec(asked(), 30),
    ) {
        let mut builder = RouteTable::builder();
        let mut kept: Vec<RouteSpec> = Vec::new();
        for spec in specs {
            let equal = kept.iter().position(|other| {
                shape(other) == shape(&spec) && count(other) == count(&spec) && overlap(other, &spec)
            });
            match (builder.insert(spec.clone()), equal) {
                (Ok(id), None) => {
                    prop_assert_eq!(id.index(), kept.len());
                    kept.push(spec);
                }
                (Err(RouteError::Conflict(id)), Some(equal)) => prop_assert_eq!(id.index(), equal),
                (said, equal) => prop_assert!(false, "{spec:?}: {said:?}, but equal is {equal:?}"),
            }
        }
        let table = builder.finish();
        for asked in &requests {
            let expected = naive(&kept, asked);
            let found = asked.with(|request| {
                let found = table.find(request)?;
                let params = table.params(&found);
                let values = params.iter(request.path).map(|(_, value)| value.to_owned()).collect();
                Some((found.route.index(), values))
            });
            prop_assert_eq!(&found, &expected, "{:?}", asked);
        }
    }
}
