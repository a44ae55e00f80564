//! Keys of `[telemetry]`.

use super::Presence::{Default, Optional};
use super::{Key, Kind, Section};

/// Spellings of `OtlpProtocol`.
pub(crate) const PROTOCOLS: &[&str] = &["grpc", "http"];

pub(crate) static TELEMETRY: Section = Section {
    meaning: "Distributed tracing. With this table every request belongs to a trace: the caller's, or \
              one that is started. A reload changes it.",
    keys: &[
        Key {
            name: "traces",
            kind: Kind::Text,
            presence: Optional("no span is recorded; traces are still passed on and started"),
            meaning: "The collector that takes spans by OTLP, `http://host:4317`, or `:4318` with \
                      `protocol = \"http\"`. Not over TLS: run a collector beside the proxy.",
        },
        Key {
            name: "protocol",
            kind: Kind::Word(PROTOCOLS),
            presence: Default("grpc"),
            meaning: "`grpc`, or `http`: Protocol Buffers by POST to `/v1/traces`, unless the URL of \
                      `traces` has a path.",
        },
        Key {
            name: "sample-percent",
            kind: Kind::Percent,
            presence: Default("1"),
            meaning: "Share of the requests that are recorded. What a trusted proxy has decided \
                      about a trace stands, whatever this says.",
        },
        Key {
            name: "service-name",
            kind: Kind::Text,
            presence: Default("cutover"),
            meaning: "`service.name` of the spans.",
        },
        Key {
            name: "baggage",
            kind: Kind::Flag,
            presence: Default("false"),
            meaning: "Requests to backends carry the decision as W3C baggage: \
                      `cutover.migration`, `cutover.side`, `cutover.cohort`.",
        },
    ],
    elsewhere: &[("endpoint", "it is called traces"), ("sample", "it is called sample-percent")],
};
