//! What goes on beside requests: active checks and look-ups of names, for the newest generation only.

use super::health::keep_checking;
use super::resolve::{EVERY, EVERY_WHILE_EMPTY};
use super::{AddressBook, Pool};
use crate::plane::Plane;
use async_trait::async_trait;
use pingora::connectors::http::Connector;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Watches the backends of the newest generation. Run it as a background service, or call [`Watch::run`].
#[derive(Debug)]
pub struct Watch(Arc<Plane>);

impl Watch {
    /// For this plane.
    pub fn new(plane: Arc<Plane>) -> Self {
        Self(plane)
    }

    /// Runs until dropped.
    pub async fn run(&self) {
        // Made when first needed: it reads the system's certificate authorities.
        let mut connector = None;
        let mut changed = self.0.changes();
        loop {
            let mut tasks = JoinSet::new();
            if let Some(serving) = self.0.newest() {
                for pool in serving.backends().pools() {
                    start(&mut tasks, pool, &mut connector, self.0.book());
                }
            }
            // The tasks of the last generation end here, when their set is dropped.
            if changed.changed().await.is_err() {
                return;
            }
        }
    }
}

fn start(
    tasks: &mut JoinSet<()>,
    pool: &Arc<Pool>,
    connector: &mut Option<Arc<Connector>>,
    book: &Arc<AddressBook>,
) {
    if let Some(check) = &pool.health {
        let connector = connector.get_or_insert_with(|| Arc::new(Connector::new(None)));
        tasks.spawn(keep_checking(Arc::clone(pool), Arc::clone(connector), check.clone()));
    } else {
        pool.endpoints().iter().for_each(|endpoint| endpoint.address.is_not_checked());
    }
    if pool.has_names() {
        let (pool, book) = (Arc::clone(pool), Arc::clone(book));
        tasks.spawn(async move {
            loop {
                let empty = pool.endpoints().is_empty();
                tokio::time::sleep(if empty { EVERY_WHILE_EMPTY } else { EVERY }).await;
                pool.look_up(&book).await;
            }
        });
    }
}

#[async_trait]
impl BackgroundService for Watch {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        tokio::select! {
            () = self.run() => {}
            _ = shutdown.changed() => {}
        }
    }
}
