//! The description of the admin API that it serves itself. A test compares it with the router.

use super::orders::{APPROVAL, VERBS, Verb};
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

/// Answers about one migration.
const ONE: &[u16] = &[200, 404];
/// Answers from the store.
const READ: &[u16] = &[200, 400, 404, 503];
/// Answers to an order.
const ORDER: &[u16] = &[200, 400, 403, 404, 409, 412, 422, 428, 503];

/// Every endpoint of the router.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("get", "/", "The dashboard", &[200, 304]),
    endpoint("get", "/assets/{file}", "A part of the dashboard", &[200, 304, 404]),
    endpoint(
        "post",
        "/admin/v1/session",
        "Log in with a token; the answer sets a cookie",
        &[200, 400, 403, 409, 503],
    ),
    endpoint("delete", "/admin/v1/session", "Log out", &[204, 403]),
    endpoint("get", "/admin/v1/whoami", "Who asks, with which role", &[200]),
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
    endpoint(
        "get",
        "/admin/v1/migrations",
        "Migrations: where they stand, what they have done",
        &[200],
    ),
    endpoint("get", "/admin/v1/migrations/{id}", "One of them; its generation is the ETag", ONE),
    endpoint("get", "/admin/v1/migrations/{id}/status", "Is it fine?", ONE),
    endpoint("get", "/admin/v1/migrations/{id}/verdicts", "What the gates say", ONE),
    endpoint("get", "/admin/v1/migrations/{id}/history", "What happened last", READ),
    endpoint("get", "/admin/v1/migrations/{id}/diffs", "Where the two sides differ", ONE),
    endpoint("get", "/admin/v1/migrations/{id}/series", "Both sides over time", &[200, 400, 404]),
    endpoint("get", "/admin/v1/migrations/{id}/rollback-cost", "What going back would do", ONE),
    endpoint(
        "get",
        "/admin/v1/migrations/{id}/approvals",
        "What people think of the next move",
        ONE,
    ),
    endpoint("post", "/admin/v1/migrations/{id}/approvals", "Approve a move, or reject it", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:promote", "A step forward, or to a share", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:setWeight", "This share of users to new", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:mirrorTraffic", "Mirror this share", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:pause", "No weight grows until resume", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:freeze", "As pause, for an incident", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:resume", "Lift pause and freeze", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:rollback", "Reads go back to old", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:abort", "Give the attempt up: back to off", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:retry", "Gather evidence anew", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:switchTraffic", "Everybody to new", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:reverseTraffic", "Everybody to old", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:complete", "The point of no return", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:drill", "Practise a rollback", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:ignore", "Compare without this field", ORDER),
    endpoint("post", "/admin/v1/migrations/{id}:unignore", "Compare it again", ORDER),
    endpoint("get", "/admin/v1/migrations/{id}/ignores", "Rules of comparing, and whose", ONE),
    endpoint("get", "/admin/v1/audit", "The audit log", &[200, 400, 503]),
    endpoint("get", "/admin/v1/audit:verify", "Is the audit log whole?", &[200, 409, 503]),
    endpoint(
        "get",
        "/admin/v1/events",
        "Transitions as they happen, and samples of where everything stands: text/event-stream",
        &[200, 400, 503],
    ),
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
        // Either with a token or, if the configuration has none, without.
        "security": [{ "token": [] }, {}],
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
                    "missing": {
                        "type": "array",
                        "description": "What stands in the way of a move, one by one",
                        "items": {
                            "type": "object",
                            "properties": {
                                "name": { "type": "string" },
                                "text": { "type": "string" },
                                "leftMs": { "type": ["integer", "null"] },
                            },
                        },
                    },
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
            "Login": {
                "type": "object",
                "required": ["token"],
                "properties": { "token": { "type": "string" } },
                "additionalProperties": false,
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
    let free = matches!(endpoint.path, "/livez" | "/readyz" | "/" | "/assets/{file}");
    let logs_in = (endpoint.method, endpoint.path) == ("post", "/admin/v1/session");
    let kept_out: &[u16] = if free { &[421] } else { &[401, 421, 429] };
    for status in endpoint.statuses.iter().chain(kept_out) {
        let problem = json!({ "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
        } });
        let response = match *status {
            200 | 204 => json!({ "description": "Done" }),
            304 => json!({ "description": "As the client has it" }),
            _ => json!({ "description": "Refused", "content": problem }),
        };
        responses.insert(status.to_string(), response);
    }
    let mut described = json!({
        "summary": endpoint.summary,
        "parameters": parameters(endpoint),
        "responses": responses,
    });
    if let Some(verb) = verb(endpoint) {
        described["requestBody"] = json!({ "content": { "application/json": {
            "schema": order(verb),
        } } });
    }
    let schema = match (endpoint.method, endpoint.path) {
        ("post", "/admin/v1/config:reload") => Some("Reload"),
        ("post", "/admin/v1/decide") => Some("Question"),
        ("post", "/admin/v1/session") => Some("Login"),
        _ => None,
    };
    if free || logs_in {
        described["security"] = json!([]);
    }
    if let Some(schema) = schema {
        let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
        described["requestBody"] =
            json!({ "content": { "application/json": { "schema": schema } } });
    }
    described
}

/// The verb of an order's endpoint.
fn verb(endpoint: &Endpoint) -> Option<&'static Verb> {
    let after = endpoint.path.strip_prefix("/admin/v1/migrations/{id}")?;
    if endpoint.method == "post" && after == "/approvals" {
        return Some(&APPROVAL);
    }
    VERBS.iter().find(|verb| after.strip_prefix(':') == Some(verb.name))
}

/// What an order says.
fn order(verb: &Verb) -> Value {
    let mut properties = Map::new();
    properties.insert("reason".to_owned(), json!({ "type": "string", "minLength": 1 }));
    properties.insert("dryRun".to_owned(), json!({ "type": "boolean", "default": false }));
    for name in verb.takes {
        let schema = match *name {
            "to" | "percent" => json!({ "type": ["string", "number"] }),
            "graded" | "evidence" | "confirm" | "rule" => json!({ "type": "string" }),
            "list" => json!({ "enum": ["ignore", "unordered"] }),
            _ => json!({ "type": "boolean" }),
        };
        properties.insert((*name).to_owned(), schema);
    }
    json!({
        "type": "object",
        "required": ["reason"],
        "properties": properties,
        "additionalProperties": false,
    })
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
        ("get", "/admin/v1/audit") => {
            &[("query", "from"), ("query", "limit"), ("query", "last"), ("query", "migration")]
        }
        ("get", "/admin/v1/migrations/{id}/history") => &[("query", "limit")],
        ("get", "/admin/v1/migrations/{id}/series") => &[("query", "seconds")],
        ("get", "/admin/v1/events") => &[("query", "samples")],
        ("post", _) if verb(endpoint).is_some() => &[
            ("query", "reason"),
            ("query", "dryRun"),
            ("header", "If-Match"),
            ("header", "Idempotency-Key"),
        ],
        _ => &[],
    };
    let id = endpoint.path.contains("{id}").then_some(&("path", "id"));
    let file = endpoint.path.contains("{file}").then_some(&("path", "file"));
    let described = id.into_iter().chain(file).chain(names).map(|(place, name)| {
        let required = *place == "path";
        json!({ "in": place, "name": name, "required": required, "schema": { "type": "string" } })
    });
    described.collect()
}
