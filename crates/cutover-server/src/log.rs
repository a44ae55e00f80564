//! What the process says about itself, on standard error.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Pingora and what it stands on speak up from warnings on; cutover from information on.
const DEFAULT: &str = "warn,cutover=info,cutover_server=info";

/// Starts logging; `--log-level` wins over `RUST_LOG`.
pub(crate) fn start(level: Option<&str>) -> Result<(), ParseError> {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where the environment is read")]
    let from_environment = std::env::var("RUST_LOG").ok();
    let filter = match level {
        // A bare level is about cutover, not about every library.
        Some(level) if level.parse::<tracing::Level>().is_ok() => {
            EnvFilter::try_new(format!("warn,cutover={level},cutover_server={level}"))?
        }
        Some(filter) => EnvFilter::try_new(filter)?,
        None => EnvFilter::new(from_environment.as_deref().unwrap_or(DEFAULT)),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    Ok(())
}
