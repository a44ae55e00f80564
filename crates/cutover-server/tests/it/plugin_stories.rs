//! The example plugins at work: the committed components between real clients and real upstreams, each as a migration
//! team would use it.

use crate::process::Load;
use crate::world::{Proxy, World, all_to, backend, migration};
use cutover_test::{Body, Client, Upstream, dead_address, text};
use http::{Request, Response, header};
use hyper::body::Incoming;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

/// `[plugins.NAME]` with a committed component, and the hook of the migration that uses it. Goes after `migration()`.
fn plugin(hook: &str, component: &str, config: &str) -> String {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dist");
    let file = dist.join(component).canonicalize().expect("it is committed");
    format!(
        "[migrations.profile.plugins]\n{hook} = \"story\"\n\
         [plugins.story]\ncomponent = {file:?}\nconfig = {config}\ndeadline = \"500ms\"\n"
    )
}

fn proxy(old: SocketAddr, new: SocketAddr, settings: &str, plugin: &str) -> Proxy {
    let config = [
        backend("old", &[old], ""),
        backend("new", &[new], "timeout = \"150ms\"\nconnect-timeout = \"1s\""),
        migration(settings),
        plugin.to_owned(),
        all_to("old"),
    ];
    Proxy::start(&config.concat())
}

/// Both sides say their name.
fn named(world: &World, settings: &str, plugin: &str) -> (Upstream, Upstream, Proxy) {
    let old = world.run(Upstream::named("old"));
    let new = world.run(Upstream::named("new"));
    let proxy = proxy(old.address(), new.address(), settings, plugin);
    (old, new, proxy)
}

fn reason(reply: &Response<bytes::Bytes>) -> &str {
    reply.headers().get("x-cutover-reason").map_or("", |reason| reason.to_str().expect("a word"))
}

#[test]
fn tenants_move_by_list_and_the_others_by_percent() {
    for component in ["tenant_split.wasm", "tenant_split_c.wasm"] {
        let world = World::new();
        let config = "{ tenants = [\"acme\", \"zeta\"] }";
        let (_old, _new, proxy) =
            named(&world, "read-percent = 30", &plugin("split", component, config));
        let client = world.client(&proxy);
        let ask = |headers: &[(&str, &str)]| {
            let reply = world.run(client.get("/api/7", headers));
            assert_eq!(reply.headers()["x-cutover-side"].as_bytes(), &reply.body()[..]);
            (String::from_utf8_lossy(reply.body()).into_owned(), reason(&reply).to_owned())
        };
        let plugin = |side: &str| (side.to_owned(), "plugin".to_owned());
        // A listed tenant needs no key: its users move together.
        for tenant in ["acme", "zeta"] {
            assert_eq!(ask(&[("x-tenant", tenant)]), plugin("new"), "{component}");
            assert_eq!(ask(&[("x-tenant", tenant), ("x-user-id", "7")]), plugin("new"));
        }
        // Without a key, nobody can be kept on one side.
        assert_eq!(ask(&[("x-tenant", "other")]), plugin("old"), "{component}");
        assert_eq!(ask(&[]), plugin("old"), "{component}");
        // Users of other tenants are split as the migration alone would, and stay where they are.
        let users: Vec<_> = (0..100).map(|user| format!("user-{user}")).collect();
        let sides = |tenant| -> Vec<_> {
            users.iter().map(|user| ask(&[("x-tenant", tenant), ("x-user-id", user)])).collect()
        };
        let first = sides("other");
        let on_new = first.iter().filter(|(side, _)| side == "new").count();
        assert!((10..=50).contains(&on_new), "{component}: {on_new} of 100 at 30 %");
        assert_eq!(first, sides("another"), "{component}");
        // Writes follow their owner; the plugin is not asked.
        let write = world.run(client.send("PUT", "/api/7", &[("x-tenant", "acme")], "x"));
        assert_eq!((&write.body()[..], reason(&write)), (&b"old"[..], "write-owner"));
    }
}

