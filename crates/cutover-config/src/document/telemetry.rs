//! Reads `[telemetry]`.

use crate::keys;
use crate::place::At;
use crate::reader::{Item, Reader};
use crate::settings::{Collector, OtlpProtocol, TelemetrySettings};

/// In the order of the vocabulary.
const PROTOCOLS: [OtlpProtocol; 2] = [OtlpProtocol::Grpc, OtlpProtocol::Http];

pub(super) fn read(root: &Reader<'_>) -> Option<TelemetrySettings> {
    root.table("telemetry", &keys::TELEMETRY, |reader| {
        let protocol = reader.choice("protocol", &PROTOCOLS);
        let url = reader.item("traces").and_then(|item| collector(&item));
        TelemetrySettings {
            collector: url.map(|url| Collector { url, protocol }),
            sample: reader.get_or_default("sample-percent").value,
            service_name: reader.get_or_default("service-name").value,
            baggage: reader.get_or_default("baggage").value,
        }
    })
}

/// A URL that spans can be sent to: a scheme, a host, and no credentials, which would end up in logs.
fn collector(item: &Item<'_>) -> Option<String> {
    let text: At<String> = item.get()?;
    let example = "write traces = \"http://127.0.0.1:4317\"";
    if text.starts_with("https://") {
        let help = "run an OpenTelemetry collector beside the proxy, name it here by http://, and \
                    let it send on over TLS";
        item.error("spans are not sent over TLS", help);
        return None;
    }
    let rest = text.strip_prefix("http://");
    let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    match authority {
        Some(authority) if authority.contains('@') => {
            item.error("must not hold a user or a password", example);
            None
        }
        Some(authority) if is_authority(authority) && text.is_ascii() => Some(text.value),
        Some(_) | None => {
            item.error(format_args!("{:?} is not a URL of a collector", text.value), example);
            None
        }
    }
}

/// `host` or `host:port`.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let named = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control());
    named && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
}
