//! What is stored comes back as it was, whatever it was; what makes no sense does not.

use super::*;
use crate::core::compare::{IgnoreList, IgnoreRule};
use crate::core::migration::{
    Actor, AddedRule, Drill, DrillOutcome, DrillRecord, EvidenceHash, Graded, Latch, Opinion,
    Position, Role, Served, Withdrawal,
};
use crate::core::{Percent, Side};
use proptest::option;
use proptest::prelude::*;
use std::time::Duration;

fn share() -> impl Strategy<Value = Percent> {
    (0..=100_000u32).prop_map(Percent::from_thousandths)
}

fn text() -> impl Strategy<Value = Box<str>> {
    prop_oneof!["[a-z]{0,8}", any::<String>()].prop_map(String::into_boxed_str)
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp::from_millis)
}

fn span() -> impl Strategy<Value = Duration> {
    (any::<u64>(), 0..1_000_000_000u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos))
}

fn actor() -> impl Strategy<Value = Actor> {
    (text(), prop::sample::select(Role::ALL.to_vec())).prop_map(|(name, role)| Actor { name, role })
}

fn mark() -> impl Strategy<Value = Mark> {
    (actor(), text(), time()).prop_map(|(by, why, at)| Mark { by, why, at })
}

fn position() -> impl Strategy<Value = Position> {
    prop_oneof![
        share().prop_map(Position::Canary),
        prop::sample::select(vec![
            Position::Off,
            Position::Sync,
            Position::Shadow,
            Position::ReadsNew,
            Position::Cutover,
            Position::NewPrimary,
            Position::Complete,
            Position::Retired,
        ]),
    ]
}

fn served() -> impl Strategy<Value = Served> {
    any::<(u64, u64)>().prop_map(|(requests, failures)| Served { requests, failures })
}

fn withdrawal() -> impl Strategy<Value = Withdrawal> {
    let drill = (mark(), any::<u64>(), served(), option::of(span()));
    let drill = drill.prop_map(|(mark, generation, before, recovered)| {
        Withdrawal::Drill(Drill { mark, generation: Generation(generation), before, recovered })
    });
    let graded = (mark(), span(), share(), share()).prop_map(|(mark, over, from, percent)| {
        Withdrawal::Graded(Graded { mark, over, from, percent })
    });
    prop_oneof![3 => Just(Withdrawal::None), 1 => drill, 1 => graded, 1 => mark().prop_map(Withdrawal::Whole)]
}

fn opinion() -> impl Strategy<Value = Opinion> {
    let parts =
        (actor(), any::<bool>(), position(), any::<[u8; 32]>(), any::<u64>(), text(), time());
    parts.prop_map(|(by, approves, to, evidence, epoch, why, at)| {
        let (evidence, epoch) = (EvidenceHash(evidence), Epoch(epoch));
        Opinion { by, approves, to, evidence, epoch, why, at }
    })
}

fn drill_record() -> impl Strategy<Value = DrillRecord> {
    let outcomes = vec![
        DrillOutcome::Good,
        DrillOutcome::TooSlow,
        DrillOutcome::Failures,
        DrillOutcome::NoTraffic,
    ];
    let parts = (actor(), time(), option::of(span()), served(), prop::sample::select(outcomes));
    parts.prop_map(|(by, at, recovered, served, outcome)| DrillRecord {
        by,
        at,
        recovered,
        served,
        outcome,
    })
}

fn added() -> impl Strategy<Value = Vec<AddedRule>> {
    let list = prop::sample::select(IgnoreList::ALL.to_vec());
    let rule = (list, "/[a-zé'/*]{0,8}x").prop_map(|(list, text)| IgnoreRule::new(list, &text));
    let rule = rule.prop_map(|rule| rule.expect("it ends in a name"));
    let rule = (rule, mark()).prop_map(|(rule, mark)| AddedRule { rule, mark });
    prop_oneof![Just(Vec::new()), prop::collection::vec(rule, 1..4)]
}

fn salt() -> impl Strategy<Value = Salt> {
    (text(), prop::sample::select(Bucketing::ALL.to_vec()))
        .prop_map(|(text, bucketing)| Salt::with_bucketing(&text, bucketing))
}

prop_compose! {
    fn overlays()(
        withdrawal in withdrawal(),
        marks in prop::array::uniform4(option::of(mark())),
        latch in option::of((text(), text(), time())),
        last_red in option::of(time()),
        heeded in option::of(any::<u64>()),
        opinions in prop::collection::vec(opinion(), 0..4),
        drilled in option::of(drill_record()),
        cut_over in option::of(time()),
        added in added(),
    ) -> Progress {
        let [paused, frozen, inconclusive, expired] = marks;
        let latch = latch.map(|(gate, sentence, at)| Latch { gate, sentence, at });
        let mut progress = first().progress().clone();
        progress.withdrawal = withdrawal;
        (progress.paused, progress.frozen) = (paused, frozen);
        (progress.inconclusive, progress.expired) = (inconclusive, expired);
        (progress.latch, progress.last_red) = (latch, last_red);
        (progress.heeded, progress.opinions) = (heeded.map(Epoch), opinions);
        (progress.drilled, progress.cut_over) = (drilled, cut_over);
        progress.added = added;
        progress
    }
}