#[test]
fn tenants_that_are_not_listed_can_be_told_to_stay() {
    let world = World::new();
    let config = "{ tenants = [\"acme\"], header = \"X-Org\", others = \"old\" }";
    let (old, new, proxy) =
        named(&world, "read-percent = 100", &plugin("split", "tenant_split.wasm", config));
    let client = world.client(&proxy);
    for user in 0..50 {
        let user = user.to_string();
        world.run(client.get("/api/7", &[("x-org", "other"), ("x-user-id", &user)]));
    }
    assert_eq!((old.hits(), new.hits()), (50, 0));
    world.run(client.get("/api/7", &[("x-org", "acme")]));
    assert_eq!(new.hits(), 1);
}

#[test]
fn each_plan_ramps_on_its_own_and_in_the_same_order() {
    let world = World::new();
    let users: Vec<_> = (0..300).map(|user| format!("user-{user}")).collect();
    let on_new = |proxy: &Proxy, plan: &str| -> BTreeSet<&str> {
        let client = world.client(proxy);
        let cookie = format!("theme=dark; plan={plan}; lang=en");
        let is_on_new = |user: &&str| {
            let sent = [("x-user-id", *user), ("cookie", cookie.as_str())];
            let reply = world.run(client.get("/api/7", &sent));
            &reply.body()[..] == b"new"
        };
        users.iter().map(String::as_str).filter(is_on_new).collect()
    };
    let config = "{ cookie = \"plan\", percents = { free = 5, pro = \"40%\" }, others = \"old\" }";
    let (_old, _new, split) =
        named(&world, "read-percent = 100", &plugin("split", "plan_percent.wasm", config));
    let (_old, _new, native) = named(&world, "read-percent = 40", "");
    let (free, pro) = (on_new(&split, "free"), on_new(&split, "pro"));
    assert!(!free.is_empty() && free.is_subset(&pro), "{free:?} {pro:?}");
    assert_eq!(pro, on_new(&native, "pro"), "the users that the percent itself would move");
    assert!(on_new(&split, "trial").is_empty(), "others stay");
    let client = world.client(&split);
    let no_key = world.run(client.get("/api/7", &[("cookie", "plan=pro")]));
    assert_eq!(&no_key.body()[..], b"old");
}

/// An application that knows no other name than the one it is asked for: its links and cookies have it.
async fn application(request: Request<Incoming>) -> Response<Body> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default().to_owned();
    let name = host.split(':').next().unwrap_or_default();
    let to = |location: String| {
        let mut reply = text(302, "moved");
        reply.headers_mut().insert(header::LOCATION, location.parse().expect("visible"));
        reply
    };
    match request.uri().path() {
        "/api/absolute" => to(format!("http://{host}/api/profile?of=http://{host}/")),
        "/api/relative" => to("/api/profile".to_owned()),
        "/api/elsewhere" => to("https://login.example/?back=profile.internal".to_owned()),
        "/api/cookies" => {
            let mut reply = text(200, "cookies");
            for cookie in [
                format!("sid=1; Domain={name}; Path=/; Expires=Wed, 21 Oct 2099 07:28:00 GMT"),
                "theme=dark; Path=/".to_owned(),
                "all=2; domain=.internal; HttpOnly".to_owned(),
                "ads=3; Domain=tracker.example".to_owned(),
            ] {
                let cookie = cookie.parse().expect("visible");
                reply.headers_mut().append(header::SET_COOKIE, cookie);
            }
            reply
        }
        path => text(200, format!("{path} of {host}")),
    }
}

fn host_rewrite(world: &World) -> (Upstream, Upstream, Proxy) {
    let old = world.run(Upstream::start(application));
    let new = world.run(Upstream::start(application));
    let plugin = plugin("rewrite", "host_rewrite.wasm", "{ upstream = \"profile.internal:9002\" }");
    let settings = "allow = [\"moved\"]\nread-percent = 0";
    let proxy = proxy(old.address(), new.address(), settings, &plugin);
    (old, new, proxy)
}

const MOVED: &[(&str, &str)] = &[("x-user-id", "moved")];

fn location(reply: &Response<bytes::Bytes>) -> &str {
    reply.headers()[header::LOCATION].to_str().expect("text")
}

