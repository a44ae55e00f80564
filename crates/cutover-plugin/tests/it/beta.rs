//! One plugin with all hooks, through views that a test builds.

use cutover_plugin::testing::{Place, Request, said};
use cutover_plugin::{
    Action, Backend, Cause, Comparable, Decision, Edits, Environment, Failure, Fallback, Field,
    Header, Manifest, Method, Normalise, Percent, PercentError, Plugin, Reason, Reply, Rewrite,
    Split, View,
};

struct Everything {
    user: Field,
    page: Field,
    location: Field,
    id: Field,
    served_by: Header,
    location_out: Header,
    named: Reason,
}

impl Plugin for Everything {
    fn configure(environment: &Environment, manifest: &mut Manifest) -> Result<Self, String> {
        if environment.config != "{}" {
            return Err("takes no configuration".to_owned());
        }
        cutover_plugin::say(&format!("configured for {}", environment.name));
        Ok(Self {
            user: manifest.header("X-User"),
            page: manifest.query_param("page"),
            location: manifest.reply_header("Location"),
            id: manifest.path_param("id"),
            served_by: manifest.edits("X-Served-By"),
            location_out: manifest.edits("location"),
            named: manifest.reason("named"),
        })
    }
}

impl Split for Everything {
    fn decide(&self, view: &View<'_>) -> Decision {
        match view.get(self.user) {
            Some("ann") => Decision::to_new().because(self.named).within_ms(250),
            _ => Decision::by_share(view),
        }
    }
}

impl Rewrite for Everything {
    fn on_request(&self, view: &View<'_>, backend: Backend, edits: &mut Edits<'_>) {
        assert_eq!(view.get(self.location), None, "a request has no reply");
        edits.append(self.served_by, format!("{}", backend.index()));
    }

    fn on_response(&self, view: &View<'_>, _: Backend, status: u16, edits: &mut Edits<'_>) {
        edits.remove(self.served_by);
        if let (301, Some(place)) = (status, view.get(self.location)) {
            edits.set(self.location_out, place.replace("inside", "outside"));
        }
    }
}

impl Fallback for Everything {
    fn on_failure(&self, view: &View<'_>, failure: &Failure) -> Action {
        match (view.get(self.page), view.bytes(self.id)) {
            (Some("1"), _) => Action::Retry(Backend::OLD),
            (None, Some(b"7")) => Action::Respond(504),
            _ if failure.can_retry() => Action::Retry(Backend::OLD),
            _ => Action::Propagate,
        }
    }
}

impl Normalise for Everything {
    fn make_comparable(&self, view: &View<'_>, reply: &Reply<'_>) -> Comparable {
        match (reply.backend, view.get(self.location)) {
            _ if !reply.is_json() => Comparable::cannot("not JSON"),
            (Backend::OLD, _) => Comparable::Unchanged,
            (_, Some(place)) => Comparable::body([reply.body, place.as_bytes()].concat()),
            (_, None) => Comparable::body(format!("{} {:?}", reply.status, view.get(self.id))),
        }
    }
}

cutover_plugin::export!(Everything: split, rewrite, fallback, normalise);

fn place() -> Place<Everything> {
    Place::configure("{}").expect("no configuration is asked for")
}

#[test]
fn a_refused_configuration_tells_why() {
    let error = Place::<Everything>::configure("{\"a\": 1}").err();
    assert_eq!(error.as_deref(), Some("takes no configuration"));
}

#[test]
fn declarations_keep_their_order_and_repeat_nothing() {
    let place = place();
    assert_eq!(said(), ["configured for test"]);
    assert_eq!(place.manifest().writes(), ["x-served-by", "location"]);
    let mut manifest = place.manifest().clone();
    let before = manifest.reads().len();
    assert_eq!(manifest.header("x-user"), manifest.header("X-USER"));
    assert_eq!(manifest.reads().len(), before);
}

