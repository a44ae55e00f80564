//! What a running process takes over, and what it refuses.
#![expect(clippy::needless_pass_by_value, reason = "expectations stand inline at the call")]

use crate::surroundings::loaded;
use cutover_config::{Motion, change};
use expect_test::{Expect, expect};

const BASE: &str = r#"
[server]
listen = ["127.0.0.1:8080"]
[backends.monolith]
addresses = ["127.0.0.1:9001"]
[backends.profile]
addresses = ["127.0.0.1:9002"]
[[routes]]
path = "/{*rest}"
backend = "monolith"
[migrations.profile]
old = "monolith"
new = "profile"
owner = "identity team"
expires = 2027-03-01
key = [{ header = "x-user-id" }]
routes = [{ path = "/api/{id}" }]
read-percent = 5
"#;

/// Changes the base by replacing texts, first for what is in force, then for what follows.
fn check(before: &[(&str, &str)], after: &[(&str, &str)], expected: Expect) {
    told(false, before, after, expected);
}

/// The same, with migrations that have left their first state.
fn moved(before: &[(&str, &str)], after: &[(&str, &str)], expected: Expect) {
    told(true, before, after, expected);
}

fn told(moving: bool, before: &[(&str, &str)], after: &[(&str, &str)], expected: Expect) {
    let replaced = |pairs: &[(&str, &str)]| {
        pairs.iter().fold(BASE.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        })
    };
    let motion = Motion { moving, moved: moving };
    let change = change(&loaded(&replaced(before)), &loaded(&replaced(after)), &|_| motion);
    let mut lines = change.allowed;
    for finding in change.refused {
        lines.push(format!("refused {}: {}", finding.key, finding.what));
        lines.push(format!("  -> {}", finding.help.expect("says what to do instead")));
    }
    for finding in change.ignored {
        lines.push(format!("ignored {}: {}", finding.key, finding.what));
        lines.push(format!("  -> {}", finding.help.expect("says what to do instead")));
    }
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn nothing() {
    check(&[], &[], expect![""]);
    check(&[], &[("[server]", "# a comment\n[server]")], expect![""]);
}

#[test]
fn what_may_change() {
    check(
        &[],
        &[("read-percent = 5", "read-percent = 20")],
        expect!["migration profile: canary at 5% becomes canary at 20%"],
    );
    check(
        &[],
        &[("read-percent = 5", "read-percent = 5\ndisabled = true")],
        expect!["migration profile is disabled: everything to old"],
    );
    check(&[], &[("127.0.0.1:9002", "127.0.0.1:9003")], expect!["backend profile changes"]);
    check(&[], &[("/{*rest}", "/x/{*rest}")], expect!["1 of 1 routes change"]);
    check(&[], &[("[server]", "[server]\ndrain = \"5s\"")], expect!["server.drain becomes 5s"]);
    check(&[], &[("identity team", "nobody")], expect!["migration profile: settings change"]);
    check(&[], &[("x-user-id", "x-account")], expect!["migration profile: settings change"]);
    check(
        &[("read-percent = 5", "read-percent = 5\nmirror-percent = 5")],
        &[("read-percent = 5", "read-percent = 5\nmirror-percent = 10")],
        expect!["migration profile: mirror-percent 5% becomes 10%"],
    );
    check(
        &[],
        &[(
            "[backends.monolith]",
            "[admin]\ntokens = [{ name = \"ana\", role = \"viewer\", hash = \"sha256:\
             0000000000000000000000000000000000000000000000000000000000000000\" }]\n\
             [backends.monolith]",
        )],
        expect!["admin.tokens change"],
    );
}

#[test]
fn telemetry_changes_at_any_time() {
    check(
        &[],
        &[("[backends.monolith]", "[telemetry]\nbaggage = true\n[backends.monolith]")],
        expect!["telemetry changes"],
    );
}

#[test]
fn what_a_process_keeps() {
    check(
        &[],
        &[
            ("127.0.0.1:8080\"]", "127.0.0.1:8088\"]\nthreads = 3"),
            (
                "[backends.monolith]",
                "[admin]\nlisten = \"off\"\n[state]\nstore = \"x\"\n[backends.monolith]",
            ),
        ],
        expect![[r#"
            refused server.listen: listeners cannot change under a running process
              -> restart, or start the new one beside it with `cutover run --upgrade`, which loses no request
            refused server.threads: the number of threads cannot change under a running process
              -> restart, or start the new one beside it with `cutover run --upgrade`, which loses no request
            refused admin.listen: the admin listener cannot change under a running process
              -> restart, or start the new one beside it with `cutover run --upgrade`, which loses no request
            refused state.store: the store cannot change under a running process
              -> restart, or start the new one beside it with `cutover run --upgrade`, which loses no request"#]],
    );
}

#[test]
fn what_a_moving_migration_keeps() {
    moved(
        &[],
        &[("x-user-id", "x-account")],
        expect![[r#"
            refused migrations.profile.key: migration profile is moving: another key would send users to the other side
              -> first `cutover abort profile`; users then start again from old"#]],
    );
    moved(
        &[],
        &[("read-percent", "salt = \"s\"\nread-percent")],
        expect![[r#"
            refused migrations.profile.salt: migration profile is moving: another salt would send users to the other side
              -> first `cutover abort profile`; users then start again from old"#]],
    );
    moved(
        &[],
        &[("read-percent", "bucketing = \"flagd-v2\"\nread-percent")],
        expect![[r#"
            refused migrations.profile.salt: migration profile is moving: another salt would send users to the other side
              -> first `cutover abort profile`; users then start again from old"#]],
    );
    moved(
        &[],
        &[("old = \"monolith\"\nnew = \"profile\"", "old = \"profile\"\nnew = \"monolith\"")],
        expect![[r#"
            refused migrations.profile.old: migration profile is moving: its old backend cannot be another one
              -> change the backend's addresses instead, or first `cutover abort profile`
            refused migrations.profile.new: migration profile is moving: its new backend cannot be another one
              -> change the backend's addresses instead, or first `cutover abort profile`"#]],
    );
    moved(
        &[],
        &[("migrations.profile", "migrations.renamed")],
        expect![[r#"
            migration renamed is added
            refused migrations.profile: migration profile is moving and cannot be removed
              -> first `cutover abort profile`, and remove it then; or give its routes to the new backend when it is complete"#]],
    );
    check(
        &[],
        &[("migrations.profile", "migrations.renamed")],
        expect![[r#"
        migration profile is removed
        migration renamed is added"#]],
    );
}

/// What the store says outranks the file, and a person who edits the file must not think otherwise.
#[test]
fn the_first_state_of_a_migration_that_has_moved() {
    moved(
        &[],
        &[("read-percent = 5", "read-percent = 20")],
        expect![[r#"
        ignored migrations.profile.read-percent: migration profile has moved: read-percent is only its first state; use cutover set-weight
          -> cutover set-weight profile"#]],
    );
    moved(
        &[],
        &[("read-percent = 5\n", "disabled = true\n")],
        expect![[r#"
        migration profile is disabled: everything to old
        ignored migrations.profile.read-percent: migration profile has moved: read-percent is only its first state; use cutover set-weight
          -> cutover set-weight profile"#]],
    );
    moved(
        &[("read-percent = 5", "read-percent = 5\nmirror-percent = 5")],
        &[("read-percent = 5", "read-percent = 5\nmirror-percent = 10")],
        expect![[r#"
            ignored migrations.profile.mirror-percent: migration profile has moved: mirror-percent is only its first state; use cutover mirror-traffic
              -> cutover mirror-traffic profile"#]],
    );
}
