//! Who is served by which side.

use super::TenantSplit;
use cutover_plugin::Percent;
use cutover_plugin::testing::{Place, Request};

fn place(config: &str) -> Place<TenantSplit> {
    Place::configure(config).expect("a good configuration")
}

#[test]
fn listed_tenants_are_served_by_new_whatever_the_percent() {
    let place = place(r#"{"tenants": ["zeta", "acme"]}"#);
    for tenant in ["acme", "zeta"] {
        let answer = place.decide(&Request::get("/").header("x-tenant", tenant));
        assert_eq!((answer.backend, answer.reason), ("new", Some("tenant-listed")), "{tenant}");
    }
}

#[test]
fn others_follow_the_percent_unless_told_to_stay() {
    let (five, user) = (Percent::from_thousandths(5_000), Request::get("/").bucket(4_999));
    let other = user.share(five).header("x-tenant", "other");
    assert_eq!(place(r#"{"tenants": ["acme"]}"#).decide(&other).backend, "new");

    let stay = place(r#"{"tenants": ["acme"], "others": "old"}"#);
    let answer = stay.decide(&other);
    assert_eq!((answer.backend, answer.reason), ("old", Some("tenant-not-listed")));
}

#[test]
fn no_tenant_two_tenants_and_nearly_a_tenant_are_not_listed() {
    let place = place(r#"{"tenants": ["acme"], "header": "X-Org"}"#);
    let get = || Request::get("/");
    assert_eq!(place.decide(&get()).backend, "old");
    assert_eq!(place.decide(&get().header("x-tenant", "acme")).backend, "old", "another header");
    assert_eq!(place.decide(&get().header("x-org", "Acme")).backend, "old");
    assert_eq!(place.decide(&get().header("x-org", b"acme\xff")).backend, "old");
    let two = get().header("x-org", "acme").header("x-org", "acme");
    assert_eq!(place.decide(&two).backend, "old");
    assert_eq!(place.decide(&get().header("x-org", "acme")).backend, "new");
}

#[test]
fn a_wrong_configuration_is_refused_with_the_reason() {
    let error = |config| Place::<TenantSplit>::configure(config).err().unwrap_or_default();
    assert!(error("{}").contains("tenants"), "{}", error("{}"));
    let misspelt = r#"{"tenants": [], "headr": "x"}"#;
    assert!(error(misspelt).contains("headr"), "{}", error(misspelt));
    assert!(error(r#"{"tenants": [""]}"#).contains("no name"));
    assert!(error("not json").contains("line 1"));
}
