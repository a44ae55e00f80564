//! A document back to text: every value in force, defaults too, in the order of the reference. Never a secret.

mod course;
mod hide;
mod identity;
mod mirror;

pub(crate) use identity::identity;

use crate::document::{
    BackendDocument, Document, HookNames, MigrationDocument, PluginDocument, RouteMatch,
    SecretSource,
};
use crate::plan::MigrationPlan;
use crate::settings::{
    Isolation, Listen, ListenTls, LogFormat, OtlpProtocol, ServerSettings, TelemetrySettings,
};
use crate::units::{print_duration, print_size};
use cutover_core::backend::{Backend, BackendTls, Balance, HealthCheck, Protocol};
use cutover_core::decide::OnError;
use cutover_core::edit::{Edits, HeaderEdits, PathEdit};
use cutover_core::fallback::{Cause, FallbackPolicy};
use cutover_core::key::KeySource;
use cutover_core::route::Predicate;
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use std::time::Duration;

/// A value on its way to the text. A table keeps the order in which it was filled.
enum Printed {
    Text(String),
    Flag(bool),
    Count(u64),
    Whole(i64),
    Number(f64),
    Date(toml::value::Datetime),
    List(Vec<Self>),
    Table(Table),
}

/// The entries of a table.
#[derive(Default)]
struct Table(Vec<(String, Printed)>);

impl Serialize for Printed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Date(date) => date.serialize(serializer),
            Self::List(list) => {
                let mut sequence = serializer.serialize_seq(Some(list.len()))?;
                list.iter().try_for_each(|item| sequence.serialize_element(item))?;
                sequence.end()
            }
            Self::Table(table) => table.serialize(serializer),
        }
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}

impl From<&str> for Printed {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Duration> for Printed {
    fn from(duration: Duration) -> Self {
        Self::Text(print_duration(duration))
    }
}

impl From<Table> for Printed {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl Table {
    fn put(&mut self, name: &str, value: impl Into<Printed>) {
        self.0.push((name.to_owned(), value.into()));
    }

