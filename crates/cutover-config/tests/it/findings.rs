//! Bad inputs, one of each kind, and what a person is told. `UPDATE_EXPECT=1` rewrites the expectations; read them then.
#![expect(clippy::needless_pass_by_value, reason = "expectations stand inline at the call")]

use crate::surroundings::{Fixed, usual};
use cutover_config::{Report, load};
use expect_test::{Expect, expect};

/// What every case needs to be otherwise right.
const TWO: &str = "
[backends.a]
addresses = ['127.0.0.1:9001']
[backends.b]
addresses = ['127.0.0.1:9002']
timeout = '1s'
[[routes]]
path = '/a'
backend = 'a'
[[routes]]
path = '/b'
backend = 'b'
";

fn report(text: &str, around: &Fixed) -> Report {
    match load(text, "cutover.toml", around) {
        Ok(config) => Report { file: "cutover.toml".to_owned(), findings: config.warnings },
        Err(report) => report,
    }
}

/// One finding a line, with its help below.
fn short(report: &Report) -> String {
    let mut lines = Vec::new();
    for f in &report.findings {
        lines.push(format!("{}:{} {} {}: {}", f.line, f.column, f.severity.name(), f.key, f.what));
        lines.extend(f.help.as_ref().map(|help| format!("    {help}")));
    }
    lines.join("\n")
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&short(&report(text, &usual())));
}

/// A migration with these lines, in a file that is otherwise right.
fn migration(lines: &str, expected: Expect) {
    let base = "[migrations.m]\nold = 'a'\nnew = 'b'\nowner = 'me'\nexpires = 2030-01-01\n\
                routes = [{ path = '/m/{id}' }]\n";
    let text = format!("{base}{lines}\n{TWO}");
    expected.assert_eq(&short(&report(&text, &usual())));
}

fn backend(lines: &str, expected: Expect) {
    let text = format!("[backends.x]\n{lines}\n[[routes]]\npath = '/x'\nbackend = 'x'\n");
    expected.assert_eq(&short(&report(&text, &usual())));
}

