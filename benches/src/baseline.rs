//! What a decision is held against: the least that any router would have to do, and what a linear router does.

use crate::traffic::{KEY, SALT, path, pattern};
use cutover_core::{Bucket, Salt};
use http::{HeaderMap, HeaderName};

/// `matchit` for the route, the same header look-up, the same hash: no precedence, no predicates, no fall-through.
#[derive(Debug)]
pub struct Bare {
    router: matchit::Router<u32>,
    /// Made once, as the other side's is: a `const` would be built and dropped with every look-up.
    key: HeaderName,
    salt: Salt,
}

impl Bare {
    /// With the routes of [`snapshot`](crate::traffic::snapshot).
    pub fn new(routes: usize) -> Self {
        let mut router = matchit::Router::new();
        for number in 0..routes {
            router.insert(pattern(number), number as u32).expect("patterns differ");
        }
        Self { router, key: KEY, salt: Salt::new(SALT) }
    }

    /// The route and the bucket.
    pub fn decide(&self, path: &str, headers: &HeaderMap) -> Option<(u32, Bucket)> {
        let route = *self.router.at(path).ok()?.value;
        let key = headers.get(&self.key)?;
        Some((route, self.salt.bucket(key.as_bytes())))
    }
}

/// One comparison after the other, as proxies with a list of routes do it.
#[derive(Debug)]
pub struct Linear {
    /// What stands before and after the parameter.
    routes: Vec<(String, String)>,
    salt: Salt,
}

impl Linear {
    /// With the routes of [`snapshot`](crate::traffic::snapshot).
    pub fn new(routes: usize) -> Self {
        let split = |number| {
            let pattern = pattern(number);
            let (before, after) = pattern.split_once("{id}").expect("patterns have a parameter");
            (before.to_owned(), after.to_owned())
        };
        let routes = (0..routes).map(split).collect::<Vec<_>>();
        assert!(path(0).starts_with(&routes[0].0), "paths fit their patterns");
        Self { routes, salt: Salt::new(SALT) }
    }

    /// The route and the bucket.
    pub fn decide(&self, path: &str, headers: &HeaderMap) -> Option<(u32, Bucket)> {
        let route = self.routes.iter().position(|(before, after)| {
            path.strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .is_some_and(|id| !id.contains('/'))
        })?;
        let key = headers.get(KEY)?;
        Some((route as u32, self.salt.bucket(key.as_bytes())))
    }
}
