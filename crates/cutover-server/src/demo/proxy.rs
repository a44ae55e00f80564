//! The proxy of the demo, started in this process, and asked over its own admin API as a person would ask it.

use super::stage::Stage;
use anyhow::{Context as _, ensure};
use cutover::Conductor;
use cutover::mirror::Shadow;
use cutover_server::server::{Options, Running, Server};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The running proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    admin: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    running: Running,
}

/// What a plugin has cost so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PluginCost {
    /// Calls.
    pub(crate) calls: u64,
    /// Mean time of a call.
    pub(crate) mean: Duration,
    /// Calls that failed.
    pub(crate) faults: u64,
}

impl Proxy {
    /// Starts it on ports of the kernel's choice.
    ///
    /// # Errors
    /// If the configuration cannot be used.
    pub(crate) async fn start(stage: &Stage) -> anyhow::Result<Self> {
        let options = Options::new(stage.config());
        // Compiling a plugin would hold up everything else here.
        let running = tokio::task::spawn_blocking(move || Server::start(&options)).await??;
        let address = *running.data_addresses().first().context("demo: no listener")?;
        let admin = running.admin_address().context("demo: no admin listener")?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { address, admin, client, running })
    }

    /// Where users reach it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its admin API is.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// What moves its migrations.
    pub(crate) fn conductor(&self) -> Arc<Conductor> {
        Arc::clone(self.running.conductor())
    }

    /// What is known of a migration's mirror.
    pub(crate) fn shadow(&self, migration: &str) -> Option<Arc<Shadow>> {
        self.running.engine().current().shadow_of(migration).cloned()
    }

    /// Stops it.
    pub(crate) fn stop(self) {
        self.running.stop();
    }

    /// Makes it read its configuration again; the generation in force afterwards.
    ///
    /// # Errors
    /// If it refuses.
    pub(crate) async fn reload(&self, reason: &str) -> anyhow::Result<u64> {
        let body = serde_json::json!({ "reason": reason }).to_string();
        let text = self.ask(Method::POST, "/admin/v1/config:reload", Some(body)).await?;
        let answer: serde_json::Value = serde_json::from_str(&text)?;
        answer["generation"].as_u64().context("demo: the reload names no generation")
    }

    /// The sum of a metric's series whose line contains all of `labels`; 0 if there is none.
    async fn metric(&self, name: &str, labels: &[&str]) -> anyhow::Result<f64> {
        let text = self.ask(Method::GET, "/metrics", None).await?;
        Ok(sum(&text, name, labels))
    }

    /// Cost of the plugin of the demo.
    ///
    /// # Errors
    /// If the admin API does not answer.
    pub(crate) async fn plugin_cost(&self) -> anyhow::Result<PluginCost> {
        let plugin = ["plugin=\"tenant-split\""];
        let calls = self.metric("cutover_plugin_calls_total", &plugin).await?;
        let seconds = self.metric("cutover_plugin_call_duration_seconds_sum", &plugin).await?;
        let timed = self.metric("cutover_plugin_call_duration_seconds_count", &plugin).await?;
        let faults = self.metric("cutover_plugin_faults_total", &plugin).await?;
        Ok(PluginCost {
            calls: calls as u64,
            mean: Duration::from_secs_f64(seconds / timed.max(1.0)),
            faults: faults as u64,
        })
    }

    /// Is the breaker of the profile migration closed?
    ///
    /// # Errors
    /// If the admin API does not answer.
    pub(crate) async fn breaker_closed(&self) -> anyhow::Result<bool> {
        Ok(self.metric("cutover_breaker_state", &["migration=\"profile\""]).await? == 0.0)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> anyhow::Result<String> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.admin))
            .header("content-type", "application/json")
            .body(Full::from(body.unwrap_or_default()))?;
        let response = self.client.request(request).await.context("demo: admin API")?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        ensure!(status.is_success(), "demo: {path} answered {status}: {text}");
        Ok(text)
    }
}

/// Adds up the samples of one metric in OpenMetrics text.
fn sum(text: &str, name: &str, labels: &[&str]) -> f64 {
    text.lines()
        .filter_map(|line| line.strip_prefix(name))
        .filter(|rest| rest.starts_with(['{', ' ']))
        .filter(|rest| labels.iter().all(|label| rest.contains(label)))
        .filter_map(|rest| rest.rsplit('}').next()?.split_whitespace().next()?.parse::<f64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn samples_are_chosen_by_whole_name_and_labels() {
        let text = "# TYPE a counter\na_total{x=\"1\",y=\"2\"} 3\na_total{x=\"2\",y=\"2\"} 4\n\
                    a_total_more{x=\"1\"} 50\nb 7.5\n# EOF\n";
        assert_eq!(sum(text, "a_total", &["y=\"2\""]), 7.0);
        assert_eq!(sum(text, "a_total", &["x=\"1\""]), 3.0);
        assert_eq!(sum(text, "b", &[]), 7.5);
        assert_eq!(sum(text, "c", &[]), 0.0);
    }
}
