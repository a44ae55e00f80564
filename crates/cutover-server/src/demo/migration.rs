//! The second story: a whole migration of reads, with a bug that comparing finds and a fault that takes reads back. Where
//! users are is what their replies say, not what the proxy says.

use super::crowd::Crowd;
use super::judge;
use super::operator::Operator;
use super::proxy::Proxy;
use super::screen::{Claim, Screen};
use super::stage::Stage;
use super::stay::stay;
use super::tally::{Tally, is_cohort};
use super::traffic::{Answered, Traffic, unix_ms};
use super::witness::{Back, all_on_new, away, strayed};
use crate::args::Demo;
use crate::paragraph::thousands;
use cutover::core::evidence::{Gate, Verdict};
use cutover::core::migration::{Command, Goal, Position};
use cutover::core::{Percent, Phase};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The configuration, with places for addresses.
const CONFIG: &str = include_str!("migration.toml.in");

/// A rollback is in force within this time.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(1);

/// A service that became slow is left within this time.
const LEFT_LIMIT: Duration = Duration::from_secs(30);

/// In a drill users are away from new for 2 s, less what a rollback may take to come into force.
const DRILLED: Duration = Duration::from_secs(2).saturating_sub(ROLLBACK_LIMIT);

/// Everybody and everything.
struct Play<'s> {
    screen: &'s Screen,
    claims: &'s mut Vec<Claim>,
    stage: Stage,
    proxy: Proxy,
    crowd: Crowd,
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
    let mut play = Play { screen, claims, stage, proxy, crowd, ana, ben, transitions };
    play.introduce()?;
    play.shadow().await?;
    play.mended().await?;
    play.canary().await?;
    play.slow().await?;
    play.again().await?;
    play.account().await?;
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
        let lasted = happened.entry.at.millis()..=unix_ms();
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
        screen.wrapped("   gates     ", &gates.collect::<Vec<_>>().join(", "));
        screen.line(&format!("   admin     http://{}", self.proxy.admin()));
        screen.line(&format!("   config    {}", self.stage.config().display()));
        Ok(())
    }

    /// Reads are mirrored, and a difference blocks the way.
    async fn shadow(&mut self) -> anyhow::Result<()> {
        let (screen, ana) = (self.screen, self.ana.clone());
        screen.act(1, "Every read is mirrored to the new service, and the replies compared");
        ana.promotes(screen, "begin").await?;
        ana.types(screen, Command::MirrorTraffic(Percent::FULL), "users are few")?;
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
        self.crowd.round(unix_ms()).await?;
        let tally = Tally::of(&self.crowd.since(0));
        let text = format!(
            "new, which answers something else, gave users {} of {} replies",
            thousands(tally.new.requests as u64),
            thousands((tally.old.requests + tally.new.requests) as u64)
        );
        self.judge(refused && tally.new.requests == 0, &text);
        Ok(())
    }

    /// The bug is mended, and evidence begins anew.
    async fn mended(&mut self) -> anyhow::Result<()> {
        let (screen, ana) = (self.screen, self.ana.clone());
        screen.act(2, "The new service is mended; the gates need new evidence");
        self.stage.new.fault("none").await?;
        ana.types(screen, Command::Retry, "dates are ISO 8601 now")?;
        self.resumes()?;
        ana.promotes(screen, "no difference any more").await?;
        self.cohort(10.0).await
    }

    /// So many users, and always the same, read from new.
    async fn cohort(&mut self, percent: f64) -> anyhow::Result<()> {
        let mut seen = self.crowd.round(unix_ms()).await?;
        seen.retain(|seen| seen.stand_in.is_none());
        let tally = Tally::of(&seen);
        let (on_new, users) = (tally.new.users, self.crowd.users());
        let text = format!(
            "{} of {} users read from new: the cohort of {percent} %",
            thousands(on_new as u64),
            thousands(users as u64)
        );
        self.judge(is_cohort(on_new, users, percent) && tally.moved == 0, &text);
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
        self.cohort(50.0).await?;
        self.drill().await
    }

    async fn drill(&mut self) -> anyhow::Result<()> {
        let (screen, ana) = (self.screen, self.ana.clone());
        let began_ms = unix_ms();
        ana.types(screen, Command::Drill, "what was never practised does not work")?;
        let before = ana.look()?.at;
        let view = ana
            .waits(screen, |view| {
                view.standing.progress().drilled.as_ref().is_some_and(|last| last.at > before)
            })
            .await?;
        let told = view.standing.progress().drilled.as_ref().map(ToString::to_string);
        let told = told.unwrap_or_default();
        screen.wrapped("         ", &format!("the drill was {told}"));
        self.crowd.round(unix_ms()).await?;
        let away = away(&self.crowd.since(began_ms), began_ms);
        let text = format!(
            "for {:.1} s no user was sent to new; then they were again",
            away.as_secs_f64()
        );
        self.judge(told.starts_with("good") && away >= DRILLED, &text);
        Ok(())
    }

    /// The new service becomes slow. Nobody does anything.
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
        let fault_ms = unix_ms();
        self.stage.new.fault("slow").await?;
        let gone =
            ana.waits(screen, |view| view.standing.traffic().read_percent == Percent::ZERO).await?;
        let back = self.back(fault_ms, unix_ms()).await?;
        if let Some(latch) = &gone.standing.progress().latch {
            screen.wrapped("         ", &format!("{} failed: {}", latch.gate, latch.sentence));
        }
        let seconds = back.after.as_secs_f64();
        let text = format!("everybody is back on old {seconds:.1} s after the fault");
        self.judge_back(back, LEFT_LIMIT, text);
        Ok(())
    }

    /// What users met of a way back that became necessary at one time, and was said to be over at another. Everybody has
    /// asked once more since.
    async fn back(&self, necessary_ms: u64, over_ms: u64) -> anyhow::Result<Back> {
        self.crowd.round(over_ms).await?;
        Ok(Back::of(&self.crowd.since(necessary_ms), necessary_ms, over_ms))
    }

    fn judge_back(&mut self, back: Back, limit: Duration, text: String) {
        let text = match back.late {
            0 => text,
            late => format!("{} requests reached new when it was over", thousands(late as u64)),
        };
        self.judge(back.is_within(limit), &text);
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
        let meant = done.entry.to.position.phase() == Phase::ReadsNew;
        let seen = self.crowd.round(unix_ms()).await?;
        let users = thousands(self.crowd.users() as u64);
        let text = format!("all {users} users read from new, and are meant to stay");
        self.judge(meant && all_on_new(&seen), &text);
        self.rollback_costs_nothing().await
    }

    /// The command that matters, once.
    async fn rollback_costs_nothing(&mut self) -> anyhow::Result<()> {
        let (screen, ben) = (self.screen, self.ben.clone());
        let back = Command::Rollback(cutover::core::migration::Back::Now);
        let command_ms = unix_ms();
        ben.types(screen, back, "because we can")?;
        let back = self.back(command_ms, unix_ms()).await?;
        let ms = back.after.as_millis();
        let text = format!("no user was sent to new later than {ms} ms after the command");
        self.judge_back(back, ROLLBACK_LIMIT, text);
        Ok(())
    }

    /// What it has cost, counted at the clients.
    async fn account(&mut self) -> anyhow::Result<()> {
        let screen = self.screen;
        screen.act(6, "The account");
        let seen = self.crowd.end().await;
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