prop_compose! {
    /// Any standing, also such as the machine never comes to: the core says which are none.
    fn standing()(
        overlays in overlays(),
        position in position(),
        mirror in share(),
        numbers in any::<(u64, u64)>(),
        entered in time(),
        fingerprint in any::<[u8; 32]>(),
        salt in salt(),
        owner in prop::sample::select(vec![Side::Old, Side::New]),
    ) -> (Progress, Writes) {
        let mut progress = overlays;
        (progress.position, progress.mirror, progress.entered) = (position, mirror, entered);
        (progress.generation, progress.epoch) = (Generation(numbers.0), Epoch(numbers.1));
        (progress.fingerprint, progress.salt) = (Fingerprint(fingerprint), salt);
        (progress, Writes::stored(owner))
    }
}

fn first() -> Standing {
    let (salt, fingerprint) = (Salt::new("profile"), Fingerprint([7; 32]));
    Standing::first(salt, None, Percent::ZERO, fingerprint, Timestamp::from_millis(5))
}

proptest! {
    #[test]
    fn any_standing_comes_back_as_it_was((progress, writes) in standing()) {
        let Ok(standing) = Standing::restore(progress, writes) else { return Ok(()) };
        let stored = encode(&standing);
        prop_assert_eq!(decode("profile", &stored).expect("it was a standing"), standing);
    }

    #[test]
    fn any_words_come_back_as_they_were(words in prop::collection::vec(any::<u64>(), 0..200)) {
        let stored = encode_evidence(&words);
        prop_assert_eq!(decode_evidence("profile", &stored).expect("they were words"), words);
    }

    #[test]
    fn nothing_that_is_stored_makes_it_panic(bytes in any::<Vec<u8>>()) {
        let (standing, words) = (decode("profile", &bytes), decode_evidence("profile", &bytes));
        prop_assert!(standing.is_err() && words.is_err());
    }
}

/// The property above is worth something only if most of what it tries are standings.
#[test]
fn many_of_the_standings_tried_are_some() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngSeed, TestRunner};
    let config = Config { rng_seed: RngSeed::Fixed(3), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let mut seen = [0; 4];
    for _ in 0..1_000 {
        let (progress, writes) = standing().new_tree(&mut runner).expect("a tree").current();
        let Ok(standing) = Standing::restore(progress, writes) else { continue };
        seen[match standing.progress().withdrawal {
            Withdrawal::None => 0,
            Withdrawal::Drill(_) => 1,
            Withdrawal::Graded(_) => 2,
            Withdrawal::Whole(_) => 3,
        }] += 1;
    }
    assert!(seen.iter().all(|count| *count >= 5), "{seen:?}");
}

/// What lies on disks: it changes with the version, and never by accident.
#[test]
fn the_stored_form_is_this_one() {
    let stored = String::from_utf8(encode(&first())).expect("it is JSON");
    assert_eq!(
        stored,
        concat!(
            r#"{"v":1,"generation":0,"position":"off","mirror":0,"writes":"old","#,
            r#""withdrawal":"none","paused":null,"frozen":null,"inconclusive":null,"#,
            r#""expired":null,"latch":null,"last_red_ms":null,"heeded":null,"entered_ms":5,"#,
            r#""epoch":0,"fingerprint":"#,
            r#""0707070707070707070707070707070707070707070707070707070707070707","#,
            r#""opinions":[],"drilled":null,"cut_over_ms":null,"salt":"profile","#,
            r#""bucketing":"cutover-1"}"#,
        )
    );
}

/// A standing with a rule that somebody added.
fn with_a_rule() -> Standing {
    let rule = IgnoreRule::new(IgnoreList::Ignore, "/at").expect("a rule");
    let by = Actor::new("ana", Role::OnCall);
    let mark = Mark { by, why: "a time".into(), at: Timestamp::from_millis(9) };
    let mut progress = first().progress().clone();
    progress.added.push(AddedRule { rule, mark });
    Standing::restore(progress, first().writes()).expect("it is off")
}

/// Those who do not know of added rules say so, and do not compare what nobody wants compared.
#[test]
fn added_rules_are_a_form_of_their_own() {
    let standing = with_a_rule();
    let stored = String::from_utf8(encode(&standing)).expect("it is JSON");
    let added = concat!(
        r#""opinions":[],"added":[{"list":"ignore","rule":"/at","mark":{"by":{"name":"ana","#,
        r#""role":"on-call"},"why":"a time","at_ms":9}}],"drilled""#,
    );
    assert!(stored.starts_with("{\"v\":2,") && stored.contains(added), "{stored}");
    assert_eq!(decode("profile", stored.as_bytes()).expect("it was a standing"), standing);
    for (old, new, told) in [
        ("\"ignore\"", "\"show\"", "a rule of an unknown list"),
        ("\"/at\"", "\"at\"", "a rule that is none"),
    ] {
        let error = decode("profile", stored.replacen(old, new, 1).as_bytes());
        let error = error.expect_err("it makes no sense").to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_words() {
    let stored = String::from_utf8(encode(&first())).expect("it is JSON");
    for (old, new, told) in [
        ("\"v\":1", "\"v\":3", "is of version 3, and this cutover reads version 2: run the"),
        ("\"v\":1", "\"v\":0", "is of version 0"),
        ("\"mirror\":0", "\"mirror\":100001", "a share above 100%"),
        ("cutover-1", "md5", "an unknown bucketing"),
        ("\"old\"", "\"new\"", "in phase off writes cannot be owned by new"),
        ("\"epoch\":0", "\"epoch\":-1", "invalid value: integer `-1`"),
        ("\"epoch\":0", "\"era\":0", "unknown field `era`"),
        ("{\"v\":1", "", "expected"),
    ] {
        let error = decode("profile", stored.replacen(old, new, 1).as_bytes());
        let error = error.expect_err("it makes no sense").to_string();
        assert!(error.starts_with("the state of migration profile"), "{error}");
        assert!(error.contains(told), "{error}");
    }
}
