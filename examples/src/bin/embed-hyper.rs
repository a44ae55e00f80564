//! `cargo run -p cutover-examples --bin embed-hyper -- examples/configs/strangler.toml 127.0.0.1:8080`

use anyhow::Context as _;
use cutover_examples::{embed_hyper, setup};
use std::path::Path;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().context("name a configuration")?;
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let folder = Path::new(&file).parent().unwrap_or(Path::new("."));
    let engine = setup::engine(&std::fs::read_to_string(&file)?, folder)?;
    let listener = tokio::net::TcpListener::bind(listen).await?;
    Ok(embed_hyper::serve(listener, embed_hyper::Gateway::new(engine)).await?)
}
