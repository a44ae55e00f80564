//! Where all migrations stand, every five seconds, made once for all who listen.

use super::migrations::health;
use super::series::ms;
use crate::server::Shared;
use cutover::View;
use cutover::series::{Answers, FINE, Point, Series};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::broadcast::Sender;
use tokio::time::MissedTickBehavior;

/// Samples that a slow listener may be behind.
const BEHIND: usize = 4;

/// Notes what happened, and tells of it, until dropped.
pub(crate) async fn keep_sampling(server: Arc<Shared>, told: Sender<Arc<str>>) {
    let mut every = tokio::time::interval(FINE);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let (server, told) = (Arc::clone(&server), told.clone());
        // The conductor may be waiting for a disk.
        let sampled = tokio::task::spawn_blocking(move || {
            let current = server.engine.current();
            server.series.sample(&current, server.engine.clock().unix_ms());
            if told.receiver_count() > 0 {
                // Whoever has left meanwhile misses nothing.
                let _ = told.send(sample(&server).into());
            }
        });
        if let Err(panic) = sampled.await {
            tracing::error!("a sample of the migrations failed: {panic}");
        }
    }
}

/// Tells of samples from now on.
pub(super) fn channel() -> Sender<Arc<str>> {
    Sender::new(BEHIND)
}

/// Where everything stands.
pub(super) fn sample(server: &Shared) -> String {
    let views = server.conductor.glance();
    let migrations: Vec<Value> = views.iter().map(|view| one(view, &server.series)).collect();
    json!({ "atMs": server.engine.clock().unix_ms(), "migrations": migrations }).to_string()
}

fn one(view: &View, series: &Series) -> Value {
    let progress = view.standing.progress();
    let reads = progress.reads();
    let point = series.latest(&view.name).unwrap_or_default();
    let Point { old, new, .. } = &point;
    json!({
        "name": view.name,
        "position": progress.position.to_string(),
        "health": health(view),
        "generation": progress.generation.0,
        "readPercent": reads.read_percent.to_string(),
        "mirrorPercent": reads.mirror_percent.to_string(),
        "share": point.share(),
        "oldErrorRate": error_rate(old),
        "newErrorRate": error_rate(new),
        "oldP99Ms": old.times.map(|times| ms(times.p99)),
        "newP99Ms": new.times.map(|times| ms(times.p99)),
    })
}

fn error_rate(answers: &Answers) -> Option<f64> {
    (answers.requests > 0).then(|| answers.errors as f64 / answers.requests as f64)
}
