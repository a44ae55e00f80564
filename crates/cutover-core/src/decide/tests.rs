//! Precedence inside a migration: state and request on the left, side and reason on the right.

use super::*;
use crate::backend::{Backend, Balance, Protocol};
use crate::edit::Edits;
use crate::fallback::FallbackPolicy;
use crate::key::{QaHeader, UserList};
use crate::migration::{Phase, Plugins, TrafficState};
use crate::route::RouteSpec;
use crate::snapshot::{Place, Target};
use crate::{Salt, Snapshot};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

const USER: HeaderName = HeaderName::from_static("x-user-id");
const QA: HeaderName = HeaderName::from_static("x-qa");

/// Users `in` and `out` are inside and outside of 50 %; `bob` is allowed, `eve` denied, `amy` both.
///
/// State: phase, read percent, then `disabled`, `rolled-back`, `owner=new`, `split` (a split plugin
/// is used). Request: method, user or `-`, then `qa=SIDE`, `write-route`, and what the plugin
/// answers: `says=SIDE`,
/// `fails=POLICY`.
const TABLE: &str = "
    off         100%                     | GET in                        | old phase
    off         100% owner=new           | PUT in                        | old phase
    off         100% split               | GET bob qa=new says=new       | old phase
    sync        100%                     | GET in                        | old phase
    shadow      100%                     | GET bob qa=new                | old phase
    shadow      100% split               | GET in says=new               | old phase
    shadow      0%                       | PUT in                        | old write-owner
    canary      50%                      | GET in                        | new percent
    canary      50%                      | HEAD in                       | new percent
    canary      50%                      | GET out                       | old percent
    canary      50%                      | GET -                         | old no-key
    canary      100%                     | GET -                         | old no-key
    canary      0%                       | GET in                        | old percent
    canary      0%                       | GET bob                       | new allow
    canary      100%                     | GET eve                       | old deny
    canary      100%                     | GET amy                       | old deny
    canary      0%                       | GET out qa=new                | new qa
    canary      100%                     | GET in qa=old                 | old qa
    canary      0%                       | GET - qa=new                  | new qa
    canary      0%                       | GET bob qa=old                | old qa
    canary      0%                       | GET eve qa=new                | old deny
    canary      50%                      | GET in qa=forged              | new percent
    canary      50%                      | PUT in                        | old write-owner
    canary      50%                      | PUT bob qa=new                | old write-owner
    canary      50%                      | GET in write-route            | old write-owner
    canary      50% owner=new            | PUT eve                       | new write-owner
    canary      50% owner=new            | GET out write-route           | new write-owner
    canary      100% disabled            | GET bob qa=new                | old kill-switch
    canary      100% disabled owner=new  | PUT in                        | old kill-switch
    off         100% disabled            | GET in                        | old kill-switch
    canary      100% disabled rolled-back | GET in                       | old kill-switch
    canary      100% rolled-back         | GET bob qa=new                | old rolled-back
    off         100% rolled-back         | GET in                        | old phase
    new-primary 100% rolled-back owner=new | PUT in                      | old rolled-back
    canary      100% rolled-back split   | GET in says=new               | old rolled-back
    canary      0% split                 | GET out says=new              | new plugin
    canary      100% split               | GET in says=old               | old plugin
    canary      0% split                 | GET - says=new                | new plugin
    canary      0% split                 | GET bob says=old              | new allow
    canary      0% split                 | GET eve says=new              | old deny
    canary      0% split                 | GET out qa=old says=new       | old qa
    canary      100% split               | PUT in says=new               | old write-owner
    canary      100% split               | GET in fails=old              | old plugin-failed
    canary      50% split                | GET in fails=percent          | new percent
    canary      50% split                | GET out fails=percent         | old percent
    canary      50% split                | GET - fails=percent           | old no-key
    canary      100% split               | GET in fails=reject           | refused
    canary      100% split               | GET bob fails=reject          | new allow
    reads-new   100%                     | GET in                        | new reads-new
    reads-new   100%                     | GET -                         | new reads-new
    reads-new   100%                     | GET eve                       | old deny
    reads-new   100%                     | GET - qa=old                  | old qa
    reads-new   100% split               | GET - says=old                | old plugin
    reads-new   100%                     | PUT -                         | old write-owner
    reads-new   50%                      | GET out                       | old percent
    reads-new   50%                      | GET -                         | old no-key
    cutover     100%                     | PUT in                        | old write-owner
    cutover     100% owner=new           | PUT in                        | new write-owner
    new-primary 100% owner=new           | GET -                         | new reads-new
    complete    100% owner=new           | DELETE -                      | new write-owner
    retired     100% owner=new           | GET in                        | new reads-new
