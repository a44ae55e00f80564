//! The first story: who is served by whom. A split by percent and one by a plugin, a reload under traffic, and a service
//! that is killed.

use super::judge;
use super::proxy::Proxy;
use super::screen::{Claim, Screen};
use super::stage::Stage;
use super::stay::stay;
use super::tally::{Met, Tally, is_cohort, met};
use super::traffic::{Answered, Ask, Seen, StandIn, Traffic};
use crate::args::Demo;
use crate::paragraph::thousands;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The configuration, with places for addresses and the percent.
pub(super) const CONFIG: &str = include_str!("routing.toml.in");

/// Longest time the breaker may take to let the restarted service back in.
const RECOVERY_LIMIT: Duration = Duration::from_secs(60);
/// Requests of the act in which the new service is killed: more than its time can hold.
const MOST_REQUESTS: usize = 2_000_000;

/// Plays it.
pub(super) async fn play(
    screen: &Screen,
    args: &Demo,
    claims: &mut Vec<Claim>,
) -> anyhow::Result<()> {
    let mut stage = Stage::set(CONFIG).await?;
    stage.write_config("5%")?;
    let proxy = Proxy::start(&stage).await?;
    introduce(screen, &stage, &proxy, args);
    let traffic = Traffic::new(proxy.address(), args.users as usize);
    let first = split(screen, &traffic, claims).await;
    grow(screen, &stage, &proxy, &traffic, &first, claims).await?;
    by_plugin(screen, &proxy, &traffic, claims).await?;
    kill(screen, &mut stage, &proxy, &traffic, claims).await?;
    if args.keep {
        stay(screen, &stage, &proxy).await;
    }
    proxy.stop();
    stage.strike();
    Ok(())
}

fn introduce(screen: &Screen, stage: &Stage, proxy: &Proxy, args: &Demo) {
    let pid = |pid: Option<u32>| pid.map_or_else(String::new, |pid| format!("pid {pid}"));
    screen.title("Who is served by whom");
    screen.line("An old monolith, a new profile service, the proxy between them,");
    screen.line(&format!("and {} users.", thousands(u64::from(args.users))));
    screen.line("");
    screen.line(&format!("   old    {}   monolith, {}", stage.old.address(), pid(stage.old.pid())));
    screen.line(&format!(
        "   new    {}   profile service, {}",
        stage.new.address(),
        pid(stage.new.pid())
    ));
    screen.line(&format!("   proxy  {}   this process", proxy.address()));
    screen.line(&format!("   admin  http://{}", proxy.admin()));
    screen.line(&format!("   config {}", stage.config().display()));
    if cfg!(debug_assertions) {
        screen.line("");
        screen.line("   A development build: times are honest but not the fastest to be had.");
    }
}

/// Act 1: 5 % of the users, by their id.
async fn split(screen: &Screen, traffic: &Traffic, claims: &mut Vec<Claim>) -> Vec<Met> {
    screen.act(1, "5 % of the users read their profile from the new service");
    let seen = traffic.round(Ask::Profile, 3).await;
    let tally = Tally::of(&seen);
    screen.tally(&tally);
    let percent = tally.new.users as f64 * 100.0 / traffic.users() as f64;
    let near = is_cohort(tally.new.users, traffic.users(), 5.0);
    judge(screen, claims, near, format!("{percent:.1} % of the users are in the cohort of 5 %"));
    common_claims(screen, claims, &tally);
    met(&seen)
}

/// Act 2: half of the users. Nobody who was on `new` may go back.
async fn grow(
    screen: &Screen,
    stage: &Stage,
    proxy: &Proxy,
    traffic: &Traffic,
    before: &[Met],
    claims: &mut Vec<Claim>,
) -> anyhow::Result<()> {
    screen.act(2, "Grown to 50 % by a reload, with requests under way");
    stage.write_config("50%")?;
    let running = tokio::spawn({
        let traffic = traffic.clone();
        async move { traffic.round(Ask::Profile, 2).await }
    });
    let generation = proxy.reload("demo: grow to 50 %").await?;
    let during = running.await?;
    let failed = during.iter().filter(|s| s.answered == Answered::Failed).count();
    let seen = traffic.round(Ask::Profile, 3).await;
    let tally = Tally::of(&seen);
    screen.tally(&tally);
    let back = before.iter().zip(met(&seen)).filter(|(was, is)| was.new && is.old).count();
    judge(
        screen,
        claims,
        failed == 0,
        format!("generation {generation} took over: {failed} of {} requests failed", during.len()),
    );
    judge(screen, claims, back == 0, format!("{back} users went back from new to old"));
    common_claims(screen, claims, &tally);
    Ok(())
}