#[test]
fn a_service_that_knows_its_own_name_only_stands_behind_the_public_one() {
    let world = World::new();
    let (_old, new, proxy) = host_rewrite(&world);
    let public = proxy.address().to_string();
    let clients = [world.client(&proxy), world.client_of_http2(&proxy)];
    for client in clients {
        let get = |path: &str| world.run(client.get(path, MOVED));
        let redirect = get("/api/absolute");
        let seen = new.last();
        assert_eq!(seen.header("host"), "profile.internal:9002");
        assert_eq!(seen.header("x-forwarded-host"), public);
        // A link inside the query is the application's own business.
        let wanted = format!("http://{public}/api/profile?of=http://profile.internal:9002/");
        assert_eq!(location(&redirect), wanted);
        // The client can follow it.
        let path = wanted.strip_prefix(&format!("http://{public}")).expect("public");
        assert_eq!(&get(path).body()[..], b"/api/profile of profile.internal:9002");
        assert_eq!(location(&get("/api/relative")), "/api/profile");
        assert_eq!(
            location(&get("/api/elsewhere")),
            "https://login.example/?back=profile.internal"
        );
    }
}

#[test]
fn all_cookies_come_through_and_those_of_the_service_become_public() {
    let world = World::new();
    let (_old, _new, proxy) = host_rewrite(&world);
    let reply = world.run(world.client(&proxy).get("/api/cookies", MOVED));
    let cookies: Vec<_> = reply
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .map(|c| c.to_str().expect("text"))
        .collect();
    assert_eq!(
        cookies,
        [
            "sid=1; Domain=127.0.0.1; Path=/; Expires=Wed, 21 Oct 2099 07:28:00 GMT",
            "theme=dark; Path=/",
            "all=2; Domain=127.0.0.1; HttpOnly",
            "ads=3; Domain=tracker.example",
        ]
    );
}

#[test]
fn what_old_answers_is_not_rewritten_as_decided_or_as_a_fallback() {
    let world = World::new();
    let (old, new, proxy) = host_rewrite(&world);
    let (client, public) = (world.client(&proxy), proxy.address().to_string());
    let decided = world.run(client.get("/api/absolute", &[("x-user-id", "stays")]));
    assert_eq!(old.last().header("host"), public);
    assert_eq!(location(&decided), format!("http://{public}/api/profile?of=http://{public}/"));
    world.run(new.kill());
    let fallen_back = world.run(client.get("/api/absolute", MOVED));
    assert_eq!(reason(&fallen_back), "fallback");
    assert_eq!(old.last().header("host"), public, "nothing of the first attempt is left");
    assert_eq!(location(&fallen_back), location(&decided));
}

fn cause_fallback(new: SocketAddr, old: &Upstream, rules: &str) -> Proxy {
    let config = format!("{{ rules = [{rules}] }}");
    let settings = "read-percent = 100\nfallback.deadline = \"20s\"";
    proxy(old.address(), new, settings, &plugin("fallback", "cause_fallback.wasm", &config))
}

/// Status, body and reason of a read.
fn read(world: &World, client: &Client, method: &str) -> (u16, String, String) {
    let reply = world.run(client.send(method, "/api/x", &[("x-user-id", "1")], ""));
    let body = String::from_utf8_lossy(reply.body()).into_owned();
    (reply.status().as_u16(), body, reason(&reply).to_owned())
}

/// More reads than the breaker's floor: old serves them all, though the last rule is for every failure.
#[test]
fn while_the_breaker_is_open_old_serves_whatever_the_rule_for_everything_says() {
    let world = World::new();
    let old = world.run(Upstream::named("old"));
    let dead = world.run(dead_address());
    let rules = "{ causes = [\"connect\"], then = \"old\" }, { then = \"respond\", status = 503 }";
    let proxy = cause_fallback(dead, &old, rules);
    let client = world.client(&proxy);
    let mut reasons = BTreeSet::new();
    for n in 0..40 {
        let (status, body, reason) = read(&world, &client, "GET");
        assert_eq!((status, body.as_str()), (200, "old"), "{n}: {reason}");
        reasons.insert(reason);
    }
    assert_eq!(reasons, ["breaker", "fallback"].map(str::to_owned).into());
    assert_eq!(old.hits(), 40);
}

