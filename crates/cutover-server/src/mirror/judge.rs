//! What becomes of a copy: it is sent, its reply is held against that of the side that serves, and a difference is asked
//! about once more.

use super::ask::{Answer, Question, ask};
use super::header::mark;
use super::{Client, Copy, Pools, Served, Whole};
use crate::upstream::Pool;
use bytes::Bytes;
use cutover::Side;
use cutover::mirror::{Doubt, Mirrored, Skipped};
use http::HeaderValue;
use http::header::{ACCEPT_ENCODING, EXPECT, HOST};
use pingora::http::RequestHeader;
use std::time::Duration;
use tokio::task::block_in_place;
use tokio::time::{sleep, timeout};

/// How long a copy's reply waits for that of the side that serves: its client may be slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// Times that both sides are asked again as long as one of them fails.
const ASK_AGAIN: u8 = 3;

/// One copy from beginning to end.
pub(super) async fn run(client: &Client, copy: Copy) {
    let Copy { mut mirrored, pools, header, body, served, span } = copy;
    let Answer { ended, header_after, reply } =
        put(client, &mirrored, (&pools.copied, &header, &body)).await;
    if let Some(after) = header_after {
        mirrored.header_came(after);
    }
    if let Some(span) = span {
        span.ended(&ended);
    }
    mirrored.ended(ended);
    let mut copied = match reply {
        Ok(copied) => copied,
        // From here on nobody keeps what the side that serves replies.
        Err(why) => return mirrored.skip(why),
    };
    let served = match timeout(PATIENCE, served).await {
        Ok(Ok(served)) => served,
        Ok(Err(_)) => Err(Skipped::NotWhole),
        Err(_) => Err(Skipped::Late),
    };
    let Served { request, mut reply, id } = match served {
        Ok(served) => served,
        Err(why) => return mirrored.skip(why),
    };
    reply.decode();
    copied.decode();
    let Ok(mut again) = Again::new(pools, *request, header, body) else {
        return mirrored.skip(Skipped::NoCopy);
    };
    noise(client, &mirrored, &again, (&reply, &copied)).await;
    let asks_plugin = mirrored.asks_plugin();
    let compare = || mirrored.compare(&reply.reply(), &copied.reply(), &id);
    let doubt = aside(client, asks_plugin, compare).await;
    drop((reply, copied));
    if let Some(doubt) = doubt {
        again.plainly();
        settle(client, doubt, &again).await;
    }
}

/// What both sides are asked once more.
struct Again {
    pools: Pools,
    /// As the side that serves was asked.
    served: RequestHeader,
    /// As the other side was.
    copied: RequestHeader,
    body: Bytes,
}

impl Again {
    fn new(
        pools: Pools,
        mut served: RequestHeader,
        copied: RequestHeader,
        body: Bytes,
    ) -> pingora::Result<Self> {
        // What came over HTTP/2 has its host in the target.
        if let Some(authority) = served.uri.authority().cloned() {
            served.insert_header(HOST, authority.as_str())?;
        }
        if let Some(target) = served.uri.path_and_query().cloned() {
            served.set_uri(target.into());
        }
        served.remove_header(&EXPECT);
        // What is asked again belongs to the copy's trace, not to the user's.
        crate::trace::follow(&mut served, &copied);
        mark(&mut served)?;
        Ok(Self { pools, served, copied, body })
    }

    /// Asks for bodies that can be read, whatever their usual encoding.
    fn plainly(&mut self) {
        for head in [&mut self.served, &mut self.copied] {
            if head.headers.contains_key(ACCEPT_ENCODING) {
                let identity = HeaderValue::from_static("identity");
                // Fails only at 32,768 headers; then the usual encoding comes.
                let _ = head.insert_header(ACCEPT_ENCODING, identity);
            }
        }
    }
}

/// Asks `old` once more, if it is to be compared with itself.
async fn noise(
    client: &Client,
    mirrored: &Mirrored,
    again: &Again,
    (served, copied): (&Whole, &Whole),
) {
    if !mirrored.wants_noise() {
        return;
    }
    let Some(_room) = client.again.noise() else { return mirrored.skip_noise() };
    let (pool, header, first) = match mirrored.side() {
        Side::New => (&again.pools.served, &again.served, served),
        Side::Old => (&again.pools.copied, &again.copied, copied),
    };
    if let Ok(mut second) = put(client, mirrored, (pool, header, &again.body)).await.reply {
        second.decode();
        let compare = || mirrored.noise(&first.reply(), &second.reply());
        aside(client, mirrored.asks_plugin(), compare).await;
    }
}

/// Asks both sides again, until both have answered.
async fn settle(client: &Client, mut doubt: Doubt, again: &Again) {
    for _ in 0..ASK_AGAIN {
        sleep(doubt.wait()).await;
        let room = client.again.doubt().await;
        let mirrored = doubt.mirrored();
        let served = put(client, mirrored, (&again.pools.served, &again.served, &again.body));
        let copied = put(client, mirrored, (&again.pools.copied, &again.copied, &again.body));
        let (served, copied) = tokio::join!(served, copied);
        drop(room);
        let (Ok(mut served), Ok(mut copied)) = (served.reply, copied.reply) else { continue };
        served.decode();
        copied.decode();
        let asks_plugin = doubt.mirrored().asks_plugin();
        let settle = || doubt.settle(&served.reply(), &copied.reply());
        if aside(client, asks_plugin, settle).await {
            return;
        }
    }
}

/// Compares. A plugin may take its time: meanwhile another thread does what this one would, or the time of every copy that
/// is under way would be measured too long. One plugin at a time, so that all of them take one core at most.
async fn aside<R>(client: &Client, asks_plugin: bool, compare: impl FnOnce() -> R) -> R {
    if !asks_plugin {
        return compare();
    }
    let _alone = client.plugin.lock().await;
    block_in_place(compare)
}

async fn put(
    client: &Client,
    mirrored: &Mirrored,
    (pool, header, body): (&Pool, &RequestHeader, &Bytes),
) -> Answer {
    let limits = mirrored.limits();
    ask(client, Question { pool, header, body, limits }, mirrored.hold()).await
}
