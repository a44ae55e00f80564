//! An effective configuration is one that loads, and means the same.

use crate::sample::SAMPLE;
use crate::surroundings::{loaded, usual};
use cutover_config::{Config, load};
use expect_test::expect;
use proptest::prelude::*;

fn check(text: &str) -> Config {
    let config = loaded(text);
    let printed = config.effective_toml();
    let again = load(&printed, "printed.toml", &usual())
        .unwrap_or_else(|report| panic!("{report}\n{printed}"));
    assert!(config.means_the_same_as(&again), "{text}\n---\n{printed}");
    assert_eq!(config.server, again.server);
    assert_eq!(config.plugins, again.plugins);
    assert_eq!(config.plans, again.plans);
    assert_eq!(config.snapshot.backends(), again.snapshot.backends());
    assert_eq!(printed, again.effective_toml());
    config
}

#[test]
fn the_sample_and_the_empty_file() {
    check(SAMPLE);
    check("");
}

#[test]
fn the_examples() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/configs");
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            check(&std::fs::read_to_string(path).expect("readable"));
        }
    }
}

#[test]
fn all_there_is_to_say_about_telemetry() {
    let config = check(
        "[telemetry]\ntraces = 'http://127.0.0.1:4318'\nprotocol = 'http'\nsample-percent = 2.5\n\
         service-name = 'edge'\nbaggage = true",
    );
    let telemetry = config.telemetry.expect("it is there");
    assert_eq!(telemetry.collector.expect("it is named").url, "http://127.0.0.1:4318");
    assert_eq!(telemetry.sample.to_string(), "2.5%");
    let telemetry = check("[telemetry]").telemetry.expect("an empty table is there too");
    assert_eq!((telemetry.collector, telemetry.sample.to_string()), (None, "1%".to_owned()));
    assert_eq!(check("").telemetry, None);
}

#[test]
fn all_there_is_to_say_about_mirroring() {
    let config = check(
        r#"
        [backends.a]
        addresses = ['127.0.0.1:1']
        [backends.b]
        addresses = ['127.0.0.1:2']
        [migrations.m]
        old = 'a'
        new = 'b'
        owner = 'o'
        expires = 2099-01-01
        routes = [
            { path = '/search', methods = ['POST'], mirror = true },
            { path = '/mail', mirror = false },
            { path = '/refund', methods = ['GET'], critical = true },
        ]
        mirror-percent = 12.5
        mirror = { sample = 'user', concurrency = 3, max-body = '2KiB', max-memory = '3MiB', timeout = '4s' }
        [migrations.m.compare]
        ignore = ['', '/a/*', 'header:x-nonce']
        include = ['header:date']
        unordered = ['/tags']
        keyed = { '/items' = '/id' }
        numbers = { '/price' = '0.01', '/score' = '1%' }
        times = { '/at' = '1m30s' }
        null-is-missing = true
        number = 'value'
        status = 'class'
        show = ['/kind']
        max-body = '5KiB'
        recheck = '6s'
        noise = 7
        "#,
    );
    let plan = &config.plans[0];
    assert_eq!((plan.mirror.percent.to_string(), plan.mirror.max_body), ("12.5%".to_owned(), 2048));
    assert_eq!((plan.compare.rules.ignore.len(), plan.compare.rules.numbers.len()), (3, 2));
}

#[test]
fn secrets_are_named_and_never_printed() {
    let config = check(SAMPLE);
    let printed = config.effective_toml();
    assert!(printed.contains("CUTOVER_QA_SECRET"), "{printed}");
    assert!(!printed.contains("0123456789abcdef"), "{printed}");
    assert!(!format!("{config:?}").contains("0123456789abcdef"));
}

