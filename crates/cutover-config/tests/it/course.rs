//! How a migration moves, as the configuration says it: the core's own defaults, and nothing lost on the way.

use crate::surroundings::loaded;
use cutover_config::MigrationPlan;
use cutover_core::evidence::{Limit, Limits, Tolerance};
use cutover_core::migration::{AutoLimit, Course, Data, DrillRule, Steps, Timestamp};
use cutover_core::{Bucketing, Percent, Salt};
use std::time::Duration;

fn plan(lines: &str) -> MigrationPlan {
    let routes = "routes = [{ path = '/m', methods = ['GET', 'HEAD'] }]";
    let routes = if lines.contains("routes") { "" } else { routes };
    let text = format!(
        "[backends.a]\naddresses = ['127.0.0.1:9001']\n[backends.b]\naddresses = ['127.0.0.1:9002']\n\
         [migrations.m]\nold = 'a'\nnew = 'b'\nowner = 'me'\nexpires = 2030-03-01\n{routes}\n{lines}\n"
    );
    loaded(&text).plans.remove(0)
}

/// The reference states the defaults for people, the core for embedders: they must be the same.
#[test]
fn the_defaults_are_the_cores() {
    let plan = plan("");
    // 2030-03-01 00:00 UTC, by `date -u -d 2030-03-01 +%s`.
    let end = Timestamp::from_millis(1_898_553_600_000);
    assert_eq!(plan.course, Course::new("m", Data::Shared, Steps::usual(), end));
    assert_eq!(plan.limits, Limits::default());
    assert!(plan.rollback);
    assert_eq!(plan.first, None);
}

#[test]
fn every_key_reaches_the_core() {
    let percent = Percent::from_thousandths;
    let plan = plan(
        "data = 'external'
        group = 'g'
        salt = 'group'
        bucketing = 'flagd-v2'
        key = [{ cookie = 'sid' }]
        read-percent = 5
        routes = [{ path = '/m' }]
        [migrations.m.gates]
        errors = '0.5%'
        fallbacks = '50%'
        latency = 100
        mismatch = '0.001%'
        coverage = '80%'
        shed = 0
        silence = '20m'
        data = '1m'
        required = ['mismatch', 'freshness']
        rollback = false
        [migrations.m.steps]
        percents = [5, 100]
        dwell = ['0s', '2h']
        auto = '5%'
        shadow-dwell = '1h'
        soak = '0s'
        quiet = '0s'
        approvals = 2
        approval-lasts = '1h'
        graded = '0s'
        [migrations.m.preflight]
        required = ['old']
        observe = '1d'
        requests = 7
        [migrations.m.drill]
        good-for = '1d'
        within = '1s'
        away = '2s'",
    );
    let Course { name, data, write_routes, salt, steps, auto, .. } = &plan.course;
    assert_eq!((&**name, *data, *write_routes), ("m", Data::External, true));
    assert_eq!(*salt, Salt::with_bucketing("g", Bucketing::FlagdV2));
    let pairs: Vec<_> = steps.all().iter().map(|step| (step.percent, step.dwell)).collect();
    let two_hours = Duration::from_secs(7_200);
    assert_eq!(pairs, [(percent(5_000), Duration::ZERO), (Percent::FULL, two_hours)]);
    assert_eq!(*auto, AutoLimit::MOST);
    let Course { shadow_dwell, soak, quiet, silence, approvals, approval_lasts, graded, .. } =
        plan.course;
    let hour = Duration::from_secs(3_600);
    assert_eq!([shadow_dwell, soak, quiet], [hour, Duration::ZERO, Duration::ZERO]);
    assert_eq!([silence, approval_lasts, graded], [hour / 3, hour, Duration::ZERO]);
    assert_eq!(approvals, 2);
    assert_eq!(plan.course.gates.concat(), "mismatchfreshness");
    assert_eq!(plan.course.preflight.concat(), "old");
    let [good_for, within, away] = [86_400, 1, 2].map(Duration::from_secs);
    assert_eq!(plan.course.drill, Some(DrillRule { good_for, within, away }));
    let limit = |thousandths| Limit::try_from(percent(thousandths)).expect("within its bounds");
    let expected = Limits {
        errors: limit(500),
        fallbacks: limit(50_000),
        mismatch: limit(1),
        latency: Tolerance::from_thousandths(100_000).expect("within its bounds"),
        coverage: percent(80_000),
        mirror: Percent::ZERO,
        data: hour / 60,
        drill: good_for,
        observe: good_for,
        requests: 7,
        ..Limits::default()
    };
    assert_eq!(plan.limits, expected);
    assert!(!plan.rollback);
    assert_eq!(plan.first, Some(percent(5_000)));
}

#[test]
fn a_drill_need_not_be() {
    let plan = plan("drill = { required = false }");
    assert_eq!(plan.course.drill, None);
    assert_eq!(plan.limits, Limits::default());
}

/// Writes follow their owner, so a migration with any of them is not complete when reads are.
#[test]
fn which_routes_take_writes() {
    for (routes, writes) in [
        ("{ path = '/m', methods = ['GET', 'HEAD', 'OPTIONS'] }", false),
        ("{ path = '/m', methods = ['GET'] }, { path = '/n', methods = ['PUT'] }", true),
        ("{ path = '/m', methods = ['GET'], write = true }", true),
        ("{ path = '/m' }", true),
    ] {
        assert_eq!(plan(&format!("routes = [{routes}]")).course.write_routes, writes, "{routes}");
    }
}
