//! The sample of DESIGN section 9 loads and means what it says.

use crate::surroundings::loaded;
use cutover_core::Phase;
use cutover_core::decide::OnError;
use std::time::Duration;

/// DESIGN's text; `qa-secret` is added because a QA header without one is refused.
pub(crate) const SAMPLE: &str = include_str!("design-sample.toml");

#[test]
fn the_sample_loads() {
    let config = loaded(SAMPLE);
    assert_eq!(config.server.listen[0].address.to_string(), "127.0.0.1:8080");
    assert_eq!(config.admin.listen.expect("on").to_string(), "127.0.0.1:8081");
    assert_eq!(config.state.store, "cutover.state");
    assert_eq!(config.snapshot.routes().len(), 3);

    let migration = &config.snapshot.migrations()[0];
    assert_eq!(&*migration.name, "profile");
    assert_eq!(migration.phase, Phase::Canary);
    assert_eq!(migration.state.read_percent.to_string(), "5%");
    assert_eq!(migration.state.mirror_percent.to_string(), "10%");
    assert_eq!(&*config.snapshot.backend(migration.new).name, "profile-service");
    assert_eq!(migration.fallback.deadline, Duration::from_secs(2));
    assert_eq!(migration.fallback.budget.to_string(), "10%");
    assert!(migration.allow.contains(b"user-7"));
    assert_eq!(migration.key.len(), 2);
    assert_eq!(migration.edits.request.set[0].1, "new");
    assert!(migration.qa.is_some());

    let backend = config.snapshot.backend(migration.new);
    assert_eq!(backend.connect_timeout, Duration::from_secs(1));
    assert_eq!(backend.timeout, Duration::from_secs(2));
    assert_eq!(backend.health.as_ref().expect("given").every, Duration::from_secs(5));

    let [plugin] = config.plugins.as_slice() else { panic!("one place: {:?}", config.plugins) };
    assert_eq!(migration.plugins.split.expect("given").index(), 0);
    assert_eq!(plugin.config, r#"{"tenants":["acme"]}"#);
    assert_eq!(plugin.backends, ["monolith", "profile-service"]);
    assert!(plugin.hooks.split && !plugin.hooks.rewrite && !plugin.hooks.fallback);
    assert_eq!((plugin.on_error, plugin.deadline), (OnError::Old, Duration::from_millis(1)));

    let plan = &config.plans[0];
    assert_eq!(
        (plan.owner.as_str(), plan.expires.to_string().as_str()),
        ("identity team", "2027-03-01")
    );
    assert_eq!(plan.limits.latency.to_string(), "1.10");
    assert_eq!(plan.course.steps.all()[4].dwell, Duration::from_secs(86_400));
    assert_eq!(plan.first, Some(cutover_core::Percent::from_thousandths(5_000)));
    assert_eq!(plan.compare.rules.ignore.len(), 3);
}

/// What fails beside the path of requests must not cost the path its plugin.
#[test]
fn a_plugin_that_makes_replies_comparable_has_a_place_of_its_own() {
    let text = SAMPLE.replace(
        "split = \"tenant-split\"",
        "split = \"tenant-split\"\nfallback = \"tenant-split\"\nnormalise = \"tenant-split\"",
    );
    let config = loaded(&text);
    let plugins = config.snapshot.migrations()[0].plugins;
    let index = |place: Option<cutover_core::PlaceId>| place.expect("given").index();
    assert_eq!(
        (index(plugins.split), index(plugins.fallback), index(plugins.normalise)),
        (0, 0, 1)
    );
    let [path, beside] = config.plugins.as_slice() else { panic!("two: {:?}", config.plugins) };
    assert!(path.hooks.split && path.hooks.fallback && !path.hooks.normalise);
    assert!(beside.hooks.normalise && !beside.hooks.split && !beside.hooks.fallback);
    let deadlines = (path.deadline.as_millis(), beside.deadline.as_millis());
    assert_eq!(deadlines, (1, 50));
    assert_eq!((&path.plugin, &path.config), (&beside.plugin, &beside.config));
}

#[test]
fn nothing_in_the_sample_is_warned_about() {
    assert_eq!(loaded(SAMPLE).warnings, []);
}
