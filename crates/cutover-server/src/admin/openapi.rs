//! The description of the admin API that it serves itself. A test compares it with the router.

use super::reply::json;
use axum::response::Response;
use serde_json::{Map, Value, json};

/// One endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// Lower-case method.
    pub method: &'static str,
    /// Path.
    pub path: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Statuses it answers with, besides 401, 421 and 429 for whoever may not talk to it at all.
    pub statuses: &'static [u16],
}

const fn endpoint(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    statuses: &'static [u16],
) -> Endpoint {
    Endpoint { method, path, summary, statuses }
}

/// Every endpoint of the router.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("get", "/livez", "The process answers", &[200]),
    endpoint("get", "/readyz", "The process accepts requests", &[200, 503]),
    endpoint("get", "/metrics", "Metrics as OpenMetrics text", &[200]),
    endpoint("get", "/version", "Name and version", &[200]),
    endpoint("get", "/admin/v1/config", "The configuration in force", &[200]),
    endpoint(
        "post",
        "/admin/v1/config:reload",
        "Read the configuration file again; a reason is needed",
        &[200, 400, 403, 409, 412, 422],
    ),
    endpoint("get", "/admin/v1/config/schema", "JSON Schema of cutover.toml", &[200]),
    endpoint("get", "/admin/v1/decide", "Explain a request given in the query", &[200, 400]),
    endpoint("post", "/admin/v1/decide", "Explain a request given as JSON", &[200, 400, 403]),
    endpoint("get", "/admin/v1/status", "Who is served by whom, and what is wrong", &[200]),
    endpoint("get", "/admin/v1/backends", "Addresses and their health", &[200]),
    endpoint("get", "/admin/v1/migrations", "Migrations, and what they have done", &[200]),
    endpoint("get", "/admin/v1/openapi.json", "This description", &[200]),
];

pub(super) async fn show() -> Response {
    json(&document())
}

/// OpenAPI 3.1.
pub fn document() -> Value {
    let mut paths = Map::new();
    for endpoint in ENDPOINTS {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method] = described(endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "cutover admin API", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "security": [{ "token": [] }],
        "components": { "securitySchemes": { "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "Needed if the configuration has [admin] tokens",
        } }, "schemas": {
            "Problem": {
                "type": "object",
                "required": ["status", "title", "id"],
                "properties": {
                    "status": { "type": "integer" },
                    "title": { "type": "string" },
                    "detail": { "type": "string" },
                    "id": { "type": "string" },
                    "findings": { "type": "array", "items": { "type": "object" } },
                },
            },
            "Question": {
                "type": "object",
                "required": ["path"],
                "properties": {
                    "method": { "type": "string", "default": "GET" },
                    "host": { "type": "string" },
                    "path": { "type": "string" },
                    "headers": { "type": "object", "additionalProperties": { "type": "string" } },
                },
            },
            "Reload": {
                "type": "object",
                "required": ["reason"],
                "properties": {
                    "reason": { "type": "string" },
                    "dryRun": { "type": "boolean", "default": false },
                },
            },
        } },
    })
}

fn described(endpoint: &Endpoint) -> Value {
    let mut responses = Map::new();
    let open = matches!(endpoint.path, "/livez" | "/readyz");
    let kept_out: &[u16] = if open { &[421] } else { &[401, 421, 429] };
    for status in endpoint.statuses.iter().chain(kept_out) {
        let problem = json!({ "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
        } });
        let response = match *status {
            200 => json!({ "description": "Done" }),
            _ => json!({ "description": "Refused", "content": problem }),
        };
        responses.insert(status.to_string(), response);
    }
    let mut described = json!({
        "summary": endpoint.summary,
        "parameters": parameters(endpoint),
        "responses": responses,
    });
    let schema = match (endpoint.method, endpoint.path) {
        ("post", "/admin/v1/config:reload") => Some("Reload"),
        ("post", "/admin/v1/decide") => Some("Question"),
        _ => None,
    };
    if open {
        described["security"] = json!([]);
    }
    if let Some(schema) = schema {
        let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
        described["requestBody"] =
            json!({ "content": { "application/json": { "schema": schema } } });
    }
    described
}

fn parameters(endpoint: &Endpoint) -> Value {
    let names: &[(&str, &str)] = match (endpoint.method, endpoint.path) {
        ("get", "/admin/v1/decide") => {
            &[("query", "method"), ("query", "host"), ("query", "path"), ("query", "header")]
        }
        ("post", "/admin/v1/config:reload") => &[
            ("query", "reason"),
            ("query", "dryRun"),
            ("header", "If-Match"),
            ("header", "Idempotency-Key"),
        ],
        _ => &[],
    };
    let described = names
        .iter()
        .map(|(place, name)| json!({ "in": place, "name": name, "schema": { "type": "string" } }));
    described.collect()
}
