//! Who is served by whom, and what is wrong: the migrations with their counts, the plugins, the backends' addresses.
//!
//! Nothing here waits for a reload: it is asked when things go badly.

use super::AdminState;
use super::migrations::{add_view, aside};
use super::reply::json;
use super::series::lately;
use axum::extract::{Extension, State};
use axum::response::Response;
use cutover::core::migration::Actor;
use cutover::{Answered, Installed, Migration, MigrationStatus, PluginStatus};
use serde_json::{Value, json};

/// Lines of its history that a migration is shown with.
const HISTORY: usize = 3;

/// Everything at once, for `cutover status`.
pub(super) async fn show(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
) -> Response {
    let shown = aside(move || {
        let server = &state.server;
        let current = server.engine.current();
        let mut migrations = described(&state, &current, &actor);
        for migration in &mut migrations {
            let name = migration["name"].as_str().unwrap_or_default();
            // A store that cannot be read is told of as trouble of the migration.
            let records = server.conductor.recent(HISTORY, Some(name)).unwrap_or_default();
            migration["history"] = json!(records);
        }
        json(&json!({
            "version": env!("CARGO_PKG_VERSION"),
            "generation": current.generation().0,
            "file": server.reloader.source().file().display().to_string(),
            "ready": server.is_ready(),
            "nowMs": server.engine.clock().unix_ms(),
            "lastReload": server.reloader.last(),
            "warnings": server.reloader.warnings().len(),
            "migrations": migrations,
            "backends": server.proxy.backends(),
        }))
    });
    shown.await
}

pub(super) async fn migrations(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
) -> Response {
    let shown = aside(move || {
        let current = state.server.engine.current();
        let migrations = described(&state, &current, &actor);
        json(&json!({ "generation": current.generation().0, "migrations": migrations }))
    });
    shown.await
}

pub(super) async fn backends(State(state): State<AdminState>) -> Response {
    json(&state.server.proxy.backends())
}

/// What every migration has done, and where it stands.
fn described(state: &AdminState, current: &Installed, actor: &Actor) -> Vec<Value> {
    let views = state.server.conductor.views(actor);
    let plugins = current.plugins();
    let migrations = current.snapshot().migrations().iter().zip(current.migration_status());
    let one = |(migration, status): (&Migration, MigrationStatus)| {
        let mut value = of_migration(current, migration, &status, &plugins);
        value["lastMinute"] = lately(&state.server, current, &migration.name);
        if let Some(view) = views.iter().find(|view| view.name == migration.name) {
            add_view(&mut value, view);
        }
        value
    };
    migrations.map(one).collect()
}

/// What one migration has done.
pub(super) fn of_name(current: &Installed, name: &str) -> Value {
    let plugins = current.plugins();
    let migrations = current.snapshot().migrations().iter().zip(current.migration_status());
    let mut found = migrations.filter(|(migration, _)| *migration.name == *name);
    let found = found.next();
    found.map_or(json!({ "name": name }), |(migration, status)| {
        of_migration(current, migration, &status, &plugins)
    })
}

fn of_migration(
    current: &Installed,
    migration: &Migration,
    status: &MigrationStatus,
    plugins: &[PluginStatus],
) -> Value {
    let snapshot = current.snapshot();
    let failed = status.failed_attempts.iter().map(|(side, cause, count)| {
        json!({ "side": side.name(), "cause": cause.name(), "count": count })
    });
    let plugins = plugins.iter().filter(|plugin| *plugin.migration == *migration.name);
    json!({
        "name": migration.name,
        "phase": migration.phase.name(),
        "old": snapshot.backend(migration.old).name,
        "new": snapshot.backend(migration.new).name,
        "readPercent": migration.state.read_percent.to_string(),
        "mirrorPercent": migration.state.mirror_percent.to_string(),
        "writeOwner": migration.state.write_owner.name(),
        "disabled": migration.disabled,
        "rolledBack": migration.rolled_back,
        "breaker": status.breaker.name(),
        "breakerOpened": status.breaker_opened,
        "answered": status.answered.iter().map(answered).collect::<Vec<_>>(),
        "failedAttempts": failed.collect::<Vec<_>>(),
        "plugins": plugins.map(of_plugin).collect::<Vec<_>>(),
    })
}

fn answered(answered: &Answered) -> Value {
    let Answered { side, role, requests, errors, p50_ms, p99_ms, .. } = *answered;
    json!({
        "side": side.name(),
        "role": role.name(),
        "requests": requests,
        "errors": errors,
        "p50Ms": p50_ms,
        "p99Ms": p99_ms,
    })
}

fn of_plugin(plugin: &PluginStatus) -> Value {
    let PluginStatus { plugin, state, live, calls, faults, .. } = plugin;
    json!({ "name": plugin, "state": state, "instances": live, "calls": calls, "faults": faults })
}
