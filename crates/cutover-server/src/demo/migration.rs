//! The second story: a whole migration of reads, with a bug that comparing finds and a fault that takes reads back.

use super::crowd::{Crowd, strayed};
use super::judge;
use super::operator::Operator;
use super::proxy::Proxy;
use super::screen::{Claim, Screen};
use super::stage::Stage;
use super::stay::stay;
use super::traffic::{Answered, Traffic};
use crate::args::Demo;
use crate::paragraph::thousands;
use cutover::core::evidence::{Gate, Verdict};
use cutover::core::migration::{Command, Goal, Position};
use cutover::core::{Percent, Phase};
use cutover::{Clock as _, Done, SystemClock};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The configuration, with places for addresses.
const CONFIG: &str = include_str!("migration.toml.in");

/// A rollback is in force within this time.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(1);

/// A service that became slow is left within this time.
const LEFT_LIMIT: Duration = Duration::from_secs(30);

/// Everybody and everything.
struct Play<'s> {
    screen: &'s Screen,
    claims: &'s mut Vec<Claim>,
    stage: Stage,
    proxy: Proxy,
    ana: Operator,
    ben: Operator,
    /// When sides could change: Unix time in milliseconds.
    transitions: Arc<Mutex<Vec<RangeInclusive<u64>>>>,
}

/// Plays it.
pub(super) async fn play(
    screen: &Screen,
    args: &Demo,
    claims: &mut Vec<Claim>,
) -> anyhow::Result<()> {
    let stage = Stage::set(CONFIG).await?;
    stage.write_config("")?;
    stage.new.fault("dates").await?;
    let proxy = Proxy::start(&stage).await?;
    let traffic = Traffic::new(proxy.address(), args.users as usize);
    let crowd = Crowd::start(&traffic);
    let (ana, ben) = (Operator::on_call(&proxy, "ana"), Operator::approver(&proxy, "ben"));
    let transitions = noted(&proxy);
    let mut play = Play { screen, claims, stage, proxy, ana, ben, transitions };
    play.introduce()?;
    play.shadow().await?;
    play.mended().await?;
    play.canary().await?;
    play.slow().await?;
    play.again().await?;
    play.account(crowd).await?;
    let Play { stage, proxy, .. } = play;
    if args.keep {
        stay(screen, &stage, &proxy).await;
    }
    proxy.stop();
    stage.strike();
    Ok(())
}

/// Notes every transition as it comes into force.
fn noted(proxy: &Proxy) -> Arc<Mutex<Vec<RangeInclusive<u64>>>> {
    let transitions = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&transitions);
    proxy.conductor().listen(move |happened| {
        let lasted = happened.entry.at.millis()..=SystemClock.unix_ms();
        notes.lock().unwrap_or_else(PoisonError::into_inner).push(lasted);
    });
    transitions
}

