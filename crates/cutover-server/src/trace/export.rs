//! Spans on their way to a collector: a bounded queue, and one thread that empties it, in batches, by OTLP. Whoever ends
//! an exchange never waits: what finds the queue full is counted and lost, and so is what the collector does not take.

use cutover::config::{Collector, OtlpProtocol};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc as blocking;
use std::time::Duration;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep};

/// Requests whose spans may wait.
const QUEUE: usize = 2_048;
/// Spans that are sent at once.
const BATCH: usize = 512;
/// How long the first span of a batch waits for others.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks for them meanwhile: nobody is woken for each. The queue holds what comes in that time.
const LOOK: Duration = Duration::from_millis(50);
/// How long a collector has for a batch.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait of [`Export::flush`].
const FLUSH_AT_MOST: Duration = Duration::from_secs(2);
/// Between two lines in the log about a collector that does not take spans.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// What has become of spans since the process began.
#[derive(Debug, Default)]
pub struct SpanCounts {
    /// The collector took them.
    pub exported: AtomicU64,
    /// It did not.
    pub failed: AtomicU64,
    /// There was no room for them in the queue.
    pub dropped: AtomicU64,
}

impl SpanCounts {
    /// The values of the label `outcome`, and their counts.
    pub(crate) fn each(&self) -> [(&'static str, u64); 3] {
        [
            ("exported", self.exported.load(Relaxed)),
            ("failed", self.failed.load(Relaxed)),
            ("dropped", self.dropped.load(Relaxed)),
        ]
    }
}

/// The way to one collector. Its thread ends when it is dropped, after it has sent what it was given.
#[derive(Debug)]
pub(super) struct Export {
    queue: Sender<Message>,
    counts: Arc<SpanCounts>,
}

#[derive(Debug)]
enum Message {
    Spans(Vec<SpanData>),
    /// Answers when everything before it is sent or lost.
    Flush(blocking::SyncSender<()>),
}

impl Export {
    /// `None` if no thread can be had, or the collector's URL cannot be used after all; the log has it.
    pub(super) fn start(
        collector: &Collector,
        service_name: &str,
        counts: &Arc<SpanCounts>,
    ) -> Option<Self> {
        let (queue, waiting) = channel(QUEUE);
        let (collector, name) = (collector.clone(), service_name.to_owned());
        let theirs = Arc::clone(counts);
        let thread = std::thread::Builder::new().name("cutover-traces".to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let started = runtime.and_then(|runtime| {
            thread.spawn(move || runtime.block_on(run(&collector, &name, waiting, &theirs)))
        });
        match started {
            Ok(_) => Some(Self { queue, counts: Arc::clone(counts) }),
            Err(error) => {
                tracing::error!(%error, "no thread for traces: spans are not recorded");
                None
            }
        }
    }

    /// Queues the spans of one request.
    pub(super) fn send(&self, spans: Vec<SpanData>) {
        let count = spans.len() as u64;
        if self.queue.try_send(Message::Spans(spans)).is_err() {
            self.counts.dropped.fetch_add(count, Relaxed);
        }
    }

    /// Waits until everything queued is sent or lost, at most two seconds.
    pub(super) fn flush(&self) {
        let (done, wait) = blocking::sync_channel(1);
        if self.queue.try_send(Message::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(FLUSH_AT_MOST);
        }
    }
}

async fn run(
    collector: &Collector,
    service_name: &str,
    mut waiting: Receiver<Message>,
    counts: &SpanCounts,
) {
    let exporter = match exporter(collector, service_name) {
        Ok(exporter) => exporter,
        Err(error) => {
            tracing::error!(collector = collector.url, %error, "spans cannot be sent");
            return;
        }
    };
    let mut complaint = Complaint::default();
    while let Some((batch, flushed)) = next(&mut waiting).await {
        let count = batch.len() as u64;
        if count > 0 {
            match tokio::time::timeout(TIMEOUT, exporter.export(batch)).await {
                Ok(Ok(())) => drop(counts.exported.fetch_add(count, Relaxed)),
                Ok(Err(error)) => {
                    counts.failed.fetch_add(count, Relaxed);
                    complaint.about(&collector.url, &error);
                }
                Err(_) => {
                    counts.failed.fetch_add(count, Relaxed);
                    complaint.about(&collector.url, &"no answer in time");
                }
            }
        }
        for done in flushed {
            let _ = done.send(());
        }
    }
}

/// The next batch, and who waits for it; `None` when the queue is closed and empty.
async fn next(
    waiting: &mut Receiver<Message>,
) -> Option<(Vec<SpanData>, Vec<blocking::SyncSender<()>>)> {
    let (mut batch, mut flushed) = (Vec::new(), Vec::new());
    let mut message = waiting.recv().await?;
    let until = Instant::now() + PATIENCE;
    loop {
        match message {
            Message::Spans(spans) => batch.extend(spans),
            Message::Flush(done) => flushed.push(done),
        }
        if batch.len() >= BATCH || !flushed.is_empty() {
            break;
        }
        match another(waiting, until).await {
            Some(next) => message = next,
            None => break,
        }
    }
    Some((batch, flushed))
}

/// One more, if it comes in time.
async fn another(waiting: &mut Receiver<Message>, until: Instant) -> Option<Message> {
    loop {
        match waiting.try_recv() {
            Ok(message) => return Some(message),
            Err(TryRecvError::Empty) if Instant::now() < until => sleep(LOOK).await,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return None,
        }
    }
}

/// Must be called inside the runtime that sends.
fn exporter(collector: &Collector, service_name: &str) -> Result<SpanExporter, ExporterBuildError> {
    let url = collector.url.trim_end_matches('/');
    let builder = SpanExporter::builder();
    let mut exporter = match collector.protocol {
        OtlpProtocol::Grpc => {
            builder.with_tonic().with_endpoint(url).with_timeout(TIMEOUT).build()?
        }
        OtlpProtocol::Http => {
            let has_path = url.trim_start_matches("http://").contains('/');
            let path = if has_path { "" } else { "/v1/traces" };
            let http = builder.with_http().with_protocol(Protocol::HttpBinary);
            http.with_endpoint(format!("{url}{path}")).with_timeout(TIMEOUT).build()?
        }
    };
    let resource = Resource::builder_empty().with_service_name(service_name.to_owned());
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    exporter.set_resource(&resource.with_attribute(version).build());
    Ok(exporter)
}

/// Says that spans are lost, but not for every batch.
#[derive(Debug, Default)]
struct Complaint(Option<Instant>);

impl Complaint {
    fn about(&mut self, collector: &str, error: &dyn std::fmt::Display) {
        let now = Instant::now();
        if self.0.is_none_or(|last| now - last >= COMPLAIN_EVERY) {
            self.0 = Some(now);
            tracing::warn!(collector, %error, "the collector does not take spans; they are lost");
        }
    }
}