    fn put_some(&mut self, name: &str, value: Option<impl Into<Printed>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// Leaves out a table without entries.
    fn put_filled(&mut self, name: &str, table: Self) {
        if !table.0.is_empty() {
            self.put(name, table);
        }
    }

    /// Leaves out an empty list.
    fn put_list<T: Into<Printed>>(&mut self, name: &str, items: impl IntoIterator<Item = T>) {
        let list: Vec<Printed> = items.into_iter().map(Into::into).collect();
        if !list.is_empty() {
            self.put(name, Printed::List(list));
        }
    }
}

/// The effective configuration as TOML; loading it gives an equal document.
pub(crate) fn print(document: &Document) -> String {
    text(&root(document))
}

/// The same for screens: without values whose names say that they are credentials.
pub(crate) fn print_for_screens(document: &Document) -> String {
    let mut root = root(document);
    hide::hide(&mut root);
    text(&root)
}

fn text(root: &Table) -> String {
    toml::to_string(root).expect("texts, numbers, lists and tables always make TOML")
}

fn root(document: &Document) -> Table {
    let mut root = Table::default();
    root.put("server", server(&document.server));
    let mut admin = Table::default();
    let address = document.admin.listen.map(|address| address.to_string());
    admin.put("listen", address.as_deref().unwrap_or("off"));
    admin.put_list(
        "tokens",
        document.admin.tokens.iter().map(|token| {
            let mut table = Table::default();
            table.put("name", token.name.as_str());
            table.put("role", token.role.name());
            table.put("hash", &*token.hash.to_string());
            table
        }),
    );
    root.put("admin", admin);
    let mut state = Table::default();
    state.put("store", document.state.store.as_str());
    root.put("state", state);
    if let Some(settings) = &document.telemetry {
        root.put("telemetry", telemetry(settings));
    }
    root.put_filled(
        "backends",
        named(&document.backends, |BackendDocument { name, backend: b }| {
            (name.as_str(), backend(b))
        }),
    );
    root.put_list(
        "routes",
        document.routes.iter().map(|route| {
            let mut table = matching(&route.matching);
            table.put("backend", route.backend.as_str());
            table.put_filled("edits", edits(&route.edits));
            table
        }),
    );
    root.put_filled("migrations", named(&document.migrations, |m| (m.name.as_str(), migration(m))));
    root.put_filled("plugins", named(&document.plugins, |p| (p.name.as_str(), plugin(p))));
    root
}

fn named<T>(all: &[T], print: impl Fn(&T) -> (&str, Table)) -> Table {
    let entries = all.iter().map(|entry| {
        let (name, table) = print(entry);
        (name.to_owned(), Printed::Table(table))
    });
    Table(entries.collect())
}

fn server(server: &ServerSettings) -> Table {
    let mut table = Table::default();
    // Each listener says all about itself, so that `tls` of the server need not be told apart.
    table.put_list("listen", server.listen.iter().map(listen));
    table.put("threads", Printed::Count(server.threads as u64));
    table.put("header-timeout", server.header_timeout);
    table.put("idle-timeout", server.idle_timeout);
    table.put("max-header-bytes", &*print_size(server.max_header_bytes as u64));
    table.put("max-headers", Printed::Count(server.max_headers as u64));
    table.put("drain", server.drain);
    table.put("debug-headers", Printed::Flag(server.debug_headers));
    let format = match server.access_log.format {
        LogFormat::Json => "json",
        LogFormat::Text => "text",
        LogFormat::Off => "off",
    };
    let mut log = Table::default();
    log.put("format", format);
    let path = server.access_log.path.as_ref().map(|path| path.to_string_lossy().into_owned());
    log.put_some("path", path.as_deref());
    table.put("access-log", log);
    let networks = server.trusted_proxies.iter();
    let networks = networks.map(|n| Printed::Text(format!("{}/{}", n.address, n.bits)));
    table.put_list("trusted-proxies", networks);
    table
}

fn telemetry(settings: &TelemetrySettings) -> Table {
    let mut table = Table::default();
    let collector = settings.collector.as_ref();
    table.put_some("traces", collector.map(|collector| collector.url.as_str()));
    table.put_some(
        "protocol",
        collector.map(|collector| match collector.protocol {
            OtlpProtocol::Grpc => "grpc",
            OtlpProtocol::Http => "http",
        }),
    );
    table.put("sample-percent", &*settings.sample.to_string());
    table.put("service-name", settings.service_name.as_str());
    table.put("baggage", Printed::Flag(settings.baggage));
    table
}

fn listen(listen: &Listen) -> Printed {
    let address = listen.address.to_string();
    let Some(ListenTls { cert, key }) = &listen.tls else { return Printed::Text(address) };
    let mut tls = Table::default();
    tls.put("cert", &*cert.to_string_lossy());
    tls.put("key", &*key.to_string_lossy());
    let mut table = Table::default();
    table.put("address", address.as_str());
    table.put("tls", tls);
    table.into()
}

fn backend(backend: &Backend) -> Table {
    let mut table = Table::default();
    table.put_list("addresses", backend.addresses.iter().map(|address| &**address));
    table.put_some("tls", backend.tls.as_ref().map(backend_tls));
    table.put(
        "protocol",
        match backend.protocol {
            Protocol::Http1 => "http1",
            Protocol::Http2 => "http2",
            Protocol::Auto => "auto",
        },
    );
    table.put_some("host", backend.host.as_deref());
    table.put(
        "balance",
        match backend.balance {
            Balance::RoundRobin => "round-robin",
            Balance::LeastRequests => "least-requests",
        },
    );
    table.put("connect-timeout", backend.connect_timeout);
    table.put("timeout", backend.timeout);
    table.put_some("health", backend.health.as_ref().map(health));
    table
}

fn backend_tls(tls: &BackendTls) -> Table {
    let mut table = Table::default();
    table.put_some("server-name", tls.server_name.as_deref());
    table.put_some("ca", tls.ca.as_deref());
    table.put("verify", Printed::Flag(tls.verify));
    table
}

fn health(health: &HealthCheck) -> Table {
    let mut table = Table::default();
    table.put("path", &*health.path);
    table.put("every", health.every);
    table.put("timeout", health.timeout);
    table.put("unhealthy-after", Printed::Count(health.unhealthy_after.into()));
    table.put("healthy-after", Printed::Count(health.healthy_after.into()));
    table
}

fn matching(route: &RouteMatch) -> Table {
    let mut table = Table::default();
    table.put("path", &*route.spec.path);
    table.put_some("host", route.spec.host.as_deref());
    table.put_list("methods", route.spec.methods.iter().map(http::Method::as_str));
    let headers = route.spec.headers.iter().map(|(name, is)| (name.as_str(), is));
    table.put_filled("headers", predicates(headers));
    table.put_filled("query", predicates(route.spec.query.iter().map(|(name, is)| (&**name, is))));
    table
}

fn predicates<'d>(all: impl Iterator<Item = (&'d str, &'d Predicate)>) -> Table {
    let printed = |predicate: &Predicate| match predicate {
        Predicate::Present => Printed::Flag(true),
        Predicate::Is(value) => Printed::Text(value.to_string()),
    };
    Table(all.map(|(name, predicate)| (name.to_owned(), printed(predicate))).collect())
}

fn edits(edits: &Edits) -> Table {
    let mut table = Table::default();
    put_edits(&mut table, edits);
    table
}

fn put_edits(table: &mut Table, edits: &Edits) {
    let mut headers = Table::default();
    headers.put_filled("request", header_edits(&edits.request));
    headers.put_filled("response", header_edits(&edits.response));
    table.put_filled("headers", headers);
    let PathEdit { strip_prefix, add_prefix } = &edits.path;
    let mut path = Table::default();
    path.put_some("strip-prefix", strip_prefix.as_deref());
    path.put_some("add-prefix", add_prefix.as_deref());
    table.put_filled("path", path);
}

fn header_edits(edits: &HeaderEdits) -> Table {
    let values = |all: &[(HeaderName, HeaderValue)]| {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let entries =
            all.iter().map(|(name, value)| (name.to_string(), Printed::Text(text(value))));
        Table(entries.collect())
    };
    let mut table = Table::default();
    table.put_filled("set", values(&edits.set));
    table.put_filled("append", values(&edits.append));
    table.put_list("remove", edits.remove.iter().map(HeaderName::as_str));
    table
}

fn migration(migration: &MigrationDocument) -> Table {
    let mut table = Table::default();
    table.put("old", migration.old.as_str());
    table.put("new", migration.new.as_str());
    put_plan(&mut table, &migration.plan);
    table.put_list("key", migration.key.iter().map(|source| key_source(source)));
    table.put_list("allow", migration.allow.iter().map(|user| user.as_str()));
    table.put_list("deny", migration.deny.iter().map(|user| user.as_str()));
    if let Some(qa) = &migration.qa {
        table.put("qa-header", qa.header.as_str());
        let mut secret = Table::default();
        match &qa.secret.value {
            SecretSource::Variable(name) => secret.put("env", name.as_str()),
            SecretSource::File(path) => secret.put("file", path.as_str()),
        }
        table.put("qa-secret", secret);
    }
    table.put("disabled", Printed::Flag(migration.disabled));
    table.put_some("salt", migration.salt.as_ref().map(|salt| salt.as_str()));
    table.put("bucketing", migration.bucketing.name());
    let percent = migration.read_percent.map(|at| Printed::Text(at.to_string()));
    table.put_some("read-percent", percent);
    table.put_list(
        "routes",
        migration.routes.iter().map(|route| {
            let mut table = matching(&route.matching);
            table.put("write", Printed::Flag(route.write));
            table.put_some("mirror", route.mirror.map(Printed::Flag));
            table.put("critical", Printed::Flag(route.critical));
            table
        }),
    );
    table.put("fallback", fallback(&migration.fallback));
    put_edits(&mut table, &migration.edits);
    table.put_filled("plugins", hooks(&migration.plugins));
    course::put(&mut table, &migration.plan);
    mirror::put(&mut table, &migration.plan);
    table
}

fn key_source(source: &KeySource) -> Table {
    let mut table = Table::default();
    match source {
        KeySource::Header(name) => table.put("header", name.as_str()),
        KeySource::Cookie(name) => table.put("cookie", &**name),
        KeySource::Query(name) => table.put("query", &**name),
        KeySource::Path(name) => table.put("path", &**name),
    }
    table
}

fn fallback(policy: &FallbackPolicy) -> Table {
    let causes = [Cause::Connect, Cause::Reset, Cause::Timeout, Cause::Status];
    let on = causes.into_iter().filter(|cause| policy.on.contains(*cause));
    let mut table = Table::default();
    table.put("on", Printed::List(on.map(|cause| cause.name().into()).collect()));
    table.put("deadline", policy.deadline);
    table.put("budget", &*policy.budget.to_string());
    table
}

fn hooks(names: &HookNames) -> Table {
    let entries = names.given().map(|(hook, name)| (hook.to_owned(), name.as_str().into()));
    Table(entries.collect())
}

fn put_plan(table: &mut Table, plan: &MigrationPlan) {
    table.put("owner", plan.owner.as_str());
    let date = plan.expires.to_string().parse().expect("a day is a date of TOML");
    table.put("expires", Printed::Date(date));
    table.put_some("group", plan.group.as_deref());
    table.put("data", plan.course.data.name());
}

fn plugin(plugin: &PluginDocument) -> Table {
    let mut table = Table::default();
    table.put("component", plugin.component.as_str());
    let config = plugin.config.iter().map(|(name, value)| (name.clone(), json(value)));
    table.put_filled("config", Table(config.collect()));
    table.put(
        "on-error",
        match plugin.on_error {
            OnError::Old => "old",
            OnError::Reject => "reject",
            OnError::Percent => "percent",
        },
    );
    table.put("deadline", plugin.deadline);
    table.put("normalise-deadline", plugin.normalise_deadline);
    table.put("memory", &*print_size(plugin.memory));
    table.put(
        "isolation",
        match plugin.isolation {
            Isolation::Worker => "worker",
            Isolation::Request => "request",
        },
    );
    table
}

/// TOML has no null, and a plugin's configuration came from TOML.
fn json(value: &serde_json::Value) -> Printed {
    use serde_json::Value;
    match value {
        Value::Null => Printed::Text(String::new()),
        Value::Bool(flag) => Printed::Flag(*flag),
        Value::String(text) => Printed::Text(text.clone()),
        Value::Array(items) => Printed::List(items.iter().map(json).collect()),
        Value::Object(entries) => {
            Printed::Table(Table(entries.iter().map(|(k, v)| (k.clone(), json(v))).collect()))
        }
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Printed::Whole(whole),
            None => Printed::Number(number.as_f64().unwrap_or_default()),
        },
    }
}
