//! Users of a plan, on both sides of its percent.

use super::PlanPercent;
use cutover_plugin::Percent;
use cutover_plugin::testing::{Place, Request};

const CONFIG: &str = r#"{"cookie": "plan", "percents": {"pro": "20%", "free": "0.5%"}}"#;

fn place(config: &str) -> Place<PlanPercent> {
    Place::configure(config).expect("a good configuration")
}

#[test]
fn a_plan_has_its_own_percent_and_says_so() {
    let place = place(CONFIG);
    let on = |plan, bucket| {
        let request = Request::get("/").cookie("plan", plan).bucket(bucket);
        let answer = place.decide(&request);
        (answer.backend.to_owned(), answer.reason.map(str::to_owned))
    };
    let (new, old) = ("new".to_owned(), "old".to_owned());
    assert_eq!(on("pro", 19_999), (new.clone(), Some("plan-pro".to_owned())));
    assert_eq!(on("pro", 20_000), (old.clone(), Some("plan-pro".to_owned())));
    assert_eq!(on("free", 499), (new, Some("plan-free".to_owned())));
    assert_eq!(on("free", 500), (old, Some("plan-free".to_owned())));
}

#[test]
fn unknown_plans_follow_the_migration_or_stay() {
    let request = Request::get("/").cookie("plan", "trial").bucket(0).share(Percent::FULL);
    assert_eq!(place(CONFIG).decide(&request).backend, "new");
    let stay = r#"{"header": "x-plan", "percents": {}, "others": "old"}"#;
    assert_eq!(place(stay).decide(&request).backend, "old");
}

#[test]
fn a_user_without_a_key_stays_even_on_a_full_plan() {
    let place = place(r#"{"cookie": "plan", "percents": {"pro": "100%"}}"#);
    assert_eq!(place.decide(&Request::get("/").cookie("plan", "pro")).backend, "old");
}

#[test]
fn a_wrong_configuration_is_refused_with_the_reason() {
    let error = |config| Place::<PlanPercent>::configure(config).err().unwrap_or_default();
    assert!(error(r#"{"percents": {}}"#).contains("either `cookie` or `header`"));
    assert!(error(r#"{"cookie": "a", "header": "b", "percents": {}}"#).contains("either"));
    let typo = error(r#"{"cookie": "plan", "percents": {"pro": "120%"}}"#);
    assert!(typo.contains("percents.pro") && typo.contains("0 to 100"), "{typo}");
}