#[test]
fn decisions_see_headers_and_the_percent() {
    let place = place();
    let answer = place.decide(&Request::get("/").header("x-user", "ann"));
    assert_eq!((answer.backend, answer.deadline_ms), ("new", Some(250)));
    assert_eq!(answer.reason, Some("named"));

    let twice = Request::get("/").header("x-user", "ann").header("x-user", "bob");
    assert_eq!(place.decide(&twice).backend, "old", "a repeated header is one joined value");

    let half = Percent::from_thousandths(50_000);
    let by_bucket = |bucket| place.decide(&Request::get("/").bucket(bucket).share(half)).backend;
    assert_eq!((by_bucket(49_999), by_bucket(50_000)), ("new", "old"));
    assert_eq!(place.decide(&Request::get("/").share(Percent::FULL)).backend, "old", "no key");
}

#[test]
fn edits_are_recorded_in_words() {
    let place = place();
    let request = Request::get("/").reply_header("location", "http://inside/");
    let words = |edits: Vec<cutover_plugin::testing::Edit>| {
        edits.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(words(place.on_request(&request, Backend::NEW)), "append x-served-by: 1");
    let reply = place.on_response(&request, Backend::NEW, 301);
    assert_eq!(words(reply), "remove x-served-by; set location: http://outside/");
    let reply = place.on_response(&request, Backend::NEW, 200);
    assert_eq!(words(reply), "remove x-served-by");
}

#[test]
fn failures_are_judged_by_what_is_seen() {
    let place = place();
    let failure = Failure {
        cause: Cause::Timeout,
        backend: Backend::NEW,
        attempt: 1,
        status: None,
        elapsed_ms: 2_000,
        left_ms: 10,
        idempotent: true,
        replayable: true,
        response_started: false,
    };
    let answer = |request: Request, failure: &Failure| place.on_failure(&request, failure);
    let first_page = Request::get("/x?page=1&page=2");
    assert_eq!(answer(first_page, &failure), Action::Retry(Backend::OLD), "the first of a name");
    let seven = Request::new(Method::Post, "/x").path_param("id", "7");
    assert_eq!(answer(seven, &failure), Action::Respond(504));
    let started = Failure { response_started: true, ..failure };
    assert_eq!(answer(Request::get("/x"), &started), Action::Propagate);
}

#[test]
fn replies_are_made_comparable_by_all_that_is_known_of_them() {
    let place = place();
    let request =
        |media| Request::get("/").path_param("id", "7").reply_header("content-type", media);
    let ask = |request: &Request, backend| place.make_comparable(request, (backend, 203), "{}");
    for media in ["application/json", "Text/JSON; charset=utf-8", "application/problem+json"] {
        assert_eq!(ask(&request(media), Backend::OLD), Comparable::Unchanged, "{media}");
    }
    for media in ["text/html", "", "json", "+jso"] {
        assert_eq!(ask(&request(media), Backend::OLD), Comparable::cannot("not JSON"), "{media}");
    }
    let json = request("application/json");
    assert_eq!(ask(&json, Backend::NEW), Comparable::body("203 Some(\"7\")"));
    let located = json.reply_header("location", "/a");
    assert_eq!(ask(&located, Backend::NEW), Comparable::body("{}/a"), "its own headers");
}

#[test]
fn percents_are_read_as_the_proxy_reads_them() {
    let read = |text: &str| text.parse::<Percent>().map(Percent::thousandths);
    for (text, thousandths) in [
        ("5%", 5_000),
        ("5", 5_000),
        (" 0.125 % ", 125),
        ("100%", 100_000),
        ("0", 0),
        ("1.5", 1_500),
    ] {
        assert_eq!(read(text), Ok(thousandths), "{text}");
    }
    for text in ["", "%", "101", "100.001", "5.", ".5", "1.2345", "-1", "1e2", "five", "9999999999"]
    {
        assert_eq!(read(text), Err(PercentError), "{text}");
    }
}