";

#[test]
fn the_table_holds() {
    let mut reasons = std::collections::BTreeSet::new();
    for row in TABLE.lines().filter(|row| !row.trim().is_empty()) {
        let [state, request, expected] = row.split('|').map(str::trim).collect::<Vec<_>>()[..]
        else {
            panic!("three columns: {row}");
        };
        let said = match answer(state, request).0 {
            Ok(decision) => {
                let (_, side) = decision.migration.expect("the route belongs to a migration");
                assert_eq!(decision.backend.index(), side as usize, "{row}");
                reasons.insert(decision.reason.name());
                format!("{} {}", side.name(), decision.reason.name())
            }
            Err(Refusal::PluginRejected(..)) => "refused".to_owned(),
            Err(Refusal::NoRoute) => "no route".to_owned(),
        };
        assert_eq!(said, expected, "{row}");
    }
    let route = Reason::Route.name();
    let all = "allow deny kill-switch no-key percent phase plugin plugin-failed qa reads-new \
        rolled-back write-owner";
    assert_eq!(reasons.into_iter().collect::<Vec<_>>().join(" "), all, "all but {route}");
}

/// The reasons that the table above cannot show.
#[test]
fn plain_routes_and_strangers() {
    let mut builder = Snapshot::builder();
    let monolith = builder.backend(backend("monolith"));
    let spec = RouteSpec { path: "/a".into(), ..RouteSpec::default() };
    builder.route(spec, Target::Backend(monolith, Edits::default())).expect("valid");
    let snapshot = builder.finish();
    let headers = HeaderMap::new();
    for (method, write) in [(Method::GET, false), (Method::POST, true)] {
        let request = RequestView::new(&method, "h", "/a", &headers);
        let decision = snapshot.decide(&request, &mut NoPlugins).expect("the route matches");
        assert_eq!((decision.reason, decision.migration), (Reason::Route, None));
        assert_eq!((decision.backend, decision.write), (monolith, write));
    }
    let request = RequestView::new(&Method::GET, "h", "/b", &headers);
    assert_eq!(snapshot.decide(&request, &mut NoPlugins), Err(Refusal::NoRoute));
}

#[test]
fn a_witness_sees_each_step_in_order() {
    for (state, request, steps) in [
        ("canary 50%", "GET in", "matched migration key bucketed denied qa allowed decided"),
        (
            "canary 50% split",
            "GET out says=new",
            "matched migration key bucketed denied qa allowed plugin decided",
        ),
        ("canary 50%", "GET -", "matched migration no-key qa decided"),
        ("canary 50%", "GET eve", "matched migration key bucketed denied decided"),
        ("canary 50%", "PUT in", "matched migration write decided"),
        ("canary 50% disabled", "GET in", "matched migration decided"),
        (
            "canary 50% split",
            "GET in fails=reject",
            "matched migration key bucketed denied qa allowed plugin",
        ),
    ] {
        assert_eq!(answer(state, request).1.join(" "), steps, "{state} | {request}");
    }
}

#[test]
fn a_plugins_wish_for_a_deadline_and_its_reason_are_kept() {
    let decision = answer("canary 0% split", "GET out says=new").0.expect("decided");
    assert_eq!(decision.deadline, Some(Duration::from_millis(50)));
    assert!(matches!(decision.reason, Reason::Plugin(_, Some(3))));
    assert!(decision.bucket.is_some());
}

fn backend(name: &str) -> Backend {
    Backend {
        name: name.into(),
        addresses: ["127.0.0.1:1".into()].into(),
        tls: None,
        protocol: Protocol::Http1,
        host: None,
        balance: Balance::RoundRobin,
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        health: None,
    }
}

fn qa_header() -> QaHeader {
    QaHeader { name: QA, secret: (*b"secret").into() }
}

/// Someone inside or outside of 50 %.
fn someone(inside: bool) -> String {
    let salt = Salt::new("profile");
    let is_right = |user: &String| (salt.bucket(user.as_bytes()).number() < 50_000) == inside;
    (0..).map(|n| format!("user-{n}")).find(is_right).expect("half of them are")
}

