//! The admin listener: health, metrics, and the API `/admin/v1`. Loopback by default, never on a data port.

mod audit;
mod config;
mod dashboard;
mod decide;
mod diffs;
mod doorkeeper;
mod events;
mod failures;
mod idempotency;
mod ignores;
mod listener;
mod migrations;
mod mutation;
mod openapi;
mod orders;
mod probes;
mod reply;
mod samples;
mod series;
mod session;
mod state;
mod status;

pub use listener::AdminApp;
pub use openapi::{ENDPOINTS, Endpoint, document};
pub use orders::{APPROVAL, VERBS, Verb};
pub(crate) use samples::keep_sampling;
pub use state::AdminState;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

/// Largest body that is read.
const MAX_BODY: usize = 64 * 1024;

/// Every endpoint, as [`ENDPOINTS`] lists them.
pub fn router(state: AdminState) -> Router {
    let routes: [(&str, MethodRouter<AdminState>); 28] = [
        ("/", get(dashboard::page)),
        ("/assets/{*file}", get(dashboard::asset)),
        ("/livez", get(probes::livez)),
        ("/readyz", get(probes::readyz)),
        ("/metrics", get(probes::metrics)),
        ("/version", get(probes::version)),
        ("/admin/v1/session", post(session::begin).delete(session::end)),
        ("/admin/v1/whoami", get(session::whoami)),
        ("/admin/v1/config", get(config::show)),
        ("/admin/v1/config:reload", post(config::reload)),
        ("/admin/v1/config/schema", get(config::schema)),
        ("/admin/v1/decide", get(decide::by_query).post(decide::by_body)),
        ("/admin/v1/status", get(status::show)),
        ("/admin/v1/backends", get(status::backends)),
        ("/admin/v1/migrations", get(status::migrations)),
        // A verb stands behind the name: `profile:promote`. No name has a colon in it.
        ("/admin/v1/migrations/{id}", get(migrations::one).post(orders::by_verb)),
        ("/admin/v1/migrations/{id}/status", get(migrations::status)),
        ("/admin/v1/migrations/{id}/verdicts", get(migrations::verdicts)),
        ("/admin/v1/migrations/{id}/diffs", get(diffs::show)),
        ("/admin/v1/migrations/{id}/ignores", get(ignores::show)),
        ("/admin/v1/migrations/{id}/series", get(series::show)),
        ("/admin/v1/migrations/{id}/history", get(migrations::history)),
        ("/admin/v1/migrations/{id}/rollback-cost", get(migrations::rollback_cost)),
        ("/admin/v1/migrations/{id}/approvals", get(migrations::approvals).post(orders::approve)),
        ("/admin/v1/audit", get(audit::show)),
        ("/admin/v1/audit:verify", get(audit::verify)),
        ("/admin/v1/events", get(events::stream)),
        ("/admin/v1/openapi.json", get(openapi::show)),
    ];
    let mut router = Router::new();
    for (path, methods) in routes {
        router = router.route(path, methods);
    }
    router
        .fallback(reply::no_such_path)
        .method_not_allowed_fallback(reply::no_such_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(state.clone(), doorkeeper::check))
        .with_state(state)
}