/// Act 3: a WebAssembly plugin decides by tenant.
async fn by_plugin(
    screen: &Screen,
    proxy: &Proxy,
    traffic: &Traffic,
    claims: &mut Vec<Claim>,
) -> anyhow::Result<()> {
    screen.act(3, "Orders are split by a WebAssembly plugin: tenant acme goes to new");
    let seen = traffic.round(Ask::Orders, 3).await;
    let tally = Tally::of(&seen);
    screen.tally(&tally);
    let wrong = seen
        .iter()
        .filter(|s| s.answered != Answered::Failed)
        .filter(|s| s.user.is_multiple_of(4) != (s.answered == Answered::New))
        .count();
    judge(screen, claims, wrong == 0, format!("{wrong} requests went to the wrong tenant's side"));
    common_claims(screen, claims, &tally);
    let cost = proxy.plugin_cost().await?;
    judge(
        screen,
        claims,
        cost.calls >= seen.len() as u64 && cost.faults == 0,
        format!(
            "the plugin was called {} times, {:.1} µs a call, {} faults",
            thousands(cost.calls),
            cost.mean.as_secs_f64() * 1e6,
            cost.faults
        ),
    );
    Ok(())
}

/// Act 4: the new service is killed under load, and comes back.
async fn kill(
    screen: &Screen,
    stage: &mut Stage,
    proxy: &Proxy,
    traffic: &Traffic,
    claims: &mut Vec<Claim>,
) -> anyhow::Result<()> {
    screen.act(4, "The new service is killed under load (SIGKILL), and started again");
    let stop = Arc::new(AtomicBool::new(false));
    let running = tokio::spawn({
        let (traffic, stop) = (traffic.clone(), Arc::clone(&stop));
        let stopped = move || stop.load(Ordering::Relaxed);
        async move { traffic.until(Ask::Profile, MOST_REQUESTS, stopped).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.new.kill().await?;
    screen.line("   ...   killed; its users are answered by the monolith");
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.new.restart().await?;
    screen.line("   ...   started again; a probe must succeed before it gets users back");
    let recovered = recovered(proxy, traffic).await?;
    stop.store(true, Ordering::Relaxed);
    let seen = running.await?;
    let tally = Tally::of(&seen);
    screen.tally(&tally);
    claim_survival(screen, claims, &seen, recovered);
    Ok(())
}

fn claim_survival(
    screen: &Screen,
    claims: &mut Vec<Claim>,
    seen: &[Seen],
    recovered: Option<Duration>,
) {
    let failed = seen.iter().filter(|s| s.answered == Answered::Failed).count();
    judge(
        screen,
        claims,
        failed == 0,
        format!("{failed} of {} requests failed", thousands(seen.len() as u64)),
    );
    let stood_in = |why| {
        seen.iter().filter(|s| s.answered == Answered::Old && s.stand_in == Some(why)).count()
    };
    let (attempts, breaker) = (stood_in(StandIn::Fallback), stood_in(StandIn::Breaker));
    judge(
        screen,
        claims,
        attempts > 0 && breaker > 0,
        format!(
            "{} fell back after a failed attempt, {} by the open breaker",
            thousands(attempts as u64),
            thousands(breaker as u64)
        ),
    );
    let text = recovered.map_or_else(
        || format!("new did not get its users back within {} s", RECOVERY_LIMIT.as_secs()),
        |after| {
            format!("new got its users back {:.1} s after it was there again", after.as_secs_f64())
        },
    );
    judge(screen, claims, recovered.is_some(), text);
}

/// Time until the breaker is closed and `new` answers one of its users again.
#[expect(clippy::disallowed_methods, reason = "the demo shows real time to a person")]
async fn recovered(proxy: &Proxy, traffic: &Traffic) -> anyhow::Result<Option<Duration>> {
    let began = std::time::Instant::now();
    while began.elapsed() < RECOVERY_LIMIT {
        if proxy.breaker_closed().await? {
            for user in 0..traffic.users() {
                if traffic.one(Ask::Profile, user).await.answered == Answered::New {
                    return Ok(Some(began.elapsed()));
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(None)
}

fn common_claims(screen: &Screen, claims: &mut Vec<Claim>, tally: &Tally) {
    judge(screen, claims, tally.moved == 0, format!("{} users changed sides", tally.moved));
    judge(screen, claims, tally.failed == 0, format!("{} requests failed", tally.failed));
}