fn migration(state: &str, place: PlaceId, old: BackendId, new: BackendId) -> Migration {
    let mut words = state.split_whitespace();
    let phase = words.next().expect("a phase");
    let phases = [
        Phase::Off,
        Phase::Sync,
        Phase::Shadow,
        Phase::Canary,
        Phase::ReadsNew,
        Phase::Cutover,
        Phase::NewPrimary,
        Phase::Complete,
        Phase::Retired,
    ];
    let phase = phases.into_iter().find(|known| known.name() == phase).expect("a phase");
    let read_percent = words.next().expect("a percent").parse().expect("a percent");
    let users = |names: &[&str]| names.iter().copied().collect::<UserList>();
    let mut migration = Migration {
        name: "profile".into(),
        old,
        new,
        key: [KeySource::Header(USER)].into(),
        salt: Salt::new("profile"),
        allow: users(&["bob", "amy"]),
        deny: users(&["eve", "amy"]),
        qa: Some(qa_header()),
        disabled: false,
        phase,
        state: TrafficState { read_percent, ..TrafficState::default() },
        rolled_back: false,
        edits: Edits::default(),
        fallback: FallbackPolicy::default(),
        ignored: Default::default(),
        plugins: Plugins::default(),
    };
    for word in words {
        match word {
            "disabled" => migration.disabled = true,
            "rolled-back" => migration.rolled_back = true,
            "owner=new" => migration.state.write_owner = Side::New,
            "split" => migration.plugins.split = Some(place),
            other => panic!("unknown word {other}"),
        }
    }
    migration
}

/// Answers the one question it may be asked.
struct Plugin(Option<SplitAnswer>);

impl AskSplit for Plugin {
    fn split(&mut self, question: SplitQuestion<'_, '_>) -> SplitAnswer {
        assert_eq!(question.bucket.is_some(), question.request.headers.first(&USER).is_some());
        self.0.take().expect("asked once, and only if the row has an answer")
    }
}

#[derive(Default)]
struct Steps(Vec<&'static str>);

impl Witness for Steps {
    fn step(&mut self, step: Step<'_>) {
        self.0.push(match step {
            Step::Matched(_) => "matched",
            Step::InMigration(_) => "migration",
            Step::Write => "write",
            Step::Key(_, Some(_)) => "key",
            Step::Key(_, None) => "no-key",
            Step::Bucketed(..) => "bucketed",
            Step::Denied(_) => "denied",
            Step::QaSide(_) => "qa",
            Step::Allowed(_) => "allowed",
            Step::PluginSaid(..) => "plugin",
            Step::Decided(..) => "decided",
        });
    }
}

fn answer(state: &str, request: &str) -> (Result<Decision, Refusal>, Vec<&'static str>) {
    let mut builder = Snapshot::builder();
    let (old, new) = (builder.backend(backend("old")), builder.backend(backend("new")));
    let place = builder.place(Place { plugin: "p".into(), migration: "profile".into() });
    let id = builder.migration(migration(state, place, old, new));
    for (path, write) in [("/profile", false), ("/profile/write", true)] {
        let spec = RouteSpec { path: path.into(), ..RouteSpec::default() };
        builder
            .route(spec, Target::Migration { id, write, mirror: None, critical: false })
            .expect("valid");
    }
    let snapshot = builder.finish();

    let mut words = request.split_whitespace();
    let method: Method = words.next().expect("a method").parse().expect("a method");
    let mut headers = HeaderMap::new();
    let user = match words.next().expect("a user") {
        "-" => None,
        "in" => Some(someone(true)),
        "out" => Some(someone(false)),
        name => Some(name.to_owned()),
    };
    if let Some(user) = user {
        headers.insert(USER, user.parse().expect("a value"));
    }
    let (mut path, mut plugin) = ("/profile", Plugin(None));
    for word in words {
        let failed = |policy| Some(SplitAnswer::Failed(policy));
        let says = |side| {
            let deadline = Some(Duration::from_millis(50));
            Some(SplitAnswer::Choose { side, deadline, reason: Some(3) })
        };
        let mut sign = |value: &str| {
            headers.insert(QA, HeaderValue::from_str(value).expect("a value"));
        };
        match word {
            "qa=new" => sign(&qa_header().sign("profile", Side::New, 1)),
            "qa=old" => sign(&qa_header().sign("profile", Side::Old, 1)),
            "qa=forged" => sign(&qa_header().sign("other", Side::Old, 1)),
            "write-route" => path = "/profile/write",
            "says=new" => plugin.0 = says(Side::New),
            "says=old" => plugin.0 = says(Side::Old),
            "fails=old" => plugin.0 = failed(OnError::Old),
            "fails=reject" => plugin.0 = failed(OnError::Reject),
            "fails=percent" => plugin.0 = failed(OnError::Percent),
            other => panic!("unknown word {other}"),
        }
    }
    let request = RequestView::new(&method, "h", path, &headers);
    let matched = snapshot.find(&request).expect("both paths have routes");
    let mut steps = Steps::default();
    let said = snapshot.decide_matched(&request, &matched, &mut plugin, &mut steps);
    (said, steps.0)
}
