//! A mismatch counts when it is there twice; noise is where old disagrees with itself.

use super::*;

fn differing(old: &str, new: &str) -> Differences {
    match compared(old.as_bytes(), new.as_bytes(), &Rules::default()) {
        Comparison::Differs(differences) => differences,
        other @ (Comparison::Match | Comparison::Failed { .. }) => panic!("{other:?}"),
    }
}

fn again(old: &str, new: &str) -> Comparison {
    compared(old.as_bytes(), new.as_bytes(), &Rules::default())
}

#[test]
fn a_mismatch_is_asked_once_more() {
    let held = || Held::new(differing(r#"{"a":1,"b":1}"#, r#"{"a":2,"b":2}"#), 1_000);
    assert_eq!(held().settle(Comparison::Match), Settlement::Transient);
    let failed = Comparison::Failed { old: false, new: true };
    assert_eq!(held().settle(failed), Settlement::Unresolved);
    // `b` has caught up, `c` is new: what lasted is `a`.
    let Settlement::Settled(settled) = held().settle(again(r#"{"a":1,"c":1}"#, r#"{"a":3,"c":2}"#))
    else {
        panic!("it differs");
    };
    let paths: Vec<_> = settled.differences().iter().map(|found| found.place.path()).collect();
    assert_eq!(paths, ["/a"]);
    // Nothing lasted, but the replies never agreed.
    let Settlement::Settled(settled) = held().settle(again(r#"{"c":1}"#, r#"{"c":2}"#)) else {
        panic!("it differs");
    };
    assert_eq!(settled.differences().count(), 1);
}

#[test]
fn a_held_mismatch_is_due_after_its_wait() {
    let held = Held::new(differing("1", "2"), 1_000);
    assert_eq!((held.since_ms(), held.first().count()), (1_000, 1));
    assert!(!held.is_due(500, 1_499));
    assert!(held.is_due(500, 1_500));
    // A clock that went back makes nothing due.
    assert!(!held.is_due(500, 0));
}

#[test]
fn a_field_as_noisy_within_old_is_suggested() {
    let mut noise = Noise::default();
    let count = |noise: &mut Noise, times: usize, is_noise: bool, old: &str, new: &str| {
        for _ in 0..times {
            let comparison = again(old, new);
            if is_noise {
                noise.count_noise("GET /a", &comparison);
            } else {
                noise.count_raw("GET /a", &comparison);
            }
        }
    };
    let same = r#"{"items":[{"at":1,"price":1}],"tags":[1,2]}"#;
    let other_time = r#"{"items":[{"at":2,"price":1}],"tags":[2,1]}"#;
    let other_price = r#"{"items":[{"at":2,"price":2}],"tags":[2,1]}"#;
    count(&mut noise, 500, false, same, same);
    count(&mut noise, 400, false, same, other_time);
    count(&mut noise, 100, false, same, other_price);
    assert!(noise.suggestions().is_empty(), "old was never asked twice");
    count(&mut noise, 20, true, same, same);
    count(&mut noise, 20, true, same, other_time);
    assert!(noise.suggestions().is_empty(), "old was hardly asked twice");
    count(&mut noise, 30, true, same, same);
    count(&mut noise, 30, true, same, other_time);
    let suggestions = noise.suggestions();
    let told: Vec<_> = suggestions.iter().map(|s| (s.list, s.rule.as_str())).collect();
    assert_eq!(told, [("ignore", "/items/*/at"), ("unordered", "/tags")]);
    let field = &suggestions[0].field;
    assert_eq!((field.raw, field.raw_of, field.noise, field.noise_of), (500, 1_000, 50, 100));
    // What is suggested can be taken as it is.
    rules(&ignoring(&["/items/*/at"]));
    // The price differs between old and new alone.
    let price = noise.iter().find(|field| field.path == "/items/*/price").expect("it is counted");
    assert!(price.stands_out() && !price.is_noise());
}

#[test]
fn diffys_thresholds() {
    let field = |raw, raw_of, noise, noise_of| FieldNoise {
        route: String::new(),
        path: "/a".to_owned(),
        raw,
        raw_of,
        noise,
        noise_of,
    };
    // Twenty percent of the sum, and three in ten thousand.
    assert!(!field(150, 1_000, 100, 1_000).stands_out());
    assert!(field(151, 1_000, 100, 1_000).stands_out());
    assert!(!field(100, 1_000, 100, 1_000).stands_out());
    assert!(!field(3, 10_000, 0, 10_000).stands_out());
    assert!(field(4, 10_000, 0, 10_000).stands_out());
    // Rates, not counts: old is asked twice for one request in twenty.
    assert!(!field(500, 1_000, 25, 50).stands_out());
}

#[test]
fn noise_is_bounded_and_fades() {
    let mut noise = Noise::default();
    for number in 0..MAX_NOISE_FIELDS + 10 {
        let route = format!("GET /{number}");
        noise.count_raw(&route, &again(r#"{"a":1}"#, r#"{"a":2}"#));
    }
    assert_eq!(noise.iter().count(), MAX_NOISE_FIELDS);
    assert_eq!(noise.left_out(), 10);
    noise.fade();
    assert_eq!(noise.iter().count(), 0);
    let fields = |n: usize| (0..n).map(|n| format!("\"f{n}\":1")).collect::<Vec<_>>().join(",");
    for number in 0..MAX_NOISE_FIELDS {
        let body = format!("{{\"n{}\":{{{}}}}}", char::from(b'a' + (number % 20) as u8), fields(3));
        noise.count_noise(&format!("GET /{}", number / 20), &again("{}", &body));
    }
    assert!(noise.iter().count() <= MAX_NOISE_FIELDS);
    noise.count_raw("GET /x", &Comparison::Failed { old: true, new: true });
}
