//! `cutover status` of a proxy in trouble: what the person on call reads.

use crate::process::{Process, Setup, cutover, stderr, stdout};
use cutover_test::{Client, Upstream, dead_address};
use serde_json::Value;

/// Breaker open, a plugin in quarantine, an address gone, a reload refused: each is said, with what to do.
#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_is_said() {
    let old = Upstream::named("old").await;
    let dead = dead_address().await;
    let setup = Setup::new("", old.address());
    let dist = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist/test_faulty.wasm");
    let migration = |name: &str, path: &str, new: &str, more: &str| {
        format!(
            "[migrations.{name}]\nold = \"b\"\nnew = \"{new}\"\nowner = \"team\"\n\
             expires = 2099-01-01\nkey = [{{ header = \"x-user-id\" }}]\n\
             routes = [{{ path = \"{path}\" }}]\nread-percent = 100\n{more}\n"
        )
    };
    let more = [
        migration("profile", "/profile/{id}", "dead", ""),
        migration("orders", "/orders/{id}", "b2", "plugins = { split = \"faulty\" }"),
        format!("[backends.dead]\naddresses = [\"{dead}\"]\n"),
        format!("[backends.b2]\naddresses = [\"{}\"]\n", old.address()),
        format!("[plugins.faulty]\ncomponent = {dist:?}\ndeadline = \"500ms\"\n"),
    ];
    setup.write("", old.address(), &more.concat());
    let process = Process::start(&setup.file, &["--no-watch"]);
    let admin = format!("http://{}", process.admin);
    let ask = |more: &[&str]| {
        cutover(setup.folder.path(), &[&["status", "--admin", &admin], more].concat())
    };
    let fine = ask(&[]);
    assert_eq!(fine.status.code(), Some(0), "{}{}", stdout(&fine), stderr(&fine));
    assert!(stdout(&fine).contains("nothing is wrong"), "{}", stdout(&fine));

    let client = Client::http1(process.data);
    for user in 0..40 {
        let user = user.to_string();
        let reply = client.get("/profile/1", &[("x-user-id", &user)]).await;
        assert_eq!(reply.status(), 200);
    }
    for _ in 0..6 {
        client.get("/orders/1", &[("x-user-id", "1"), ("x-fault", "panic")]).await;
    }
    std::fs::write(&setup.file, "nonsense = true\n").expect("written");
    let refused = cutover(setup.folder.path(), &["reload", "--reason", "test", "--admin", &admin]);
    assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));

    let told = ask(&[]);
    let text = stdout(&told);
    assert_eq!(told.status.code(), Some(1), "{text}");
    for part in [
        "profile: canary, 100% of users read from new, old takes writes, breaker open",
        "old, after new had failed",
        "old, while the breaker was open",
        "attempts that failed at new: ",
        "plugin faulty: quarantined",
        "wrong: profile: the breaker is open",
        "wrong: orders: plugin faulty is quarantined",
        "wrong: dead: its address is left out",
        "wrong: the last reload was refused",
        "next:  cutover check ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let wide = text.lines().find(|line| line.chars().count() > 80 && !line.contains('/'));
    assert_eq!(wide, None, "{text}");

    let machine = ask(&["profile", "-o", "json"]);
    assert_eq!(machine.status.code(), Some(1));
    let status: Value = serde_json::from_slice(&machine.stdout).expect("JSON");
    let profile = &status["migrations"][0];
    assert_eq!((&profile["name"], &profile["breaker"]), (&"profile".into(), &"open".into()));
    let answered = profile["answered"].as_array().expect("a list");
    let requests: u64 = answered.iter().filter_map(|row| row["requests"].as_u64()).sum();
    assert_eq!(requests, 40, "{status}");
    assert!(answered.iter().all(|row| row["errors"] == 0), "{status}");
    assert!(answered[2]["p99Ms"].as_f64().is_some_and(|ms| ms > 0.0), "{status}");
    assert!(status["wrong"].as_array().is_some_and(|wrong| !wrong.is_empty()), "{status}");
    assert!(status["migrations"][1].is_null(), "{status}");
}
