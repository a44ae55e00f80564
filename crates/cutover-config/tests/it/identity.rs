//! What evidence is about: it changes when replies may, and with nothing else.

use crate::surroundings::loaded;

const BASE: &str = "
[backends.a]
addresses = ['127.0.0.1:9001']
[backends.b]
addresses = ['127.0.0.1:9002']
[backends.other]
addresses = ['127.0.0.1:9003']
[[routes]]
path = '/other'
backend = 'other'
[migrations.m]
old = 'a'
new = 'b'
owner = 'me'
expires = 2030-01-01
key = [{ cookie = 'sid' }]
allow = ['user-7']
read-percent = 5
routes = [{ path = '/m' }]
headers.request.set = { x-a = '1' }
compare = { ignore = ['/at'] }
plugins = { split = 'p' }
[plugins.p]
component = 'p.wasm'
config = { n = 1 }
";

fn identity(edits: &[(&str, &str)]) -> String {
    let text = edits.iter().fold(BASE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    loaded(&text).identity("m")
}

#[test]
fn evidence_goes_on() {
    let before = identity(&[]);
    assert!(!before.is_empty());
    for edits in [
        &[("read-percent = 5", "read-percent = 20\nmirror-percent = 10")][..],
        &[("path = '/m'", "path = '/m', methods = ['GET'], critical = true")],
        &[("owner = 'me'", "owner = 'you'"), ("2030-01-01", "2031-01-01")],
        &[("allow = ['user-7']", "deny = ['user-7']")],
        &[("plugins = {", "gates = { errors = '1%' }\nsteps = { soak = '1d' }\nplugins = {")],
        &[("127.0.0.1:9003", "127.0.0.1:9004")],
        // Other words for the same.
        &[("[migrations.m]\n", "[migrations.m]\nfallback = { deadline = '2000ms' }\n")],
        &[("[plugins.p]", "[plugins.q]"), ("split = 'p'", "split = 'q'")],
        &[("[backends.b]", "[backends.c]"), ("new = 'b'", "new = 'c'")],
        // Not what the text says: the course has it.
        &[("ignore = ['/at']", "ignore = ['/on']")],
        &[("ignore = ['/at']", "unordered = ['/at']")],
    ] {
        assert_eq!(identity(edits), before, "{edits:?}");
    }
}

#[test]
fn evidence_begins_anew() {
    let before = identity(&[]);
    for edit in [
        ("127.0.0.1:9001", "127.0.0.1:9011"),
        ("127.0.0.1:9002", "127.0.0.1:9012"),
        ("x-a = '1'", "x-a = '2'"),
        ("compare = { ignore = ['/at'] }", "compare = { include = ['header:date'] }"),
        ("compare = { ignore = ['/at'] }", "compare = { keyed = { '/items' = '/id' } }"),
        ("compare =", "path = { add-prefix = '/v2' }\ncompare ="),
        ("compare =", "fallback = { on = [] }\ncompare ="),
        ("n = 1", "n = 2"),
        ("p.wasm", "q.wasm"),
        ("plugins = { split = 'p' }", "plugins = { split = 'p', rewrite = 'p' }"),
        ("plugins = { split = 'p' }", "plugins = { split = 'p', normalise = 'p' }"),
    ] {
        assert_ne!(identity(&[edit]), before, "{edit:?}");
    }
}

#[test]
fn who_is_not_there_has_none() {
    assert_eq!(loaded(BASE).identity("n"), "");
}
