//! What the server adds to the engine's metrics, as a table; a page of the documentation is made of all of them.

use cutover::metrics::{Kind, Metric};

const fn metric(
    kind: Kind,
    name: &'static str,
    labels: &'static [&'static str],
    meaning: &'static str,
) -> Metric {
    Metric { name, kind, unit: None, labels, meaning }
}

pub(crate) const ADDRESS_CLEAN: Metric = metric(
    Kind::Gauge,
    "backend_address_clean",
    &["backend", "address"],
    "1 if nothing is held against the address: not ejected, no failed checks",
);
pub(crate) const ADDRESS_IN_FLIGHT: Metric = metric(
    Kind::Gauge,
    "backend_address_in_flight",
    &["backend", "address"],
    "Requests on their way to the address",
);
pub(crate) const OPEN_CONNECTIONS: Metric =
    metric(Kind::Gauge, "open_connections", &[], "Client connections that are open");
pub(crate) const HEADS_REFUSED: Metric = metric(
    Kind::Counter,
    "heads_refused",
    &["reason"],
    "HTTP/1 requests refused because of their raw bytes",
);
pub(crate) const LOOKALIKES_REMOVED: Metric = metric(
    Kind::Counter,
    "lookalike_headers_removed",
    &[],
    "Headers of clients, like x_user_id, that were removed because programs mistake them for others",
);
pub(crate) const LOG_DROPPED: Metric = metric(
    Kind::Counter,
    "access_log_dropped",
    &[],
    "Access log lines lost: queue full or file failing. Absent while the log is off",
);

pub(crate) const SPANS: Metric = metric(
    Kind::Counter,
    "trace_spans",
    &["outcome"],
    "Spans: exported, failed (the collector did not take them) or dropped (no room in the queue). Absent without [telemetry]",
);

/// All of them.
pub const TABLE: &[Metric] = &[
    ADDRESS_CLEAN,
    ADDRESS_IN_FLIGHT,
    OPEN_CONNECTIONS,
    HEADS_REFUSED,
    LOOKALIKES_REMOVED,
    LOG_DROPPED,
    SPANS,
];

#[cfg(test)]
mod tests;