/// An old system that could not bear the whole load is spared by a rule that names the open breaker.
#[test]
fn a_rule_that_names_the_open_breaker_spares_old() {
    let world = World::new();
    let old = world.run(Upstream::named("old"));
    let dead = world.run(dead_address());
    let rules = "{ causes = [\"connect\"], then = \"old\" }, \
                 { causes = [\"circuit-open\"], then = \"respond\", status = 503 }";
    let proxy = cause_fallback(dead, &old, rules);
    let client = world.client(&proxy);
    let statuses: Vec<_> = (0..40).map(|_| read(&world, &client, "GET").0).collect();
    let spared = statuses.iter().filter(|status| **status == 503).count();
    assert!(spared > 0 && statuses[0] == 200, "{statuses:?}");
    assert_eq!(old.hits(), 40 - spared);
    let line = proxy.log_line(|line| line["refused"] == "breaker");
    assert_eq!(line["status"], 503);
}

#[test]
fn causes_and_methods_choose_what_becomes_of_a_server_error() {
    let world = World::new();
    let old = world.run(Upstream::named("old"));
    let new = world.run(Upstream::answering(500, "the whole story"));
    let rules = "{ causes = [\"5xx\"], methods = [\"GET\"], then = \"old\" }, \
                 { causes = [\"5xx\"], methods = [\"OPTIONS\"], then = \"respond\", status = 502 }";
    let proxy = cause_fallback(new.address(), &old, rules);
    let client = world.client(&proxy);
    let told = |status: u16, body: &str, reason: &str| (status, body.to_owned(), reason.to_owned());
    assert_eq!(read(&world, &client, "GET"), told(200, "old", "fallback"));
    // What fits no rule is the client's, byte for byte.
    let head = read(&world, &client, "HEAD");
    assert_eq!((head.0, new.hits()), (500, 2));
    let trace = read(&world, &client, "TRACE");
    assert_eq!(trace, told(500, "the whole story", "percent"));
    let options = world.run(client.send("OPTIONS", "/api/x", &[("x-user-id", "1")], ""));
    assert_eq!(
        (options.status().as_u16(), &options.headers()["server"]),
        (502, &"cutover".parse().expect("a word"))
    );
    assert_eq!(old.hits(), 1);
}

/// What the plugin has the client told is a whole reply, and no failure of cutover's.
#[test]
fn an_exchange_counts_as_the_reply_that_its_plugin_chose() {
    let world = World::new();
    let old = world.run(Upstream::named("old"));
    let dead = world.run(dead_address());
    let rules = "{ causes = [\"connect\"], then = \"respond\", status = 404 }";
    let proxy = cause_fallback(dead, &old, rules);
    assert_eq!(read(&world, &world.client(&proxy), "GET").0, 404);
    proxy.log_line(|line| line["status"] == 404 && line["refused"] == "fallback-plugin");
    let admin = proxy.running().admin_address().expect("it listens");
    let metrics = world.run(async { Client::http1(admin).get("/metrics", &[]).await });
    let metrics = String::from_utf8_lossy(metrics.body()).into_owned();
    let counted = |class: &str, count: usize| {
        let labels = "migration=\"profile\",side=\"new\",role=\"served\"";
        let row = format!("cutover_requests_total{{{labels},code_class=\"{class}\"}} {count}\n");
        assert!(metrics.contains(&row), "{row}{metrics}");
    };
    counted("4xx", 1);
    counted("broken", 0);
    assert_eq!(old.hits(), 0);
}

