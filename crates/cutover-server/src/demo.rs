//! `cutover demo`: the main job, with real services, a real proxy, real faults.
//!
//! Two stories. The first shows who is served by whom, the second a whole migration of reads. What users meet is counted
//! at the clients, never in the proxy. Each act ends in claims, and the exit code says whether all of them held.

mod crowd;
mod migration;
mod operator;
mod proxy;
mod routing;
mod screen;
pub(crate) mod service;
mod stage;
mod stay;
mod tally;
mod traffic;
mod witness;

use crate::args::{Demo, DemoService, Story};
use crate::exit::{Exit, say};
use screen::{Claim, Screen};

/// `cutover demo`.
pub(crate) fn demo(args: &Demo) -> Exit {
    match in_runtime(play(args)) {
        Ok(true) => Exit::Done,
        Ok(false) => Exit::Failed,
        Err(error) => {
            say(format_args!("error: {error:#}"));
            Exit::Failed
        }
    }
}

/// `cutover demo-service`, which the demo starts for itself.
pub(crate) fn service(args: &DemoService) -> Exit {
    match in_runtime(service::serve(args.which, args.listen)) {
        Ok(()) => Exit::Done,
        Err(error) => {
            say(format_args!("error: {error:#}"));
            Exit::Failed
        }
    }
}

fn in_runtime<T>(story: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(story)
}

/// Plays the stories; `true` if every claim held.
async fn play(args: &Demo) -> anyhow::Result<bool> {
    let screen = Screen::stdout();
    let mut claims = Vec::new();
    for story in stories(args) {
        match story {
            Story::Routing => routing::play(&screen, args, &mut claims).await?,
            Story::Migration => migration::play(&screen, args, &mut claims).await?,
        }
    }
    let all_hold = summarise(&screen, &claims);
    if !args.keep {
        screen.line("Next: cutover demo --keep   (it stays up, so that you can ask it)");
    }
    Ok(all_hold)
}

/// What is told. The stage stands until Ctrl-C if it is kept, and nothing may come after that: whoever ends the one story
/// wants the end, and nobody would hear a second Ctrl-C.
fn stories(args: &Demo) -> &'static [Story] {
    match args.story {
        Some(Story::Routing) => &[Story::Routing],
        Some(Story::Migration) => &[Story::Migration],
        None if args.keep => &[Story::Routing],
        None => &[Story::Routing, Story::Migration],
    }
}

fn judge(screen: &Screen, claims: &mut Vec<Claim>, holds: bool, text: String) {
    let claim = Claim::new(holds, text);
    screen.check(&claim);
    claims.push(claim);
}

fn summarise(screen: &Screen, claims: &[Claim]) -> bool {
    let failed: Vec<&Claim> = claims.iter().filter(|claim| !claim.holds).collect();
    screen.line("");
    if failed.is_empty() {
        screen
            .line(&format!("All {} claims held. Users were counted at the clients.", claims.len()));
    } else {
        screen.line(&format!("{} of {} claims did not hold:", failed.len(), claims.len()));
        for claim in &failed {
            screen.check(claim);
        }
    }
    failed.is_empty()
}
