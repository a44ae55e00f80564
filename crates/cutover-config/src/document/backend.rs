//! Reads `[backends.NAME]`.

use crate::keys;
use crate::place::At;
use crate::reader::{Item, Reader, is_number};
use cutover_core::Backend;
use cutover_core::backend::{BackendTls, Balance, HealthCheck, Protocol};

pub(super) fn read(name: &str, reader: &Reader<'_>) -> Backend {
    Backend {
        name: name.into(),
        addresses: addresses(reader),
        tls: tls(reader),
        protocol: reader.choice("protocol", &[Protocol::Http1, Protocol::Http2, Protocol::Auto]),
        host: host(reader),
        balance: reader.choice("balance", &[Balance::RoundRobin, Balance::LeastRequests]),
        connect_timeout: reader.get_or_default("connect-timeout").value,
        timeout: reader.get_or_default("timeout").value,
        health: reader.table("health", &keys::HEALTH, health),
    }
}

fn addresses(reader: &Reader<'_>) -> Box<[Box<str>]> {
    let Some(list) = reader.required("addresses") else { return Box::default() };
    let mut all: Vec<Box<str>> = Vec::new();
    for item in list.items().into_iter().flatten() {
        let Some(text) = item.get::<String>() else { continue };
        if let Some((what, help)) = address_error(&text) {
            item.error(what, help);
        } else if all.iter().any(|known| **known == *text.value) {
            item.error(format_args!("{} is listed twice", text.value), "remove one");
        } else {
            all.push(text.value.into());
        }
    }
    if list.value.as_array().is_some_and(|array| array.is_empty()) {
        list.error("must name at least one address", "write addresses = [\"127.0.0.1:9001\"]");
    }
    all.into()
}

/// What is wrong with the address of a backend, and how to mend it.
fn address_error(text: &str) -> Option<(String, String)> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let rest = rest.split('/').next().unwrap_or(rest);
        let port = if rest.contains(':') { "" } else { default_port(scheme) };
        let tls = if scheme == "https" { ", and tls = true beside it" } else { "" };
        let what = format!("{text:?} is a URL, not an address");
        return Some((what, format!("write \"{rest}{port}\"{tls}")));
    }
    if let Some((address, _)) = text.split_once('/') {
        let what = format!("{text:?} has a path");
        let help = format!("write \"{address}\"; a migration's path edits can add a prefix");
        return Some((what, help));
    }
    let bare_v6 = text.parse::<std::net::Ipv6Addr>().is_ok();
    let Some((host, port)) = text.rsplit_once(':').filter(|_| !bare_v6) else {
        let host = if bare_v6 { format!("[{text}]") } else { text.to_owned() };
        return Some((format!("{text:?} has no port"), format!("write \"{host}:80\"")));
    };
    if !is_number(port) || port.parse::<u16>().is_ok_and(|port| port == 0) {
        return Some((format!("{text:?} has no usable port"), format!("write \"{host}:80\"")));
    }
    if port.parse::<u16>().is_err() {
        let what = format!("port {port} is out of range");
        return Some((what, "a port lies between 1 and 65535".to_owned()));
    }
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fits = match inner {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host(host),
    };
    (!fits).then(|| {
        let help = "write \"name:port\", \"10.0.0.7:80\" or \"[fd00::7]:80\"";
        (format!("{host:?} is not the name of a host"), help.to_owned())
    })
}

fn default_port(scheme: &str) -> &'static str {
    if scheme == "https" { ":443" } else { ":80" }
}

fn is_host(host: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !host.is_empty() && host.len() <= 253 && host.bytes().all(fits)
}

fn tls(reader: &Reader<'_>) -> Option<BackendTls> {
    let plain = BackendTls { server_name: None, ca: None, verify: true };
    let item = reader.item("tls")?;
    if !item.is_table() {
        return item.get::<bool>().filter(|at| at.value).map(|_| plain);
    }
    item.table(&keys::BACKEND_TLS, |reader| {
        let text = |name| reader.get::<String>(name).map(|at| at.value.into_boxed_str());
        let verify = reader.get_or_default::<bool>("verify");
        if !verify.value {
            let what = "any certificate is accepted from this backend";
            let help = "for tests only; name its authority instead: ca = \"ca.pem\"";
            reader.warning("verify", verify.span, what, help);
        }
        BackendTls { server_name: text("server-name"), ca: text("ca"), verify: verify.value }
    })
}

fn host(reader: &Reader<'_>) -> Option<Box<str>> {
    let item = reader.item("host")?;
    let text: At<String> = item.get()?;
    let valid =
        http::uri::Authority::try_from(text.as_str()).is_ok_and(|a| !a.as_str().contains('@'));
    if !valid {
        item.error(format_args!("{:?} is not a host", text.value), "write \"legacy.example.com\"");
    }
    Some(text.value.into())
}

fn health(reader: &Reader<'_>) -> HealthCheck {
    let path = reader.required("path").map(|item| health_path(&item)).unwrap_or_default();
    HealthCheck {
        path,
        every: reader.get_or_default("every").value,
        timeout: reader.get_or_default("timeout").value,
        unhealthy_after: reader.get_or_default::<u64>("unhealthy-after").value as u32,
        healthy_after: reader.get_or_default::<u64>("healthy-after").value as u32,
    }
}

fn health_path(item: &Item<'_>) -> Box<str> {
    let Some(text) = item.get::<String>() else { return Box::default() };
    let is_path = http::uri::PathAndQuery::try_from(text.as_str()).is_ok();
    if !text.starts_with('/') || !is_path {
        item.error(format_args!("{:?} is not a path", text.value), "write path = \"/healthz\"");
    }
    text.value.into()
}
