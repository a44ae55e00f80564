//! What each more instance of a plugin holds. There is one for each worker and each place where a plugin is used.

use crate::curve::{Curve, Unit, decades};
use anyhow::{Context as _, ensure};
use cutover_benches::traffic::{SALT, headers};
use cutover_core::decide::OnError;
use cutover_core::route::{RouteSpec, RouteTable};
use cutover_core::{Percent, RequestView, Salt};
use cutover_wasm::{CallView, HookSet, Host, HostOptions, Isolation, PlaceOptions};
use http::Method;
use std::time::{Duration, Instant};

/// An example as users would write one, as it is shipped.
const COMPONENT: &[u8] = include_bytes!("../../../../plugins/dist/tenant_split.wasm");
const MOST: usize = 100;
const PAGE_BYTES: f64 = 4096.0;

pub(crate) fn curves(most: &dyn Fn(usize) -> usize) -> anyhow::Result<Vec<Curve>> {
    let host = Host::new(HostOptions { workers: 1, ..HostOptions::default() })?;
    let component = host.compile(COMPONENT)?;
    let install = |number: usize| {
        component.install(PlaceOptions {
            name: format!("{SALT}-{number}"),
            backends: vec!["old".to_owned(), "new".to_owned()],
            config: r#"{"tenants":["acme","globex"]}"#.to_owned(),
            hooks: HookSet { split: true, ..HookSet::default() },
            on_error: OnError::Old,
            deadline: Duration::from_secs(1),
            memory: 16 << 20,
            isolation: Isolation::Worker,
        })
    };
    // What the first one brings is not the others': code, tables, the pool.
    let mut places = vec![install(0)?];
    call(&places[0])?;
    let before = resident_bytes()?;
    let mut points = Vec::new();
    for instances in decades(most(MOST)) {
        while places.len() <= instances {
            let place = install(places.len())?;
            call(&place)?;
            places.push(place);
        }
        let live: usize = places.iter().map(|place| place.counts().live).sum();
        ensure!(live == places.len(), "{live} instances of {} places", places.len());
        points.push((instances, (resident_bytes()? - before).max(PAGE_BYTES)));
    }
    Ok(vec![Curve {
        title: "instances of a plugin, memory of all",
        of: "instances",
        unit: Unit::Bytes,
        how: "resident memory after one call of each; there are as many as workers times places",
        points,
    }])
}

/// Once, so that it has touched what it needs.
fn call(place: &cutover_wasm::Place) -> anyhow::Result<()> {
    let headers = headers("user-4711");
    let mut table = RouteTable::default();
    table
        .insert(RouteSpec { path: "/api/profile/{id}".into(), ..RouteSpec::default() })
        .ok()
        .context("a route")?;
    let request = RequestView::new(&Method::GET, "api.example.com", "/api/profile/7", &headers);
    let matched = table.find(&request).context("it matches")?;
    let view = CallView {
        request: &request,
        params: &table.params(&matched),
        bucket: Some(Salt::new(SALT).bucket(b"user-4711")),
        share: Percent::from_thousandths(5_000),
    };
    #[expect(clippy::disallowed_methods, reason = "quarantine wants an instant")]
    let answer = place.split(&view, Instant::now());
    ensure!(answer.is_ok(), "the plugin failed");
    Ok(())
}

fn resident_bytes() -> anyhow::Result<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").context("it takes Linux")?;
    let pages = statm.split_whitespace().nth(1).context("a short /proc/self/statm")?;
    Ok(pages.parse::<f64>()? * PAGE_BYTES)
}
