//! The people of the demo: what they type, and what they are answered.

use super::proxy::Proxy;
use super::screen::Screen;
use anyhow::Context as _;
use cutover::core::evidence::{Gate, Verdict};
use cutover::core::migration::{Actor, Command, Goal, Order, Role};
use cutover::{Conductor, Done, OrderError, View};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The migration of the story.
const MIGRATION: &str = "profile";

/// No gate of the demo needs longer, on any machine that can run it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks.
const GLANCE: Duration = Duration::from_millis(200);

/// Somebody with a terminal.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    conductor: Arc<Conductor>,
    actor: Actor,
}

impl Operator {
    /// Somebody on call.
    pub(crate) fn on_call(proxy: &Proxy, name: &str) -> Self {
        Self { conductor: proxy.conductor(), actor: Actor::new(name, Role::OnCall) }
    }

    /// Somebody who approves.
    pub(crate) fn approver(proxy: &Proxy, name: &str) -> Self {
        Self { conductor: proxy.conductor(), actor: Actor::new(name, Role::Approver) }
    }

    /// What is shown.
    pub(crate) fn look(&self) -> anyhow::Result<View> {
        self.conductor.view(MIGRATION, &self.actor).context("demo: the migration is gone")
    }

    /// Types a command. What is answered stands under it.
    pub(crate) fn types(
        &self,
        screen: &Screen,
        command: Command,
        why: &str,
    ) -> Result<Done, OrderError> {
        let spelled = command.spelled(MIGRATION);
        screen.line(&format!("   {}$ cutover {spelled} --reason '{why}'", self.actor.name));
        let seen = self.look().ok().map(|view| view.standing.generation());
        let order = Order { command, by: self.actor.clone(), why: why.into(), seen };
        let answer = self.conductor.order(MIGRATION, &order);
        match &answer {
            Ok(done) => screen.line(&format!("         now {}", done.entry.to)),
            Err(error) => screen.wrapped("         ", &format!("refused: {error}")),
        }
        answer
    }

    /// Waits until the gates allow the next step, telling what they wait for, and takes it.
    pub(crate) async fn promotes(&self, screen: &Screen, why: &str) -> anyhow::Result<Done> {
        self.waits(screen, |view| view.missing.is_empty()).await?;
        for gate in &self.look()?.gates {
            if gate.verdict() == Verdict::Pass {
                screen.wrapped("         ", &format!("{gate}: pass"));
            }
        }
        Ok(self.types(screen, Command::Promote(Goal::Next), why)?)
    }

    /// Waits for something to be seen, and tells now and then what is missing.
    #[expect(clippy::disallowed_methods, reason = "the demo shows real time to a person")]
    pub(crate) async fn waits(
        &self,
        screen: &Screen,
        until: impl Fn(&View) -> bool,
    ) -> anyhow::Result<View> {
        let (began, mut told) = (Instant::now(), Instant::now());
        loop {
            let view = self.look()?;
            if until(&view) {
                return Ok(view);
            }
            anyhow::ensure!(
                began.elapsed() < PATIENCE,
                "demo: nothing more happened: {:?}",
                view.missing.iter().map(ToString::to_string).collect::<Vec<_>>()
            );
            if told.elapsed() > Duration::from_secs(3)
                && let Some(missing) = view.missing.first()
            {
                told = Instant::now();
                screen.wrapped("         ", &format!("waits: {missing}"));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// What one gate says.
    pub(crate) fn gate(&self, gate: Gate) -> anyhow::Result<cutover::core::evidence::Answer> {
        let found = self.look()?.gates.into_iter().find(|answer| answer.gate == gate);
        found.with_context(|| format!("demo: the gate {} is not asked", gate.name()))
    }
}
