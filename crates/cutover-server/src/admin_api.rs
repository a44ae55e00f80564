//! Requests of the command line to the admin API of a running proxy.

use crate::credentials;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// How long the admin API may take; plugins may have to be compiled.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Largest reply that is read.
const MAX_REPLY: usize = 64 * 1024 * 1024;

/// Where the admin API is, and who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admin<'a> {
    pub(crate) url: &'a str,
    pub(crate) token_file: Option<&'a Path>,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    method: Method,
    path: &'a str,
    body: Option<&'a Value>,
    generation: Option<u64>,
}

impl<'a> Asked<'a> {
    pub(crate) fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, body: None, generation: None }
    }

    pub(crate) fn post(path: &'a str, body: &'a Value) -> Self {
        Self { method: Method::POST, path, body: Some(body), generation: None }
    }

    /// Only if this generation is in force.
    pub(crate) fn only_if(self, generation: Option<u64>) -> Self {
        Self { generation, ..self }
    }
}

/// Why there is no good answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nobody understood the question: a sentence for people.
    NoAnswer(String),
    /// A problem that the API describes.
    Refused(Value),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer(text) => f.write_str(text),
            Self::Refused(problem) => {
                write!(f, "{}: {}", text(problem, "title"), text(problem, "detail").trim_end())
            }
        }
    }
}

impl Admin<'_> {
    /// Asks, and waits for the whole answer.
    pub(crate) fn ask(&self, asked: &Asked<'_>) -> Result<Value, Fault> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Fault::NoAnswer(format!("cannot start: {error}")))?;
        let url = self.url.trim_end_matches('/');
        let request = self.request(url, asked).map_err(Fault::NoAnswer)?;
        runtime.block_on(async {
            let late = || format!("{url} did not answer within {ANSWER_WITHIN:?}");
            let answer = tokio::time::timeout(ANSWER_WITHIN, exchange(url, request)).await;
            answer.map_err(|_| Fault::NoAnswer(late()))?
        })
    }

    fn request(&self, url: &str, asked: &Asked<'_>) -> Result<Request<Full<Bytes>>, String> {
        let method = asked.method.clone();
        let mut request = Request::builder().method(method).uri(format!("{url}{}", asked.path));
        if let Some(generation) = asked.generation {
            request = request.header(header::IF_MATCH, format!("\"{generation}\""));
        }
        let body = asked.body.map(ToString::to_string).unwrap_or_default();
        credentials::sign(request, self.token_file)?
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| format!("`{url}` is not a URL: write --admin http://127.0.0.1:8081"))
    }
}

async fn exchange(url: &str, request: Request<Full<Bytes>>) -> Result<Value, Fault> {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let reply = client.request(request).await.map_err(|error| {
        let text = format!(
            "no admin API at {url} ({error}): is `cutover run` up? --admin gives another URL"
        );
        Fault::NoAnswer(text)
    })?;
    let status = reply.status();
    let body = Limited::new(reply.into_body(), MAX_REPLY).collect().await;
    let body = body.map_err(|error| format!("{url}: the reply broke off: {error}"));
    let body: Value = serde_json::from_slice(&body.map_err(Fault::NoAnswer)?.to_bytes())
        .map_err(|_| format!("{url} answered {status}, but not with JSON: is it cutover?"))
        .map_err(Fault::NoAnswer)?;
    if status == StatusCode::OK { Ok(body) } else { Err(Fault::Refused(body)) }
}

/// A member as text; empty if there is none.
pub(crate) fn text(value: &Value, key: &str) -> String {
    let value = &value[key];
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_null() => String::new(),
        None => value.to_string(),
    }
}