#[test]
fn how_it_looks() {
    let text = "
        [backends.a]
        addresses = ['127.0.0.1:1']
        [[routes]]
        path = '/{*rest}'
        backend = 'a'
        headers = { x-tenant = true }
    ";
    expect![[r#"
        [server]
        listen = ["127.0.0.1:8080"]
        threads = 0
        header-timeout = "10s"
        idle-timeout = "1m"
        max-header-bytes = "64KiB"
        max-headers = 128
        drain = "30s"
        debug-headers = false

        [server.access-log]
        format = "json"

        [admin]
        listen = "127.0.0.1:8081"

        [state]
        store = "cutover.state"

        [backends.a]
        addresses = ["127.0.0.1:1"]
        protocol = "http1"
        balance = "round-robin"
        connect-timeout = "1s"
        timeout = "30s"

        [[routes]]
        path = "/{*rest}"
        backend = "a"

        [routes.headers]
        x-tenant = true
    "#]]
    .assert_eq(&loaded(text).effective_toml());
}

/// Parts of a file that fit together however they are drawn.
#[derive(Clone, Debug)]
struct Drawn {
    percent: Option<u32>,
    timeout_ms: u64,
    memory: u64,
    value: String,
    user: String,
    methods: Vec<&'static str>,
    flags: [bool; 6],
    number: i64,
    float: f64,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let methods = proptest::sample::subsequence(vec!["GET", "HEAD", "POST", "PUT", "PURGE"], 1..=5);
    (
        proptest::option::of(0u32..=100_000),
        1u64..1_000_000,
        (64u64 << 10)..(1 << 30),
        "[ -~]{0,20}",
        "\\PC{0,10}[a-z]",
        methods,
        any::<[bool; 6]>(),
        any::<i64>(),
        -1e15f64..1e15,
    )
        .prop_map(
            |(percent, timeout_ms, memory, value, user, methods, flags, number, float)| Drawn {
                percent,
                timeout_ms,
                memory,
                value,
                user,
                methods,
                flags,
                number,
                float,
            },
        )
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl Drawn {
    fn text(&self) -> String {
        let [tls, salt, disabled, group, worker, ca] = self.flags;
        let only = |flag: bool, text: &str| if flag { text.to_owned() } else { String::new() };
        let percent =
            self.percent.map(|t| format!("read-percent = \"{}.{:03}%\"\n", t / 1_000, t % 1_000));
        let backend_tls =
            if ca { "tls = { ca = \"ca.pem\", server-name = \"x\" }\n" } else { "tls = true\n" };
        [
            "[backends.a]\naddresses = [\"a:1\", \"[::1]:2\"]\n".to_owned(),
            only(tls, backend_tls),
            format!("[backends.b]\naddresses = [\"b:1\"]\ntimeout = \"{}ms\"\n", self.timeout_ms),
            "[migrations.m]\nold = \"a\"\nnew = \"b\"\nowner = \"me\"\nexpires = 2030-01-31\n"
                .to_owned(),
            "key = [{ cookie = \"sid\" }, { path = \"id\" }]\n".to_owned(),
            percent.unwrap_or_default(),
            only(disabled, "disabled = true\n"),
            only(group, "group = \"g\"\n"),
            only(salt && group, "salt = \"group\"\n"),
            format!("allow = [{}]\n", quoted(&self.user)),
            format!("routes = [{{ path = \"/u/{{id}}\", methods = {:?} }}]\n", self.methods),
            format!("headers.request.set = {{ x-a = {} }}\n", quoted(&self.value)),
            "plugins = { split = \"p\", fallback = \"p\", normalise = \"p\" }\n".to_owned(),
            format!("[plugins.p]\ncomponent = \"p.wasm\"\nmemory = {}\n", self.memory),
            only(worker, "isolation = \"request\"\n"),
            format!("config = {{ n = {}, f = {:?}, ", self.number, self.float),
            format!("s = {}, l = [[1], []], t = {{ a.b = true }} }}\n", quoted(&self.user)),
        ]
        .concat()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn whatever_loads_is_printed_so_that_it_loads_again(drawn in drawn()) {
        check(&drawn.text());
    }
}

#[test]
fn what_screens_show_has_no_credentials() {
    let text = format!(
        "{SAMPLE}\n[plugins.extra]\ncomponent = \"x.wasm\"\n\
         config = {{ tenants = [\"acme\"], apiToken = \"t1\", nested = {{ password = [\"p1\"] }} }}\n"
    );
    let config = loaded(&text);
    let (exact, shown) = (config.effective_toml(), config.shown_toml());
    for secret in ["t1", "p1"] {
        let quoted = format!("\"{secret}\"");
        assert!(exact.contains(&quoted) && !shown.contains(&quoted), "{shown}");
    }
    assert!(shown.contains("acme") && shown.contains("component"), "{shown}");
    assert_eq!(shown.matches("(not shown)").count(), 2, "{shown}");
}