impl Play<'_> {
    fn introduce(&self) -> anyhow::Result<()> {
        let screen = self.screen;
        screen.title("A migration of reads, from nothing to everybody");
        let course = self.ana.look()?.course;
        screen.line("Users ask all the time. ana is on call, ben approves. The store is embedded.");
        screen.line("The limits and times are those of a demo, in its configuration:");
        let steps = course.steps.all().iter().map(|step| step.percent.to_string());
        screen.line(&format!("   steps     {}", steps.collect::<Vec<_>>().join(", ")));
        let gates = CONFIG.lines().skip_while(|line| !line.contains(".gates]")).skip(1);
        let gates = gates.take_while(|line| line.contains(" = "));
        screen.line(&format!("   gates     {}", gates.collect::<Vec<_>>().join(", ")));
        screen.line(&format!("   admin     http://{}", self.proxy.admin()));
        screen.line(&format!("   config    {}", self.stage.config().display()));
        Ok(())
    }

    /// Reads are mirrored, and a difference blocks the way.
    async fn shadow(&mut self) -> anyhow::Result<()> {
        let (screen, ana) = (self.screen, self.ana.clone());
        screen.act(1, "Every read is mirrored to the new service, and the replies compared");
        ana.promotes(screen, "begin").await?;
        ana.types(screen, Command::MirrorTraffic(Percent::FULL), "there are few users")?;
        ana.waits(screen, |view| view.standing.progress().latch.is_some()).await?;
        let told = ana.gate(Gate::Mismatch)?;
        screen.wrapped("         ", &format!("{told}: fail"));
        let shadow = self.proxy.shadow("profile");
        let differences = shadow.map(|shadow| shadow.differences()).unwrap_or_default();
        for (key, group) in differences.iter().take(3) {
            let what = format!(
                "{} {}: {} times, old {}, new {}",
                key.route, key.path, group.count, group.example.old, group.example.new
            );
            screen.wrapped("         ", &what);
        }
        let found = differences.iter().any(|(key, _)| key.path == "/joined");
        self.judge(found, "the wrong date format was found by comparing: /joined");
        let refused = ana.types(screen, Command::Promote(Goal::Next), "it looks fine").is_err();
        self.judge(refused, "nobody reads from new while it answers something else");
        Ok(())
    }

    /// The bug is mended, and evidence begins anew.
    async fn mended(&mut self) -> anyhow::Result<()> {
        let (screen, ana) = (self.screen, self.ana.clone());
        screen.act(2, "The new service is mended; the gates need new evidence");
        self.stage.new.fault("none").await?;
        ana.types(screen, Command::Retry, "dates are ISO 8601 now")?;
        self.resumes()?;
        let done = ana.promotes(screen, "no difference any more").await?;
        self.judge(done.entry.to.read_percent > Percent::ZERO, "users read from new");
        Ok(())
    }

    /// A few bad replies in an hour make cutover pause before anything is proved.
    fn resumes(&self) -> anyhow::Result<()> {
        if self.ana.look()?.standing.progress().paused.is_some() {
            self.ana.types(self.screen, Command::Resume, "that was the same fault")?;
        }
        Ok(())
    }

    /// Two steps, and a rollback practised on live traffic.
    async fn canary(&mut self) -> anyhow::Result<()> {
        let (screen, ana) = (self.screen, self.ana.clone());
        screen.act(3, "Step by step; and a rollback is practised before it is needed");
        ana.promotes(screen, "the first users are well").await?;
        self.drill().await
    }

    async fn drill(&mut self) -> anyhow::Result<()> {
        let (screen, ana) = (self.screen, self.ana.clone());
        ana.types(screen, Command::Drill, "what was never practised does not work")?;
        let before = ana.look()?.at;
        let view = ana
            .waits(screen, |view| {
                view.standing.progress().drilled.as_ref().is_some_and(|last| last.at > before)
            })
            .await?;
        let told = view.standing.progress().drilled.as_ref().map(ToString::to_string);
        let told = told.unwrap_or_default();
        self.judge(told.starts_with("good"), &format!("the drill was {told}"));
        Ok(())
    }

    /// The new service becomes slow. Nobody does anything.
    #[expect(clippy::disallowed_methods, reason = "the demo shows real time to a person")]
    async fn slow(&mut self) -> anyhow::Result<()> {
        let (screen, ana) = (self.screen, self.ana.clone());
        screen.act(4, "The new service becomes slow, and nobody is looking");
        // The bar must stand: how fast old is in this step.
        ana.waits(screen, |view| {
            view.gates
                .iter()
                .any(|gate| gate.gate == Gate::Latency && gate.verdict() == Verdict::Pass)
        })
        .await?;
        let began = Instant::now();
        self.stage.new.fault("slow").await?;
        let gone =
            ana.waits(screen, |view| view.standing.traffic().read_percent == Percent::ZERO).await?;
        let took = began.elapsed();
        if let Some(latch) = &gone.standing.progress().latch {
            screen.wrapped("         ", &format!("{} failed: {}", latch.gate, latch.sentence));
        }
        let text = format!("everybody is back on old {:.1} s after the fault", took.as_secs_f64());
        self.judge(took < LEFT_LIMIT, &text);
        Ok(())
    }

    /// Mended, tried again, and through.
    async fn again(&mut self) -> anyhow::Result<()> {
        let (screen, ana) = (self.screen, self.ana.clone());
        screen.act(5, "Mended, and tried again from the beginning, to the end");
        self.stage.new.fault("none").await?;
        ana.types(screen, Command::Retry, "the missing index is there")?;
        self.resumes()?;
        while ana.look()?.standing.progress().position != Position::Canary(Percent::FULL) {
            ana.promotes(screen, "the gates pass").await?;
        }
        self.drill().await?;
        let done = self.ana.promotes(screen, "everybody is well").await?;
        let there = done.entry.to.position.phase() == Phase::ReadsNew;
        self.judge(there, "everybody reads from new, and is meant to stay");
        self.rollback_costs_nothing()
    }

    /// The command that matters, once.
    fn rollback_costs_nothing(&mut self) -> anyhow::Result<()> {
        let (screen, ben) = (self.screen, self.ben.clone());
        let back = Command::Rollback(cutover::core::migration::Back::Now);
        let Done { took, .. } = ben.types(screen, back, "because we can")?;
        let text = format!("in force {:.1} ms after the command", took.as_secs_f64() * 1e3);
        self.judge(took < ROLLBACK_LIMIT, &text);
        Ok(())
    }

    /// What it has cost, counted at the clients.
    async fn account(&mut self, crowd: Crowd) -> anyhow::Result<()> {
        let screen = self.screen;
        screen.act(6, "The account");
        // What the last order has changed is to be seen, too.
        let until = crowd.asked() + 500;
        while crowd.asked() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let seen = crowd.end().await;
        let records = self.proxy.conductor().audit(0, usize::MAX, None)?;
        for record in &records {
            let line =
                format!("{:>3}  {} by {}: {}", record.seq, record.event, record.by, record.to.text);
            screen.wrapped("   ", &line);
        }
        let whole = self.proxy.conductor().verify();
        let text = match &whole {
            Ok(verified) => format!("the audit log is whole: {verified}"),
            Err(error) => error.to_string(),
        };
        self.judge(whole.is_ok(), &text);
        let transitions = self.transitions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let failed = seen.iter().filter(|seen| seen.answered == Answered::Failed).count();
        let requests = thousands(seen.len() as u64);
        self.judge(failed == 0, &format!("{failed} of {requests} requests of users failed"));
        let strayed = strayed(&seen, &transitions);
        self.judge(strayed == 0, &format!("{strayed} users changed sides outside a transition"));
        Ok(())
    }

    fn judge(&mut self, holds: bool, text: &str) {
        judge(self.screen, self.claims, holds, text.to_owned());
    }
}
