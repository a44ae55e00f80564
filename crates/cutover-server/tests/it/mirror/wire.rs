//! How copies reach the other side: HTTP/2, TLS, edits, `Host`, and from clients of HTTP/2.

use super::ALWAYS;
use super::stage::{Stage, config};
use crate::world::{Proxy, World, all_to, backend};

#[test]
fn over_http2_from_a_client_of_http2() {
    let world = World::new();
    let (old, new) = world.run(async { (super::alike().await, super::alike().await) });
    let http2 = "protocol = \"http2\"";
    let config = config(old.address(), "", new.address(), http2, ALWAYS);
    let stage = Stage::with_config(world, &config);
    let client = stage.world.client_of_http2(&stage.proxy);
    for (turn, method) in ["GET", "OPTIONS"].into_iter().enumerate() {
        let reply = stage.world.run(client.send(method, "/api/7?q", &[("x-user-id", "a")], ""));
        assert_eq!(reply.status(), 200);
        stage.settled(|counts| counts.compared == turn as u64 + 1);
        let copy = new.last();
        assert_eq!((copy.version, copy.method.as_str()), (http::Version::HTTP_2, method));
        assert_eq!(copy.uri.path_and_query().map(|p| p.as_str()), Some("/api/7?q"));
        let host = stage.proxy.address().to_string();
        assert_eq!(copy.uri.authority().map(|a| a.as_str()), Some(&*host));
    }
    assert_eq!((stage.counts().mismatched, new.connections()), (0, 1), "the connection is kept");
}

/// A copy gets what an attempt on its side would get: edits, path and `Host`.
#[test]
fn as_that_side_is_asked() {
    let world = World::new();
    let (old, new) = world.run(async { (super::alike().await, super::alike().await) });
    let edits = "path = { strip-prefix = \"/api\", add-prefix = \"/v2\" }\n\
                 headers.request.set = { x-served-by = \"new\" }\n\
                 headers.request.remove = [\"x-gone\"]";
    let more = format!("{ALWAYS}{edits}");
    let config = config(old.address(), "", new.address(), "host = \"new.example\"", &more);
    let stage = Stage::with_config(world, &config);
    stage.get("/api/7?q=%20", &[("x-gone", "1"), ("connection", "x-hop"), ("x-hop", "1")]);
    stage.settled(|counts| counts.compared == 1);
    let copy = new.last();
    assert_eq!(copy.uri.to_string(), "/v2/7?q=%20");
    assert_eq!(
        (copy.header("host"), copy.header("x-served-by")),
        ("new.example".to_owned(), "new".to_owned(),)
    );
    for gone in ["x-gone", "x-hop", "connection"] {
        assert_eq!(copy.header(gone), "", "{gone}");
    }
    assert_eq!(copy.header("x-forwarded-host"), old.last().header("x-forwarded-host"));
}

/// Nothing of `percent = 0`, and only users who were sampled, always the same.
#[test]
fn a_share_is_a_share() {
    let none = Stage::new("read-percent = 0");
    for _ in 0..20 {
        none.get("/api/7", &[("x-user-id", "a")]);
    }
    assert_eq!((none.counts().picked, none.new_side().hits()), (0, 0));
    let some = Stage::new("read-percent = 0\nmirror-percent = 50\nmirror.sample = \"user\"");
    let picked = |user: &str| {
        let before = some.counts().picked;
        some.get("/api/7", &[("x-user-id", user)]);
        some.counts().picked - before
    };
    let users: Vec<String> = (0..40).map(|user| format!("user-{user}")).collect();
    let first: Vec<u64> = users.iter().map(|user| picked(user)).collect();
    let second: Vec<u64> = users.iter().map(|user| picked(user)).collect();
    assert_eq!(first, second);
    let copied = first.iter().sum::<u64>();
    assert!((8..=32).contains(&copied), "{copied} of 40");
    some.settled(|counts| counts.compared == 2 * copied);
}

/// The backend's certificate authorities hold for copies too. What speaks TLS here is a second proxy.
#[test]
fn over_tls() {
    let world = World::new();
    let (old, behind) = world.run(async { (super::alike().await, super::alike().await) });
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["new.test".to_owned()]).expect("made");
    std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).expect("written");
    std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem())
        .expect("written");
    let new = Proxy::in_folder(
        &format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nthreads = 1\n\
             tls = {{ cert = \"cert.pem\", key = \"key.pem\" }}\n[admin]\nlisten = \"127.0.0.1:0\"\n{}{}",
            backend("behind", &[behind.address()], ""),
            all_to("behind"),
        ),
        folder,
    );
    let ca = tempfile::tempdir().expect("a folder");
    let ca = ca.path().join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).expect("written");
    for (turn, protocol) in ["http1", "http2"].into_iter().enumerate() {
        let tls = format!(
            "protocol = \"{protocol}\"\ntls = {{ server-name = \"new.test\", ca = {ca:?} }}\n\
             host = \"new.test\""
        );
        let config = config(old.address(), "", new.address(), &tls, ALWAYS);
        let stage = Stage::with_config(World::new(), &config);
        assert_eq!(stage.get("/api/7", &[]).status(), 200);
        stage.settled(|counts| counts.compared == 1);
        assert_eq!((behind.hits(), stage.counts().mismatched), (turn + 1, 0), "{protocol}");
    }
}
