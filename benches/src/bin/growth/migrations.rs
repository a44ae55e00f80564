//! What each more migration costs: a decision, the look at its evidence once a second, memory.

use crate::curve::{Curve, Unit, decades, fastest};
use anyhow::{Context as _, ensure};
use cutover::store::Memory;
use cutover::{Conductor, Engine, EngineOptions, Outcome, RequestView, SystemClock, charges};
use cutover_benches::document::Nothing;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

const MOST: usize = 1_000;
/// Exchanges that are timed.
const EXCHANGES: usize = 2_000;

pub(crate) fn curves(most: &dyn Fn(usize) -> usize) -> anyhow::Result<Vec<Curve>> {
    let (mut exchanges, mut ticks, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    let mut headers = HeaderMap::new();
    headers.insert("x-user-id", HeaderValue::from_static("user-4711"));
    for migrations in decades(most(MOST)) {
        let mut made = None;
        let held = allocation_counter::measure(|| made = Some(world(migrations)));
        let (engine, conductor) = made.context("it was made")??;
        bytes.push((migrations, held.bytes_current as f64));
        let paths: Vec<String> =
            (0..migrations).map(|number| format!("/api/service-{number}/7")).collect();
        let exchange = |number: usize| -> anyhow::Result<()> {
            let path = &paths[number % migrations];
            let view = RequestView::new(&Method::GET, "shop.example", path, &headers);
            let begun = engine.begin(black_box(&view));
            begun.ok().context("no route")?.finish(Outcome::Replied(StatusCode::OK));
            Ok(())
        };
        for number in 0..migrations {
            exchange(number)?;
        }
        exchanges.push((
            migrations,
            fastest(EXCHANGES, |number| {
                let _ = black_box(exchange(number));
            }),
        ));
        ticks.push((migrations, fastest(10, |_| conductor.tick())));
    }
    let curve = |title, unit, how, points| Curve { title, of: "migrations", unit, how, points };
    Ok(vec![
        curve(
            "one exchange, decided and recorded",
            Unit::Nanoseconds,
            "begun and finished, the migrations in turn",
            exchanges,
        ),
        curve(
            "evidence of all looked at, as once a second",
            Unit::Nanoseconds,
            "one tick of the conductor with its store in memory",
            ticks,
        ),
        curve(
            "memory of an engine with migrations",
            Unit::Bytes,
            "snapshot, breakers, counters, evidence and conductor, of one route each",
            bytes,
        ),
    ])
}

/// Migrations of one route each, in canary.
fn world(migrations: usize) -> anyhow::Result<(Arc<Engine>, Conductor)> {
    let mut text = String::from(
        "[server]\nlisten = [\"127.0.0.1:8080\"]\n[backends.old]\naddresses = [\"127.0.0.1:9001\"]\n\
         [backends.new]\naddresses = [\"127.0.0.1:9002\"]\n",
    );
    for number in 0..migrations {
        let _ = write!(
            text,
            "[migrations.m{number}]\nold = \"old\"\nnew = \"new\"\nowner = \"bench\"\nexpires = 2099-01-01\n\
             data = \"shared\"\nkey = [{{ header = \"x-user-id\" }}]\n\
             routes = [{{ path = \"/api/service-{number}/{{id}}\" }}]\nread-percent = 5\n"
        );
    }
    let config = cutover_config::load(&text, "cutover.toml", &Nothing).context("it is right")?;
    let charged = charges(&config, &Nothing);
    ensure!(charged.len() == migrations, "a migration is lost");
    let engine = Arc::new(Engine::new(EngineOptions::default())?);
    let conductor = Conductor::new(engine.clone(), Arc::new(Memory::new()), Arc::new(SystemClock))?;
    let prepared = engine.prepare(config.snapshot, &config.plugins, &Nothing)?;
    let prepared = prepared.with_plans(&config.plans)?;
    conductor.adopt(charged, |restate| {
        engine.install(prepared);
        engine.restate(restate);
    });
    Ok((engine, conductor))
}
