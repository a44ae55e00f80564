//! What a request gets when a plugin fails: the table of docs/plugins.md is the test.

use crate::scene::{Scene, profile_config};
use cutover::{Action, Cause, Exchange, Outcome, Reason, Refused, Role, Side};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

const GUIDE: &str = include_str!("../../../../docs/plugins.md");

/// More calls than a plugin may fail before it is left alone: what holds for a fault holds in quarantine.
const CALLS: usize = 8;

/// How a column is observed: one request whose plugin fails.
type Observe = fn(&Scene) -> String;

/// The columns of the table, by their headings, with the hook that fails in them.
const COLUMNS: [(&str, &str, Observe); 5] = [
    ("split", "split", split),
    ("rewrite, request", "rewrite", rewrite_request),
    ("rewrite, reply", "rewrite", rewrite_reply),
    ("fallback", "fallback", fallback),
    ("fallback, breaker open", "fallback", breaker_open),
];

#[test]
fn the_table_of_the_guide_holds() {
    let mut lines = GUIDE.lines().skip_while(|line| !line.starts_with("| `on-error` |"));
    let headings: Vec<_> = COLUMNS.iter().map(|(heading, ..)| *heading).collect();
    assert_eq!(cells(lines.next().expect("the table")).1, headings);
    let rows: Vec<_> = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect();
    let policies: Vec<_> = rows.iter().map(|(policy, _)| *policy).collect();
    assert_eq!(policies, ["`old` (default)", "`percent`", "`reject`"]);
    for (policy, told) in rows {
        let policy = policy.trim_end_matches(" (default)").trim_matches('`');
        for ((heading, hook, observe), told) in COLUMNS.iter().zip(told) {
            let scene = Scene::empty();
            scene.reload(&config(hook, policy));
            for call in 0..CALLS {
                assert_eq!(observe(&scene), told, "{policy}, {heading}, call {call}");
            }
            let state = scene.engine.current().plugins()[0].state;
            assert_eq!(state, "quarantined", "{policy}, {heading}: every call failed");
        }
    }
}

/// The first cell, and the others.
fn cells(line: &str) -> (&str, Vec<&str>) {
    let mut cells = line.trim_matches('|').split('|').map(str::trim);
    (cells.next().unwrap_or_default(), cells.collect())
}

/// Everybody reads from new, native edits are made, and the native rule falls back for one cause alone.
fn config(hook: &str, on_error: &str) -> String {
    profile_config(
        "100%",
        &format!(
            r#"
fallback.on = ["connect"]
headers.request.set = {{ x-native = "yes" }}
headers.response.set = {{ x-native = "yes" }}
[migrations.profile.plugins]
{hook} = "faulty"
[plugins.faulty]
component = "plugins/dist/test_faulty.wasm"
on-error = "{on_error}"
deadline = "500ms"
"#
        ),
    )
}

/// A read that the plugin fails on.
fn read<R>(
    scene: &Scene,
    go_on: impl FnOnce(Result<Exchange, Refused>, &cutover::RequestView<'_>) -> R,
) -> R {
    let sent = [("x-user-id", "user-1"), ("x-fault", "panic")];
    scene.request_with(&Method::GET, &sent, go_on)
}

fn status_of(refused: &Refused) -> String {
    refused.status().as_str().to_owned()
}

fn split(scene: &Scene) -> String {
    read(scene, |exchange, _| match exchange {
        Err(refused) => status_of(&refused),
        Ok(exchange) => {
            let seen = (exchange.side(), exchange.decision().reason);
            exchange.finish(Outcome::Replied(StatusCode::OK));
            match seen {
                (Some(Side::Old), Reason::PluginFailed(_)) => "`old` serves".to_owned(),
                (Some(Side::New), Reason::Percent) => "the percent decides".to_owned(),
                other => format!("{other:?}"),
            }
        }
    })
}

fn rewrite_request(scene: &Scene) -> String {
    read(scene, |exchange, view| {
        let mut headers = HeaderMap::new();
        let edited = exchange.expect("not refused").edit_request(view, &mut headers);
        edited.map_or_else(|refused| status_of(&refused), |()| edits(&headers))
    })
}

fn rewrite_reply(scene: &Scene) -> String {
    read(scene, |exchange, view| {
        let mut headers = HeaderMap::new();
        let mut exchange = exchange.expect("not refused");
        let edited = exchange.edit_response(view, StatusCode::OK, &mut headers);
        edited.map_or_else(|refused| status_of(&refused), |()| edits(&headers))
    })
}

/// Of the faulty plugin's edits none may be there, and the native one must.
fn edits(headers: &HeaderMap) -> String {
    let native = headers.get("x-native") == Some(&HeaderValue::from_static("yes"));
    if native && headers.len() == 1 {
        "goes on unedited".to_owned()
    } else {
        format!("{headers:?}")
    }
}

fn fallback(scene: &Scene) -> String {
    let action = |cause, status| {
        read(scene, |exchange, view| {
            exchange.expect("not refused").failed(view, cause, status, true, false)
        })
    };
    let declared = action(Cause::Connect, None);
    let other = action(Cause::Status, Some(StatusCode::BAD_GATEWAY));
    match (declared, other) {
        (Action::Retry(_), Action::Propagate) => "the migration's rules decide".to_owned(),
        (Action::Propagate, Action::Propagate) => "the client gets the failure".to_owned(),
        other => format!("{other:?}"),
    }
}

fn breaker_open(scene: &Scene) -> String {
    // The budget's floor is 20 requests; while the plugin is well its wish is to ask old.
    for _ in 0..100 {
        let role = scene.read("user-1", |mut exchange, view| {
            let role = exchange.role();
            if role == Role::Served {
                exchange.failed(view, Cause::Connect, None, true, false);
            }
            role
        });
        if role == Role::Breaker {
            break;
        }
    }
    read(scene, |exchange, _| match exchange {
        Err(refused) => status_of(&refused),
        Ok(exchange) => match (exchange.side(), exchange.role()) {
            (Some(Side::Old), Role::Breaker) => "`old` serves".to_owned(),
            other => format!("{other:?}"),
        },
    })
}
