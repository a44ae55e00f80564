//! A client that does not read.

use super::super::framing::Limits;
use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PATIENCE: Duration = Duration::from_millis(20);

fn streams() -> [(tokio::io::DuplexStream, GuardedStream); 2] {
    let settings = GuardSettings {
        limits: Limits::new(1024, 10),
        header_timeout: Duration::from_secs(60),
        idle_timeout: PATIENCE,
    };
    let pair = || tokio::io::duplex(16);
    let (watched, passed) = (pair(), pair());
    let deadline = Box::pin(tokio::time::sleep(settings.header_timeout));
    let guard = Guard::new(settings, None);
    [
        (
            watched.0,
            GuardedStream::watching(Box::new(watched.1), guard, settings, Vec::new(), deadline).0,
        ),
        (passed.0, GuardedStream::passing(Box::new(passed.1), PATIENCE, Vec::new())),
    ]
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut() {
    for (_client, mut stream) in streams() {
        let written = stream.write_all(&[b'x'; 64]);
        let written = tokio::time::timeout(Duration::from_secs(20), written).await;
        let error = written.expect("it does not wait for ever").expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_everything() {
    for (mut client, mut stream) in streams() {
        let writes = tokio::spawn(async move { stream.write_all(&[b'x'; 4096]).await });
        let mut received = 0;
        while received < 4096 {
            received += client.read(&mut [0; 16]).await.expect("unbroken");
            tokio::task::yield_now().await;
        }
        writes.await.expect("no panic").expect("written");
    }
}
