//! `cutover explain`: why a request would go where it goes, asked of a configuration or of a running server.

use cutover::core::path::normalise;
use cutover::{Engine, Explanation, RequestView};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request to explain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its method.
    #[serde(default = "get")]
    pub method: String,
    /// Its host.
    #[serde(default)]
    pub host: String,
    /// Its path, with a query if it has one.
    pub path: String,
    /// Its headers; several values under one name are separated by a line end.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

fn get() -> String {
    "GET".to_owned()
}

impl Question {
    /// `GET /x`, or just `/x`; a target may be `http://host/x`. Headers are `name: value`.
    ///
    /// # Errors
    /// What is wrong, and how it should look.
    pub fn parse(request: &str, headers: &[String]) -> Result<Self, String> {
        let request = request.trim();
        let (method, target) = match request.split_once(' ') {
            Some((method, target)) => (method.to_owned(), target.trim()),
            None => (get(), request),
        };
        let absolute = target.strip_prefix("http://").or_else(|| target.strip_prefix("https://"));
        let (host, path) = match absolute {
            Some(rest) => match rest.find('/') {
                Some(slash) => (rest[..slash].to_owned(), rest[slash..].to_owned()),
                None => (rest.to_owned(), "/".to_owned()),
            },
            None => (String::new(), target.to_owned()),
        };
        if !path.starts_with('/') {
            return Err(format!("`{request}` is not a request: write 'GET /path'"));
        }
        let mut question = Self { method, host, path, headers: BTreeMap::new() };
        for header in headers {
            question.add_header(header)?;
        }
        Ok(question)
    }

    /// From the query of `/admin/v1/decide`.
    ///
    /// # Errors
    /// What is wrong, and how it should look.
    pub fn from_query(query: &str) -> Result<Self, String> {
        let mut question = Self {
            method: get(),
            host: String::new(),
            path: String::new(),
            headers: BTreeMap::new(),
        };
        for (name, value) in pairs(query) {
            match name.as_str() {
                "method" => question.method = value,
                "host" => question.host = value,
                "path" => question.path = value,
                "header" => question.add_header(&value)?,
                other => {
                    return Err(format!("`{other}` is none of method, host, path and header"));
                }
            }
        }
        if question.path.is_empty() {
            return Err("path is missing: ?path=/x".to_owned());
        }
        Ok(question)
    }

    fn add_header(&mut self, header: &str) -> Result<(), String> {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| format!("`{header}` is not a header: write 'name: value'"))?;
        let values = self.headers.entry(name.trim().to_ascii_lowercase()).or_default();
        if !values.is_empty() {
            values.push('\n');
        }
        values.push_str(value.trim());
        Ok(())
    }

    /// Asks an engine.
    ///
    /// # Errors
    /// If this is no request.
    pub fn ask(&self, engine: &Engine) -> Result<Explanation, String> {
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| format!("`{}` is not a method", self.method))?;
        let mut headers = HeaderMap::new();
        for (name, values) in &self.headers {
            let name: HeaderName =
                name.parse().map_err(|_| format!("`{name}` is not a header name"))?;
            for value in values.split('\n') {
                let value = HeaderValue::from_str(value)
                    .map_err(|_| format!("`{value}` is not a header value"))?;
                headers.append(name.clone(), value);
            }
        }
        let (path, query) = match self.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.path.as_str(), None),
        };
        let path = normalise(path).map_err(|error| format!("{path}: {error:?}, so 400"))?;
        let host_header = headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let host = if self.host.is_empty() { host_header.unwrap_or_default() } else { &self.host };
        let mut view = RequestView::new(&method, host, &path, &headers);
        view.query = query;
        view.now_ms = engine.clock().unix_ms();
        Ok(engine.explain(&view))
    }
}

/// The pairs of a query, decoded.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                digit(high).zip(digit(low)).map(|(high, low)| ((high << 4 | low) as u8, after))
            }
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((if *first == b'+' { b' ' } else { *first }, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