#[test]
fn elapsed_and_remaining_time_choose_what_becomes_of_a_timeout() {
    let world = World::new();
    let old = world.run(Upstream::named("old"));
    let silent = world.run(cutover_test::RawUpstream::silent());
    // New is given up after 150 ms; the deadline leaves old nearly 20 s.
    for (rule, status) in [
        ("elapsed-ms-at-most = 15000", 200),
        ("elapsed-ms-at-most = 100", 504),
        ("left-ms-at-least = 1000", 200),
        ("left-ms-at-least = 19900", 504),
        ("methods = [\"HEAD\"]", 504),
    ] {
        let rules = format!(
            "{{ causes = [\"timeout\"], {rule}, then = \"old\" }}, \
             {{ causes = [\"timeout\"], then = \"respond\", status = 504 }}"
        );
        let proxy = cause_fallback(silent.address(), &old, &rules);
        let (answered, body, _) = read(&world, &world.client(&proxy), "GET");
        assert_eq!(answered, status, "{rule}: {body}");
    }
    assert_eq!(old.hits(), 2);
}

/// A plugin that guards headers and fails keeps request or reply back; one that does not lets them go on as they are.
#[test]
fn a_rewrite_that_fails_on_the_wire_follows_its_policy() {
    let world = World::new();
    let old = world.run(Upstream::named("old"));
    let new = world.run(Upstream::answering(200, "a secret"));
    let mut hits = 0;
    for (on_error, fault, status, reaches) in [
        ("old", "panic", 200, 1),
        ("old", "reply", 200, 1),
        ("reject", "panic", 503, 0),
        ("reject", "reply", 503, 1),
    ] {
        let plugin = plugin("rewrite", "test_faulty.wasm", "{}");
        let plugin = format!("{plugin}on-error = \"{on_error}\"\n");
        let proxy = proxy(old.address(), new.address(), "read-percent = 100", &plugin);
        let sent = [("x-user-id", "1"), ("x-fault", fault)];
        let reply = world.run(world.client(&proxy).get("/api/x", &sent));
        assert_eq!(reply.status(), status, "{on_error} {fault}");
        hits += reaches;
        assert_eq!(new.hits(), hits, "{on_error} {fault}");
        let got = String::from_utf8_lossy(reply.body());
        if status == 200 {
            assert_eq!(got, "a secret", "{on_error} {fault}");
            continue;
        }
        assert_eq!(reply.headers()["server"], "cutover");
        assert!(!got.contains("secret"), "{got}");
        assert_eq!(proxy.log_line(|line| line["status"] == 503)["refused"], "plugin");
    }
    assert_eq!(old.hits(), 0);
}

/// The same plugin serves 32 busy clients and is killed by every limit meanwhile, until it is left alone.
#[test]
fn a_plugin_that_is_killed_by_each_limit_costs_no_client_a_request() {
    let world = World::new();
    let faulty = plugin("split", "test_faulty.wasm", "{}");
    let (_old, _new, proxy) = named(&world, "read-percent = 50", &faulty);
    let client = world.client(&proxy);
    let load = world.run(async {
        Load::of(proxy.address(), "/api/7", 32, |reply| assert_eq!(reply.status(), 200))
    });
    let faults = |kind: &str| {
        let admin = proxy.running().admin_address().expect("it listens");
        let metrics = world.run(async { Client::http1(admin).get("/metrics", &[]).await });
        let metrics = String::from_utf8_lossy(metrics.body()).into_owned();
        let series = format!(
            "cutover_plugin_faults_total{{migration=\"profile\",plugin=\"story\",kind=\"{kind}\"}} "
        );
        let value = metrics.lines().find_map(|line| line.strip_prefix(&series));
        value.map_or(0.0, |value| value.parse::<f64>().expect("a number"))
    };
    let ask = |fault: &str| {
        world.run(load.more(64));
        let reply = world.run(client.get("/api/7", &[("x-user-id", "1"), ("x-fault", fault)]));
        assert_eq!((reply.status().as_u16(), &reply.body()[..]), (200, &b"old"[..]), "{fault}");
        assert_eq!(reason(&reply), "plugin-failed", "{fault}");
    };
    for (fault, kind) in [("panic", "trap"), ("loop", "deadline"), ("memory", "memory")] {
        ask(fault);
        assert!(faults(kind) >= 1.0, "{fault}");
    }
    // More of it than is borne: the clients are served without the plugin.
    for fault in ["panic", "memory", "panic"] {
        ask(fault);
    }
    world.run(load.more(64));
    assert!(faults("quarantined") >= 1.0);
    world.run(load.end());
}
