//! Reads `[server]` and `[state]`.

use crate::keys;
use crate::place::{At, Span};
use crate::reader::{Item, Reader, Size};
use crate::settings::{
    AccessLog, Listen, ListenTls, LogFormat, Network, ServerSettings, StateSettings,
};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// In the order of [`keys::server::LOG_FORMATS`](crate::keys).
const FORMATS: [LogFormat; 3] = [LogFormat::Json, LogFormat::Text, LogFormat::Off];

/// `[server]`, and where its listeners are named.
pub(super) fn read_server(root: &Reader<'_>) -> (ServerSettings, Span) {
    let read = root.table("server", &keys::SERVER, server);
    // Without the table every key has its default: they are those of an empty one.
    read.unwrap_or_else(|| {
        let (empty, sink) = (toml::de::DeTable::new(), crate::place::Sink::default());
        server(&Reader::root(&empty, &keys::SERVER, &sink))
    })
}

fn server(reader: &Reader<'_>) -> (ServerSettings, Span) {
    let tls = reader.table("tls", &keys::LISTEN_TLS, listen_tls);
    let (listen, span) = listeners(reader, tls.as_ref());
    let settings = ServerSettings {
        listen,
        threads: reader.get_or_default::<u64>("threads").value as usize,
        header_timeout: reader.get_or_default("header-timeout").value,
        idle_timeout: reader.get_or_default("idle-timeout").value,
        max_header_bytes: max_header_bytes(reader),
        max_headers: reader.get_or_default::<u64>("max-headers").value as usize,
        drain: reader.get_or_default("drain").value,
        debug_headers: reader.get_or_default("debug-headers").value,
        access_log: access_log(reader),
        trusted_proxies: trusted_proxies(reader),
    };
    (settings, span)
}

fn listeners(reader: &Reader<'_>, tls: Option<&ListenTls>) -> (Vec<Listen>, Span) {
    let Some(list) = reader.item("listen") else {
        let address = SocketAddr::from(([127, 0, 0, 1], 8080));
        return (vec![Listen { address, tls: tls.cloned() }], reader.span);
    };
    let mut all: Vec<Listen> = Vec::new();
    for item in list.items().into_iter().flatten() {
        let read = if item.is_table() {
            item.table(&keys::LISTEN, |reader| listener(reader, tls)).flatten()
        } else {
            item.get().map(|at| Listen { address: at.value, tls: tls.cloned() })
        };
        let Some(listen) = read else { continue };
        let again = all.iter().any(|known| known.address == listen.address);
        if again && listen.address.port() != 0 {
            item.error(format_args!("{} is listed twice", listen.address), "remove one");
        } else {
            all.push(listen);
        }
    }
    if list.value.as_array().is_some_and(|array| array.is_empty()) {
        list.error("must name at least one address", "write listen = [\"127.0.0.1:8080\"]");
    }
    (all, list.span)
}

fn listener(reader: &Reader<'_>, server_tls: Option<&ListenTls>) -> Option<Listen> {
    let address = reader.require("address");
    let tls = match reader.item("tls") {
        None => server_tls.cloned(),
        Some(item) if item.is_table() => item.table(&keys::LISTEN_TLS, listen_tls),
        Some(item) => {
            if item.get::<bool>().is_some_and(|at| at.value) && server_tls.is_none() {
                let help = "write tls = { cert = \"server.pem\", key = \"server.key\" } here or in \
                            [server]";
                item.error("there is no certificate to use", help);
            }
            server_tls.filter(|_| item.value.as_bool() == Some(true)).cloned()
        }
    };
    address.map(|address| Listen { address: address.value, tls })
}

fn listen_tls(reader: &Reader<'_>) -> ListenTls {
    let file = |name| {
        let text: Option<At<String>> = reader.require(name);
        PathBuf::from(text.map(|at| at.value).unwrap_or_default())
    };
    ListenTls { cert: file("cert"), key: file("key") }
}

fn max_header_bytes(reader: &Reader<'_>) -> usize {
    let size = reader.get_or_default::<Size>("max-header-bytes");
    // The upper bound is Pingora's own, which cannot be raised.
    if !(1 << 10..1 << 20).contains(&size.value.0) {
        let what = "must be between 1KiB and 1023KiB";
        reader.error("max-header-bytes", size.span, what, "write \"64KiB\"");
    }
    size.value.0 as usize
}

fn access_log(reader: &Reader<'_>) -> AccessLog {
    let Some(item) = reader.item("access-log") else {
        return AccessLog { format: LogFormat::Json, path: None };
    };
    if !item.is_table() {
        let format = item.choice(&FORMATS).unwrap_or_default();
        return AccessLog { format, path: None };
    }
    let read = item.table(&keys::ACCESS_LOG, |reader| AccessLog {
        format: reader.choice("format", &FORMATS),
        path: reader.get::<String>("path").map(|at| PathBuf::from(at.value)),
    });
    read.unwrap_or(AccessLog { format: LogFormat::Json, path: None })
}

fn trusted_proxies(reader: &Reader<'_>) -> Vec<Network> {
    let Some(list) = reader.item("trusted-proxies") else { return Vec::new() };
    list.items().into_iter().flatten().filter_map(|item| network(&item)).collect()
}

fn network(item: &Item<'_>) -> Option<Network> {
    let text: At<String> = item.get()?;
    let (address, bits) = text.split_once('/').map_or((&**text, None), |(a, b)| (a, Some(b)));
    let Ok(address) = address.parse::<IpAddr>() else {
        let what = format!("{:?} is not a network", text.value);
        item.error(what, "write \"10.0.0.0/8\", \"fd00::/8\" or one address");
        return None;
    };
    let most: u8 = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| *bits <= most));
    let Some(bits) = bits else {
        let what = format!("{:?} has no usable number of bits", text.value);
        item.error(what, format_args!("write a number from 0 to {most} after the slash"));
        return None;
    };
    Some(Network { address, bits })
}

pub(super) fn read_state(root: &Reader<'_>) -> At<StateSettings> {
    let absent = At { value: StateSettings { store: "cutover.state".to_owned() }, span: root.span };
    let read = root.table("state", &keys::STATE, |reader| {
        reader.get_or_default::<String>("store").map(|store| StateSettings { store })
    });
    read.unwrap_or(absent)
}
