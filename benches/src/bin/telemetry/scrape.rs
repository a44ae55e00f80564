//! What a Prometheus does to the proxy, once a second.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Scrapes until it is dropped.
pub(crate) struct Scraper {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Scraper {
    pub(crate) fn start(admin: SocketAddr) -> Self {
        let (stop, stopped) = sync_channel(0);
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                // A scrape that fails is one that costs nothing, and shows as a ratio that is too good; it is no error.
                let _ = scrape(admin);
            }
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

fn scrape(admin: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(admin)?;
    let head = "GET /metrics HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes())?;
    let mut told = Vec::new();
    stream.read_to_end(&mut told)?;
    Ok(())
}

impl Drop for Scraper {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