#[test]
fn what_must_be_known_of_old() {
    migration(
        "preflight = { required = ['baseline', 'olde', 'baseline'], requests = 0, observe = 'soon' }",
        expect![[r#"
            7:39 error migrations.m.preflight.required[1]: must be "baseline" or "old", not "olde"
                did you mean "old"?
            7:47 error migrations.m.preflight.required: "baseline" is listed twice
                remove one
            7:71 error migrations.m.preflight.requests: 0 is not between 1 and 1000000000
            7:84 error migrations.m.preflight.observe: "soon" is not a duration
                write "250ms", "2s" or "1h""#]],
    );
    migration(
        "preflight = { required = ['old'], observe = '1d' }",
        expect![[r#"
        7:45 warning migrations.m.preflight.observe: nothing waits for it: `baseline` is not required
            add "baseline" to `required`, or remove the key"#]],
    );
    migration("preflight = { required = [] }", expect![[r#""#]]);
}

#[test]
fn as_a_person_sees_it() {
    let text = "
[server]
listen = ['127.0.0.1:8080']
treads = 4
[migrations.profile]
old = 'monolyth'
new = 'profile-service'
owner = 'identity team'
read-percent = 150
routes = [{ path = '/api/profile/{id}', methods = ['get'], headers = { x-a-very-long-header-name = 5 } }]
[backends.monolith]
addresses = ['127.0.0.1']
[backends.profile-service]
addresses = ['127.0.0.1:9002']
";
    expect![[r#"
        error: `treads` is not a key that is known here
         --> cutover.toml:4:1
          |
        4 | treads = 4
          | ^^^^^^
          = key: server.treads
          = help: did you mean `threads`?

        error: `expires` is missing
         --> cutover.toml:5:1
          |
        5 | [migrations.profile]
          | ^^^^^^^^^^^^^^^^^^^^
          = key: migrations.profile
          = help: add expires = 2027-03-01: a flag without an end stays for ever

        error: there is no backend "monolyth"
         --> cutover.toml:6:7
          |
        6 | old = 'monolyth'
          |       ^^^^^^^^^^
          = key: migrations.profile.old
          = help: did you mean "monolith"?

        error: 150 is not a percent that can be used: a percent lies between 0 and 100
         --> cutover.toml:9:16
          |
        9 | read-percent = 150
          |                ^^^
          = key: migrations.profile.read-percent
          = help: write 5, 2.5 or "0.125%"

        error: "get" is not a method: methods are case-sensitive
          --> cutover.toml:10:52
           |
        10 | th = '/api/profile/{id}', methods = ['get'], headers = { x-a-very-long-head
           |                                      ^^^^^
           = key: migrations.profile.routes[0].methods[0]
           = help: write "GET"

        error: must be a text or `true`
          --> cutover.toml:10:100
           |
        10 | le/{id}', methods = ['get'], headers = { x-a-very-long-header-name = 5 } }]
           |                                                                      ^
           = key: migrations.profile.routes[0].headers.x-a-very-long-header-name
           = help: write name = "value" or name = true

        warning: no route and no migration uses backend "monolith"
          --> cutover.toml:11:11
           |
        11 | [backends.monolith]
           |           ^^^^^^^^
           = key: backends.monolith
           = help: remove it

        error: "127.0.0.1" has no port
          --> cutover.toml:12:14
           |
        12 | addresses = ['127.0.0.1']
           |              ^^^^^^^^^^^
           = key: backends.monolith.addresses[0]
           = help: write "127.0.0.1:80"

        cutover.toml: 7 errors, 1 warning
    "#]]
    .assert_eq(&report(text, &usual()).to_string());
}

#[test]
fn as_a_program_sees_it() {
    expect![[r#"
        {
          "file": "cutover.toml",
          "findings": [
            {
              "severity": "error",
              "line": 2,
              "column": 1,
              "length": 7,
              "key": "server.lissten",
              "what": "`lissten` is not a key that is known here",
              "help": "did you mean `listen`?",
              "source": "lissten = 1"
            }
          ]
        }"#]]
    .assert_eq(&report("[server]\nlissten = 1", &usual()).to_json());
}

#[test]
fn syntax() {
    check("[server\n", expect!["1:8 error : this is not TOML: unclosed table, expected `]`"]);
    check("a = 1\na = 2", expect!["2:1 error : this is not TOML: duplicate key"]);
    check(
        "[server]\nlisten = [\"127.0.0.1:80\"\nthreads = 1",
        expect!["3:1 error : this is not TOML: missing comma between array elements, expected `,`"],
    );
    check(
        "é = 'x",
        expect![
            "1:1 error : this is not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`"
        ],
    );
}

#[test]
fn unknown_keys() {
    check(
        "[sever]\nlisten = []",
        expect![[r#"
        1:2 error sever: `sever` is not a key that is known here
            did you mean `server`?"#]],
    );
    check(
        "listen = ['127.0.0.1:80']",
        expect![[r#"
        1:1 error listen: `listen` is not a key that is known here
            it belongs in [server]"#]],
    );
    check(
        "[server]\nheader_timeout = '1s'\nqwertyuiop = 1",
        expect![[r#"
        2:1 error server.header_timeout: `header_timeout` is not a key that is known here
            did you mean `header-timeout`?
        3:1 error server.qwertyuiop: `qwertyuiop` is not a key that is known here
            known here: listen, tls, threads, header-timeout, idle-timeout, max-header-bytes, max-headers, drain, debug-headers, access-log, trusted-proxies"#]],
    );
    migration(
        "percent = 5\nroutess = 1",
        expect![[r#"
            7:1 error migrations.m.percent: `percent` is not a key that is known here
                it is called read-percent
            8:1 error migrations.m.routess: `routess` is not a key that is known here
                did you mean `routes`?"#]],
    );
    check(
        "[[routes]]\npath = '/'\nbackend = 'a'\nwrite = true\n[backends.a]\naddresses = ['a:1']",
        expect![[r#"
            4:1 error routes[0].write: `write` is not a key that is known here
                only a migration's routes can be declared as writes"#]],
    );
    check(
        "[backends.'a b']\naddresses = ['a:1']",
        expect![[r#"
        1:11 error backends."a b": "a b" cannot be a name
            a name is 1 to 64 letters, digits, `-`, `_` or `.`: it stands in metrics, logs and addresses
        1:11 warning backends.a b: no route and no migration uses backend "a b"
            remove it"#]],
    );
}

#[test]
fn wrong_types() {
    check(
        "server = 1\nroutes = {}\nbackends = []",
        expect![[r#"
            1:10 error server: must be a table, not a whole number
            2:10 error routes: must be a list of tables, not a table
            3:12 error backends: must be a table of named tables, not a list"#]],
    );
    check(
        "[server]\nlisten = '127.0.0.1:80'\nthreads = '4'\ndebug-headers = 'yes'\ndrain = true",
        expect![[r#"
            2:10 error server.listen: must be a list, each an address like "127.0.0.1:8080" or a table, not a text
            3:11 error server.threads: must be a whole number from 0 to 1024, not a text
            4:17 error server.debug-headers: must be true or false, not a text
            5:9 error server.drain: must be a duration like "250ms", not true or false"#]],
    );
    migration(
        "read-percent = true\nexpires.x = 1",
        expect![
            "8:1 error : this is not TOML: cannot extend value of type datetime with a dotted key"
        ],
    );
    migration(
        "allow = 'user-7'\nkey = { header = 'x' }\ndisabled = 1",
        expect![[r#"
            7:9 error migrations.m.allow: must be a list of texts, not a text
            8:7 error migrations.m.key: must be a list of tables, not a table
            9:12 error migrations.m.disabled: must be true or false, not a whole number"#]],
    );
}

#[test]
fn numbers_and_units() {
    check(
        "[server]\nthreads = 5000\nmax-headers = 0\nheader-timeout = '0s'\nidle-timeout = 30\n\
         drain = '1 minute'\nmax-header-bytes = '2MiB'",
        expect![[r#"
            2:11 error server.threads: 5000 is not between 0 and 1024
            3:15 error server.max-headers: 0 is not between 1 and 256
            4:18 error server.header-timeout: must be more than nothing
                write a duration like "250ms"
            5:16 error server.idle-timeout: 30 has no unit
                write "30s" or "30ms"
            6:9 error server.drain: "1 minute" is not a duration
                write "250ms", "2s" or "1h"
            7:20 error server.max-header-bytes: must be between 1KiB and 1023KiB
                write "64KiB""#]],
    );
    check(
        "[server]\ndrain = '30'\nheader-timeout = '99999d'\nmax-header-bytes = '64kb'",
        expect![[r#"
            2:9 error server.drain: "30" has no unit
                write "30s", or like "250ms", "2s" or "1h"
            3:18 error server.header-timeout: "99999d" is too large
                write "250ms", "2s" or "1h"
            4:20 error server.max-header-bytes: "64kb" is not a size
                write "64KiB" or "1MiB""#]],
    );
    for percent in ["101", "-1", "'5.12345%'", "'five'", "1e1", "nan"] {
        let text = format!("key = [{{ cookie = 's' }}]\nread-percent = {percent}");
        let base = "[migrations.m]\nold = 'a'\nnew = 'b'\nowner = 'o'\nexpires = 2030-01-01\n\
                    routes = [{ path = '/m' }]\n";
        let report = report(&format!("{base}{text}\n{TWO}"), &usual());
        assert_eq!(report.count(cutover_config::Severity::Error), 1, "{report}");
    }
    migration(
        "key = [{ cookie = 's' }]\nread-percent = 101",
        expect![[r#"
            8:16 error migrations.m.read-percent: 101 is not a percent that can be used: a percent lies between 0 and 100
                write 5, 2.5 or "0.125%""#]],
    );
    migration(
        "gates = { errors = 0, mismatch = '50.001%', latency = 100.001 }",
        expect![[r#"
        7:20 error migrations.m.gates.errors: a limit of 0% can never be shown to hold; the smallest is 0.001%
            write "0.1%"; a gate that is to hold nothing back is left out of `required`
        7:34 error migrations.m.gates.mismatch: a limit is at most 50%
            write "0.1%", or "50%" at most
        7:55 error migrations.m.gates.latency: 100.001 is not a factor from 1 to 100 with three decimals at most
            write 1.10 for ten percent more"#]],
    );
    migration(
        "gates = { required = ['errors', 'errors', 'drill'] }\nsteps = { soak = '0s', graded = '0s', \
         approval-lasts = '0s', approvals = 11 }",
        expect![[r#"
            7:33 error migrations.m.gates.required: "errors" is listed twice
                remove one
            7:43 error migrations.m.gates.required[2]: must be "errors", "fallbacks", "latency", "mismatch", "coverage", "mirror" or "freshness", not "drill"
            8:56 error migrations.m.steps.approval-lasts: must be more than nothing
                write a duration like "250ms"
            8:74 error migrations.m.steps.approvals: 11 is not between 0 and 10"#]],
    );
    migration(
        "gates = { required = [] }\nsteps = { approvals = 1 }",
        expect![[r#"
        1:13 warning migrations.m.steps.approvals: without tokens anybody may give any name: nothing proves a second person
            add tokens to [admin]: cutover token new --name NAME --role ROLE
        7:22 warning migrations.m.gates.required: no gate is required: reads move forward without evidence
            remove the key, and the usual four are"#]],
    );
    migration(
        "gates = { latency = 0.5, errors = '200%' }",
        expect![[r#"
            7:21 error migrations.m.gates.latency: 0.5 is not a factor from 1 to 100 with three decimals at most
                write 1.10 for ten percent more
            7:35 error migrations.m.gates.errors: 200% is not a percent that can be used: a percent lies between 0 and 100
                write 5, 2.5 or "0.125%""#]],
    );
}

#[test]
fn listeners() {
    check(
        "[server]\nlisten = ['localhost:80', '8080', ':80', '127.0.0.1', '::1', '127.0.0.1:70000', '']",
        expect![[r#"
            2:11 error server.listen[0]: "localhost:80" is a name, not an address
                write "127.0.0.1:80" or "[::1]:80"
            2:27 error server.listen[1]: "8080" is not an address to listen on
                write "127.0.0.1:8080", or "0.0.0.0:8080" for every interface
            2:35 error server.listen[2]: ":80" has no address
                write "127.0.0.1:80", or "0.0.0.0:80" for every interface
            2:42 error server.listen[3]: "127.0.0.1" has no port
                write "127.0.0.1:8080"
            2:55 error server.listen[4]: "::1" has no port
                write "[::1]:8080"
            2:62 error server.listen[5]: port 70000 is out of range
                write "127.0.0.1:8080"; a port is at most 65535
            2:81 error server.listen[6]: "" is not an address to listen on
                write "127.0.0.1:8080", or "0.0.0.0:8080" for every interface"#]],
    );
    check(
        "[server]\nlisten = []",
        expect![[r#"
        2:10 error server.listen: must name at least one address
            write listen = ["127.0.0.1:8080"]"#]],
    );
    check(
        "[server]\nlisten = ['127.0.0.1:80', '127.0.0.1:80']",
        expect![[r#"
        2:27 error server.listen[1]: 127.0.0.1:80 is listed twice
            remove one"#]],
    );
    check(
        "[server]\nlisten = [{ address = '127.0.0.1:80', tls = true }, { tls = { cert = 'x' } }]",
        expect![[r#"
            2:45 error server.listen[0].tls: there is no certificate to use
                write tls = { cert = "server.pem", key = "server.key" } here or in [server]
            2:53 error server.listen[1]: `address` is missing
                add address = "127.0.0.1:8443"
            2:61 error server.listen[1].tls: `key` is missing
                add key = "server.key", the certificate's private key"#]],
    );
    check(
        "[server]\nlisten = ['127.0.0.1:8081']",
        expect![[r#"
        2:10 error admin.listen: port 8081 is already taken by [server] listen
            give the admin listener a port of its own"#]],
    );
    check(
        "[server]\ntrusted-proxies = ['10.0.0.0/33', 'x', '10.0.0.1']",
        expect![[r#"
        2:20 error server.trusted-proxies[0]: "10.0.0.0/33" has no usable number of bits
            write a number from 0 to 32 after the slash
        2:35 error server.trusted-proxies[1]: "x" is not a network
            write "10.0.0.0/8", "fd00::/8" or one address"#]],
    );
    check(
        "[server]\naccess-log = 'yaml'",
        expect![[
            r#"2:14 error server.access-log: must be "json", "text" or "off" or a table, not "yaml""#
        ]],
    );
    check(
        "[server]\naccess-log = { formt = 'json' }",
        expect![[r#"
        2:16 error server.access-log.formt: `formt` is not a key that is known here
            did you mean `format`?"#]],
    );
    check(
        "[admin]\nlisten = '0.0.0.0:8081'",
        expect![[r#"
            2:10 error admin.listen: 0.0.0.0:8081 can be reached from outside, and there are no tokens
                write "127.0.0.1:8081", or add tokens: cutover token new --name NAME --role ROLE"#]],
    );
    check(
        "[admin]\nlisten = '0.0.0.0:8081'\ntokens = [{ name = 'ana', role = 'oncall', hash = 'cut_x' }]",
        expect![[r#"
            2:10 error admin.listen: 0.0.0.0:8081 can be reached from outside, and there are no tokens
                write "127.0.0.1:8081", or add tokens: cutover token new --name NAME --role ROLE
            3:34 error admin.tokens[0].role: must be "viewer", "operator", "on-call", "approver", "admin" or "automation", not "oncall"
                did you mean "on-call"?
            3:51 error admin.tokens[0].hash: is not "sha256:" and 64 hexadecimal digits
                make a token with `cutover token new --name NAME --role ROLE`: it prints the line for this file"#]],
    );
    let token = |name: &str, digit: &str| {
        let hash = digit.repeat(64);
        format!("{{ name = '{name}', role = 'on-call', hash = 'sha256:{hash}' }}")
    };
    check(
        &format!(
            "[admin]\nlisten = '0.0.0.0:8081'\ntokens = [{}, {}, {}]",
            token("ana", "a"),
            token("ana", "b"),
            token("ben", "A")
        ),
        expect![[r#"
            3:247 error admin.tokens[2]: ana and ben have the same token
                make one for each: cutover token new --name NAME --role ROLE"#]],
    );
    check(
        &format!("[admin]\ntokens = [{}]", token("cutover", "a")),
        expect![[r#"
        2:20 error admin.tokens[0].name: cutover itself acts under this name
            name the person, or the script"#]],
    );
    check(
        &format!("[admin]\ntokens = [{}]", token(" ana", "a")),
        expect![[r#"
            2:20 error admin.tokens[0].name: this cannot be a name
                write 1 to 64 printable characters: it stands in the audit log"#]],
    );
    check(
        "[admin]\nlisten = 'of'",
        expect![[r#"
        2:10 error admin.listen: "of" is not an address to listen on
            write "127.0.0.1:8080", or "0.0.0.0:8080" for every interface"#]],
    );
    check(
        "[state]\nstore = 'postgres://db/x'",
        expect![[r#"
        2:9 error state.store: a store for a fleet comes in a later version
            write a folder: store = "cutover.state""#]],
    );
}

#[test]
fn telemetry() {
    check(
        "[telemetry]\ntraces = 'https://otel.example:4317'\nsample-percent = 101\nsample = 3",
        expect![[r#"
            2:10 error telemetry.traces: spans are not sent over TLS
                run an OpenTelemetry collector beside the proxy, name it here by http://, and let it send on over TLS
            3:18 error telemetry.sample-percent: 101 is not a percent that can be used: a percent lies between 0 and 100
                write 5, 2.5 or "0.125%"
            4:1 error telemetry.sample: `sample` is not a key that is known here
                it is called sample-percent"#]],
    );
    for wrong in [
        "otel:4317",
        "http://",
        "http://u:p@otel:4317",
        "http://otel:0",
        "http://o tel",
        "http://:4317",
    ] {
        let report = report(&format!("[telemetry]\ntraces = '{wrong}'"), &usual());
        assert_eq!(report.findings.len(), 1, "{wrong}: {report}");
    }
    for right in ["http://otel:4317", "http://otel", "http://[::1]:4318/in/v1/traces"] {
        let report = report(&format!("[telemetry]\ntraces = '{right}'"), &usual());
        assert!(report.findings.is_empty(), "{right}: {report}");
    }
}

#[test]
fn backends() {
    backend(
        "",
        expect![[r#"
        1:1 error backends.x: `addresses` is missing
            add addresses = ["127.0.0.1:9001"]"#]],
    );
    backend(
        "addresses = []",
        expect![[r#"
        2:13 error backends.x.addresses: must name at least one address
            write addresses = ["127.0.0.1:9001"]"#]],
    );
    backend(
        "addresses = ['a', '::1', 'http://a', 'https://a/x', 'a:0', 'a:99999', 'a:1', 'a:1', 'a b:1', 'a:1/x', '[x]:1']",
        expect![[r#"
            2:14 error backends.x.addresses[0]: "a" has no port
                write "a:80"
            2:19 error backends.x.addresses[1]: "::1" has no port
                write "[::1]:80"
            2:26 error backends.x.addresses[2]: "http://a" is a URL, not an address
                write "a:80"
            2:38 error backends.x.addresses[3]: "https://a/x" is a URL, not an address
                write "a:443", and tls = true beside it
            2:53 error backends.x.addresses[4]: "a:0" has no usable port
                write "a:80"
            2:60 error backends.x.addresses[5]: port 99999 is out of range
                a port lies between 1 and 65535
            2:78 error backends.x.addresses[7]: a:1 is listed twice
                remove one
            2:85 error backends.x.addresses[8]: "a b" is not the name of a host
                write "name:port", "10.0.0.7:80" or "[fd00::7]:80"
            2:94 error backends.x.addresses[9]: "a:1/x" has a path
                write "a:1"; a migration's path edits can add a prefix
            2:103 error backends.x.addresses[10]: "[x]" is not the name of a host
                write "name:port", "10.0.0.7:80" or "[fd00::7]:80""#]],
    );
    backend(
        "addresses = ['a:1']\nprotocol = 'h2'\nbalance = 'random'",
        expect![[r#"
        3:12 error backends.x.protocol: must be "http1", "http2" or "auto", not "h2"
        4:11 error backends.x.balance: must be "round-robin" or "least-requests", not "random""#]],
    );
    backend(
        "addresses = ['a:1']\nhealth = { every = '0ms', path = 'healthz' }",
        expect![[r#"
        3:20 error backends.x.health.every: must be more than nothing
            write a duration like "250ms"
        3:34 error backends.x.health.path: "healthz" is not a path
            write path = "/healthz""#]],
    );
    backend(
        "addresses = ['a:1']\ntls = { verify = false, server = 'x' }",
        expect![[r#"
        3:18 warning backends.x.tls.verify: any certificate is accepted from this backend
            for tests only; name its authority instead: ca = "ca.pem"
        3:25 error backends.x.tls.server: `server` is not a key that is known here
            known here: server-name, ca, verify"#]],
    );
    backend(
        "addresses = ['a:1']\nhost = 'a b'\ntimeout = '0s'",
        expect![[r#"
        3:8 error backends.x.host: "a b" is not a host
            write "legacy.example.com"
        4:11 error backends.x.timeout: must be more than nothing
            write a duration like "250ms""#]],
    );
    check(
        "[backends.x]\naddresses = ['a:1']",
        expect![[r#"
        1:11 warning backends.x: no route and no migration uses backend "x"
            remove it"#]],
    );
}

#[test]
fn routes() {
    check(
        "[[routes]]\n",
        expect![[r#"
        1:1 error routes[0]: `path` is missing
            add path = "/api/profile/{id}"
        1:1 error routes[0]: `backend` is missing
            add backend = "NAME", one of [backends.NAME]"#]],
    );
    check(
        &format!("{TWO}[[routes]]\npath = '/c'\nbackend = 'aa'"),
        expect![[r#"
            15:11 error routes[2].backend: there is no backend "aa"
                did you mean "a"?"#]],
    );
    check(
        &format!("{TWO}[[routes]]\npath = '/c'\nbackend = 'monolith'"),
        expect![[r#"
            15:11 error routes[2].backend: there is no backend "monolith"
                add [backends.monolith], or use one that is there"#]],
    );
    check(
        &format!("{TWO}[[routes]]\npath = 'c'\nbackend = 'a'"),
        expect!["14:8 error routes[2]: path `c`: a path begins with `/`"],
    );
    check(
        &format!("{TWO}[[routes]]\npath = '/{{x}}/{{x}}'\nhost = 'a..b'\nbackend = 'a'"),
        expect!["14:8 error routes[2]: path `/{x}/{x}`: two parameters are called `x`"],
    );
    check(
        &format!("{TWO}[[routes]]\npath = '/c'\nhost = 'a.*.b'\nbackend = 'a'"),
        expect![[r#"
            15:8 error routes[2]: host `a.*.b`: `*` may only be the first label, as in `*.example.com`
                write "api.example.com" or "*.example.com""#]],
    );
    check(
        &format!("{TWO}[[routes]]\npath = '/a'\nbackend = 'b'"),
        expect![[r#"
            14:8 error routes[2]: matches the same requests as routes[0] (line 8), with equal rank
                remove one, or make a method, header, query or host differ; the order in this file decides nothing"#]],
    );
    check(
        &format!(
            "{TWO}[[routes]]\npath = '/c'\nbackend = 'a'\nmethods = ['get', 'GTE', 'G T', 'PUT', 'PUT']"
        ),
        expect![[r#"
            16:12 error routes[2].methods[0]: "get" is not a method: methods are case-sensitive
                write "GET"
            16:19 warning routes[2].methods[1]: GTE is an unusual method
                did you mean GET?
            16:26 error routes[2].methods[2]: "G T" cannot be a method
                write one like "GET"
            16:40 error routes[2].methods[4]: PUT is listed twice
                remove one"#]],
    );
    check(
        &format!(
            "{TWO}[[routes]]\npath = '/c'\nbackend = 'a'\nheaders = {{ 'x y' = true, a = false, b = 1 }}\nmethods = []"
        ),
        expect![[r#"
            16:13 error routes[2].headers."x y": "x y" cannot be the name of a header
                a name is letters, digits and hyphens, like x-user-id
            16:31 error routes[2].headers.a: absence cannot be asked for
                add a route for those that have it: the more specific route wins
            16:42 error routes[2].headers.b: must be a text or `true`
                write name = "value" or name = true
            17:11 error routes[2].methods: must name at least one method
                remove the key to match any method"#]],
    );
    check(
        &format!(
            "{TWO}[[routes]]\npath = '/c'\nbackend = 'a'\n[routes.edits.headers.request]\nset = {{ connection = 'x', b = \"\\u0001\", c = 1 }}\n[routes.edits.path]\nstrip-prefix = 'x'\nadd-prefix = '/x/'"
        ),
        expect![[r#"
            17:9 error routes[2].edits.headers.request.set.connection: connection cannot be edited
                it frames the message or belongs to one connection; cutover sets it
            17:31 error routes[2].edits.headers.request.set.b: cannot be the value of a header
                a value is visible ASCII characters, spaces and tabs
            17:45 error routes[2].edits.headers.request.set.c: must be a text
                write name = "value"
            19:16 error routes[2].edits.path.strip-prefix: "x" does not begin with /
                write "/x"
            20:14 error routes[2].edits.path.add-prefix: "/x/" ends with /
                write "/x""#]],
    );
}

#[test]
fn migrations() {
    check(
        &format!("[migrations.m]\n{TWO}"),
        expect![[r#"
            1:1 error migrations.m: `old` is missing
                add old = "NAME", the backend that is being left
            1:1 error migrations.m: `new` is missing
                add new = "NAME", the backend that takes over
            1:1 error migrations.m: `routes` is missing
                add routes = [{ path = "/api/profile/{id}" }]
            1:1 error migrations.m: `owner` is missing
                add owner = "identity team": whom to ask about this flag
            1:1 error migrations.m: `expires` is missing
                add expires = 2027-03-01: a flag without an end stays for ever"#]],
    );
    check(
        &format!(
            "[migrations.m]\nold='a'\nnew='a'\nowner=''\nexpires='2027-01-01'\nroutes=[]\n{TWO}"
        ),
        expect![[r#"
            3:5 error migrations.m.new: old and new are the same backend
                name the backend that takes over; both may have the same addresses
            4:7 error migrations.m.owner: must not be empty
                write something, or remove the key
            5:9 error migrations.m.expires: a date stands without quotes
                write 2027-01-01
            6:8 error migrations.m.routes: must name at least one route
                write routes = [{ path = "/api/{*rest}" }]"#]],
    );
    migration(
        "read-percent = 5",
        expect![[r#"
            7:16 error migrations.m.read-percent: without a key nobody has a bucket: every read goes to old
                add key = [{ header = "x-user-id" }, { cookie = "sid" }]"#]],
    );
    migration(
        "key = [{ cookie = 'a', header = 'b' }, {}, { path = 'ident' }]",
        expect![[r#"
            7:8 error migrations.m.key[0]: names more than one source
                write one table for each: [{ header = "x-user-id" }, { cookie = "sid" }]
            7:40 error migrations.m.key[1]: names no source
                write { header = "x-user-id" } or { cookie = "sid" }
            7:44 error migrations.m.key: no route of the migration has a parameter {ident}
                name it in a route: path = "/user/{ident}""#]],
    );
    migration(
        "allow = ['u']",
        expect![[r#"
            7:10 error migrations.m.key: nobody can be found on a list without a key
                add key = [{ header = "x-user-id" }]"#]],
    );
    migration(
        "key = [{ cookie = 's' }]\nallow = ['u', 'v']\ndeny = ['u']",
        expect![[r#"
            8:10 warning migrations.m.allow: "u" is on both lists; deny wins
                remove it from one of them"#]],
    );
    migration(
        "salt = 'group'",
        expect![[r#"
            7:8 error migrations.m.salt: salt = "group" shares the group's cohort, but there is no group
                add group = "accounts", or remove salt"#]],
    );
    migration(
        "bucketing = 'unleash'\nkey = [{ cookie = 's' }]\nread-percent = 2.5",
        expect![[r#"
            9:16 warning migrations.m.read-percent: unleash knows whole percents only: the whole percent below counts
                write a whole percent"#]],
    );
    migration(
        "routes = [{ path = '/m', backend = 'a' }]",
        expect!["7:1 error : this is not TOML: duplicate key"],
    );
    migration(
        "fallback = { on = ['conect'], deadline = '0s', budget = 200 }",
        expect![[r#"
        7:20 error migrations.m.fallback.on[0]: must be "connect", "reset", "timeout" or "5xx", not "conect"
            did you mean "connect"?
        7:42 error migrations.m.fallback.deadline: must be more than nothing
            write a duration like "250ms"
        7:57 error migrations.m.fallback.budget: 200 is not a percent that can be used: a percent lies between 0 and 100
            write 5, 2.5 or "0.125%""#]],
    );
    migration(
        "mirror-percent = 1\ndata = 'cdc2'\ncompare = { ignore = ['x'] }",
        expect![[r#"
            8:8 error migrations.m.data: must be "shared", "external" or "cdc", not "cdc2"
                did you mean "cdc"?
            9:23 error migrations.m.compare.ignore[0]: "x": a pointer begins with `/`
                write /x"#]],
    );
    migration(
        "mirror = { sample = 'users', concurrency = 0, max-memory = '1KiB', timeout = '0s' }",
        expect![[r#"
            7:21 error migrations.m.mirror.sample: must be "request" or "user", not "users"
                did you mean "user"?
            7:44 error migrations.m.mirror.concurrency: 0 is not between 1 and 65536
            7:60 error migrations.m.mirror.max-memory: has no room for one body of max-body
                raise max-memory, or lower max-body
            7:78 error migrations.m.mirror.timeout: must be more than nothing
                write a duration like "250ms""#]],
    );
    migration(
        "compare = { ignore = ['/a', 'date', '/b/', 'header:*'], include = ['/a'], unordered = ['/l'], \
         keyed = { '/l' = 'id', '/m' = '/id' }, numbers = { '/n' = 'near', '/o' = 1 }, \
         times = { '/t' = '1 hour' }, show = ['header:a b'], number = 'value', noise = '200%' }",
        expect![[r#"
            7:29 error migrations.m.compare.ignore[1]: "date": a pointer begins with `/`
                write /date
            7:37 error migrations.m.compare.ignore[2]: "/b/": it ends with `/`, which names a member without a name
                write /b, or /b/* for everything below it
            7:44 error migrations.m.compare.ignore[3]: "header:*": names of headers have no wildcards
                name one header: header:date
            7:68 error migrations.m.compare.include[0]: "/a": only headers can be named here
                write header:NAME; all of the body is compared anyway
            7:105 error migrations.m.compare.keyed: "id": a pointer begins with `/`
                write /id
            7:105 error migrations.m.compare.keyed: "/l": another rule says something else about the same path
                keep one of the two
            7:146 error migrations.m.compare.numbers: "near": not a tolerance
                write "0.01" for a distance, "1%" for a share
            7:168 error migrations.m.compare.numbers."/o": must be a text
                write "PATH" = "…"
            7:190 error migrations.m.compare.times."/t": "1 hour" is not a duration
                write "1s" or "500ms"
            7:210 error migrations.m.compare.show[0]: "header:a b": `a b` is not the name of a header
                write the name as it stands in the reply, without its value
            7:251 error migrations.m.compare.noise: 200% is not a percent that can be used: a percent lies between 0 and 100
                write 5, 2.5 or "0.125%""#]],
    );
    check(
        &format!(
            "[migrations.m]\nold='a'\nnew='b'\nowner='o'\nexpires=2099-01-01\nroutes=[\n\
             {{ path='/m', methods=['POST'], mirror=true }},\n{{ path='/n', mirror=true }},\n\
             {{ path='/o', methods=['GET'], write=true, mirror=true }},\n{{ path='/p', mirror=false }}]\n{TWO}"
        ),
        expect![[r#"
            8:21 error migrations.m.routes[1].mirror: copies every method of the route, its writes too
                name those that only read: methods = ["POST"]
            9:50 error migrations.m.routes[2].mirror: a write that is copied happens twice
                remove `mirror`, or `write` if the route only reads"#]],
    );
    check(
        &format!(
            "[migrations.m]\nold='a'\nnew='b'\nowner='o'\nexpires=2099-01-01\nroutes=[\n\
             {{ path='/m', methods=['GET'], critical=true, write=true }},\n\
             {{ path='/n', methods=['GET'], critical=true, mirror=false }},\n\
             {{ path='/o', critical=true }},\n{{ path='/p', methods=['PUT'], critical=true }},\n\
             {{ path='/q', methods=['POST'], critical=true, mirror=true }}]\n\
             gates = {{ required = ['errors'] }}\n{TWO}"
        ),
        expect![[r#"
            7:8 warning migrations.m.routes[0].critical: no step waits for critical routes: the gate `coverage` is not required
                add "coverage" to gates.required, or remove `critical`
            7:40 error migrations.m.routes[0].critical: writes are not compared
                remove `critical`, or `write` if the route only reads
            8:40 error migrations.m.routes[1].critical: what is not copied is never compared
                remove `critical`, or `mirror`
            9:23 error migrations.m.routes[2].critical: does not say which of its reads must be compared
                name them: methods = ["GET"]
            10:40 error migrations.m.routes[3].critical: none of its methods is copied, so that nothing of it is ever compared
                remove `critical`; or add mirror = true if the route only reads"#]],
    );
    migration(
        "path = { strip-prefix = '/' }\nheaders = { set = { a = 'b' } }",
        expect![[r#"
            7:25 error migrations.m.path.strip-prefix: "/" changes nothing
                remove the key
            8:13 error migrations.m.headers.set: `set` is not a key that is known here
                say which way: headers.request.set or headers.response.set"#]],
    );
    check(
        &format!(
            "[migrations.m]\nold='a'\nnew='b'\nowner='o'\nexpires=2020-01-01\nroutes=[{{ path='/a' }}]\n{TWO}"
        ),
        expect![[r#"
            5:9 warning migrations.m.expires: the migration expired on 2020-01-01; traffic is not moved by that
                finish and remove it, or set a later day
            6:16 error migrations.m.routes[0]: matches the same requests as routes[0] (line 14), with equal rank
                remove one, or make a method, header, query or host differ; the order in this file decides nothing"#]],
    );
}

#[test]
fn groups() {
    let one = |name: &str| {
        format!(
            "[migrations.{name}]\nold='a'\nnew='b'\nowner='o'\nexpires=2030-01-01\ngroup='g'\n\
             key=[{{cookie='s'}}]\nread-percent=5\nroutes=[{{path='/{name}'}}]\n"
        )
    };
    check(
        &format!("{}{}{TWO}", one("m"), one("n")),
        expect![[r#"
            17:14 error migrations.n.read-percent: group "g" has two canaries at once: n and m (line 1)
                remove read-percent from one until the other is through"#]],
    );
}

#[test]
fn steps() {
    migration(
        "steps = { percents = [1, 5], dwell = ['1h'] }",
        expect![[r#"
            7:22 error migrations.m.steps.percents: the last step must be 100
                end with 100: the ramp leads to everybody
            7:38 error migrations.m.steps.dwell: 2 percents, but 1 dwell times
                write one dwell time for each percent"#]],
    );
    migration(
        "steps = { percents = [5, 1, 100] , dwell = ['1h', '1h', '1h'], auto = 20 }",
        expect![[r#"
            7:22 error migrations.m.steps.percents: steps must grow
                write them like [1, 5, 20, 50, 100]
            7:71 error migrations.m.steps.auto: only steps up to 5% may advance by themselves
                write auto = "5%" or less; a person promotes the larger steps"#]],
    );
    migration(
        "steps = { percents = [0, 50], dwell = ['1h', '1h'] }",
        expect![[r#"
            7:22 error migrations.m.steps.percents: the last step must be 100
                end with 100: the ramp leads to everybody
            7:22 error migrations.m.steps.percents: 0 is no step
                remove it"#]],
    );
    migration(
        "steps = { percents = [], dwell = [] }",
        expect![[r#"
            7:22 error migrations.m.steps.percents: must name at least one step
                write [100]"#]],
    );
}

#[test]
fn secrets() {
    migration(
        "qa-header = 'x-qa'",
        expect![[r#"
            7:13 error migrations.m.qa-header: without a secret everybody could choose a side
                add qa-secret = { env = "CUTOVER_QA_SECRET" } or { file = "qa.secret" }"#]],
    );
    migration(
        "qa-secret = { env = 'CUTOVER_QA_SECRET' }",
        expect![[r#"
            7:13 error migrations.m.qa-secret: there is no header to verify
                add qa-header = "x-cutover-qa""#]],
    );
    migration(
        "qa-header = 'x-qa'\nqa-secret = { env = 'NOT_SET' }",
        expect![[r#"
            8:13 error migrations.m.qa-secret: the environment has no variable NOT_SET
                set it before starting: export NOT_SET=…"#]],
    );
    migration(
        "qa-header = 'x-qa'\nqa-secret = { file = 'no.secret' }",
        expect![[r#"
            8:13 error migrations.m.qa-secret: no.secret cannot be read: entity not found
                the path is relative to this file's folder"#]],
    );
    migration(
        "qa-header = 'x-qa'\nqa-secret = { file = 'a', env = 'b' }",
        expect![[r#"
            8:13 error migrations.m.qa-secret: names two places
                keep `env` or `file`"#]],
    );
    let mut around = usual();
    around.files.insert("short", "abc\n");
    let text = format!(
        "[migrations.m]\nold='a'\nnew='b'\nowner='o'\nexpires=2030-01-01\nroutes=[{{path='/m'}}]\n\
         qa-header='x-qa'\nqa-secret={{file='short'}}\n{TWO}"
    );
    expect![[r#"
        8:11 error migrations.m.qa-secret: a secret of fewer than 16 bytes can be guessed
            make one: openssl rand -hex 32"#]]
    .assert_eq(&short(&report(&text, &around)));
}

#[test]
fn a_secret_in_the_file_is_not_repeated() {
    let text = "[migrations.m]\nqa-header = 'x-qa'\nqa-secret = 'hunter2hunter2'\n";
    let report = report(text, &usual());
    assert!(short(&report).contains("migrations.m.qa-secret"), "{report}");
    assert!(!report.to_string().contains("hunter2"), "{report}");
    assert!(!report.to_json().contains("hunter2"), "{report}");
}

#[test]
fn plugins() {
    migration(
        "plugins = { split = 'tenant-split' }",
        expect![[r#"
            7:21 error migrations.m.plugins.split: there is no plugin "tenant-split"
                add [plugins.tenant-split] component = "….wasm""#]],
    );
    migration(
        "plugins = { split = 'tenant-spilt' }\n[plugins.tenant-split]\ncomponent = 'x.wasm'",
        expect![[r#"
            7:21 error migrations.m.plugins.split: there is no plugin "tenant-spilt"
                did you mean "tenant-split"?
            8:10 warning plugins.tenant-split: no migration uses plugin "tenant-split": it is not loaded
                add plugins = { split = "tenant-split" } to a migration"#]],
    );
    migration(
        "plugins = { split = 'p' }\n[plugins.p]\non-error = 'new'\ndeadline = '5s'\nnormalise-deadline = '5s'\nmemory = '1KiB'\nconfig = { a = nan }\nisolation = 1",
        expect![[r#"
            8:1 error plugins.p: `component` is missing
                add component = "plugins/dist/NAME.wasm"
            9:12 error plugins.p.on-error: must be "old", "reject" or "percent", not "new"
            10:12 error plugins.p.deadline: a call may take 1s at most: meanwhile its worker serves nobody else
                write deadline = "1ms"
            11:22 error plugins.p.normalise-deadline: a call may take 1s at most: meanwhile nothing else is compared
                write normalise-deadline = "50ms"
            12:10 error plugins.p.memory: memory must be between 64KiB and 1GiB
                write memory = "16MiB"
            13:10 error plugins.p.config: nan cannot be said in JSON
                use another number, or a text
            14:13 error plugins.p.isolation: must be "worker" or "request", not a whole number"#]],
    );
    migration(
        "compare = { max-body = '8MiB' }\nplugins = { normalise = 'p' }\n[plugins.p]\ncomponent = 'x.wasm'\nnormalise = true",
        expect![[r#"
            8:25 warning migrations.m.plugins.normalise: its memory of 16MiB is less than four bodies of 8MiB, as compare.max-body allows: a plugin that fails at them leaves them out of the comparisons
                raise memory in [plugins.p], or lower compare.max-body
            11:1 error plugins.p.normalise: `normalise` is not a key that is known here
                hooks are chosen by the migration: [migrations.NAME.plugins]"#]],
    );
}

#[test]
fn routes_that_lose_to_a_host() {
    let beside = |route: &str| format!("[[routes]]\n{route}\nbackend = 'a'");
    migration(
        &beside("host = 'shop.example'\npath = '/{*rest}'"),
        expect![[r#"
        6:20 warning migrations.m.routes[0]: on shop.example it sees no request: a route with that host leads to "a", and a host counts before a path
            add the same route with host = "shop.example" to the migration"#]],
    );
    migration(
        &beside("host = '*.example'\npath = '/m/{*rest}'"),
        expect![[r#"
        6:20 warning migrations.m.routes[0]: on *.example it sees no request: a route with that host leads to "a", and a host counts before a path
            add the same route with host = "*.example" to the migration"#]],
    );
    // What is taken away is said, and nothing else is.
    migration(&beside("host = 'shop.example'\npath = '/m'"), expect![[""]]);
    migration(
        &beside("host = 'shop.example'\npath = '/{*rest}'\nmethods = ['POST']"),
        expect![[""]],
    );
}

#[test]
fn a_deadline_that_leaves_no_time_to_connect() {
    migration(
        "fallback.deadline = '1s'",
        expect![[r#"
        7:21 warning migrations.m.fallback.deadline: of 1s new has three quarters, 750ms: less than the 1s of its connect-timeout, so that an address that is silent is tried again and again
            raise the deadline, or set connect-timeout in [backends.b] to less than 750ms"#]],
    );
    migration("fallback = { deadline = '1s', on = [] }", expect![[""]]);
    migration("fallback.deadline = '2s'", expect![[""]]);
}
