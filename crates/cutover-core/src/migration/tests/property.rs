//! What holds for every story: any orders by anybody, any observations, in any order.

use super::world::{course, percent};
use crate::compare::{IgnoreList, IgnoreRule};
use crate::evidence::{Epoch, Verdict};
use crate::migration::{
    Actor, AutoLimit, Back, Brief, Cause, Command, Course, Event, EvidenceHash, Fingerprint, Goal,
    Group, Moment, Observation, Order, Position, Reading, Remedy, Role, Served, Standing, Step,
    Timestamp, Transition, Withdrawal, apply, next_command, plan, step,
};
use crate::{Generation, Percent, Side};
use proptest::prelude::*;
use std::time::Duration;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Happening {
    Order {
        command: Command,
        who: u8,
        role: Role,
        seen: Option<i8>,
    },
    Gate {
        gate: u8,
        verdict: Verdict,
    },
    AllPass,
    Kill(bool),
    Precaution(bool),
    Traffic(bool),
    Cold(bool),
    Lag(bool),
    Changed,
    Wait(u32),
    /// All that it takes to get on, in order.
    Onward,
}

fn share() -> impl Strategy<Value = Percent> {
    prop_oneof![
        prop::sample::select(vec![0, 1, 5, 20, 50, 100]).prop_map(percent),
        (0..=100_000u32).prop_map(Percent::from_thousandths),
    ]
}

fn goal() -> impl Strategy<Value = Goal> {
    prop_oneof![
        5 => Just(Goal::Next),
        1 => share().prop_map(Goal::To),
        1 => Just(Goal::Full),
        1 => Just(Goal::ReadsNew),
        1 => Just(Goal::Complete),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let evidence = EvidenceHash([1; 32]);
    let held = vec![
        Command::Pause,
        Command::Freeze,
        Command::Resume,
        Command::Abort,
        Command::Expire,
        Command::SwitchReads,
        Command::SwitchWrites,
        Command::ReverseReads,
        Command::ReverseWrites,
    ];
    prop_oneof![
        12 => goal().prop_map(Command::Promote),
        3 => share().prop_map(Command::SetWeight),
        1 => share().prop_map(Command::MirrorTraffic),
        3 => prop::sample::select(held),
        1 => Just(Command::Rollback(Back::Now)),
        1 => (1..700u64).prop_map(|s| Command::Rollback(Back::Graded(Duration::from_secs(s)))),
        1 => share().prop_map(|share| Command::Rollback(Back::To(share))),
        3 => Just(Command::Retry),
        4 => goal().prop_map(move |goal| Command::Approve { goal, evidence }),
        1 => goal().prop_map(move |goal| Command::Reject { goal, evidence }),
        2 => Just(Command::Complete { confirm: "profile".into() }),
        3 => Just(Command::Drill),
        2 => (any::<bool>(), 0..3u8).prop_map(|(adds, field)| {
            let rule = IgnoreRule::new(IgnoreList::Ignore, &format!("/{field}"));
            let rule = rule.expect("it names a field");
            if adds { Command::Ignore(rule) } else { Command::Unignore(rule) }
        }),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let verdict = prop::sample::select(vec![Verdict::Pass, Verdict::Fail, Verdict::Inconclusive]);
    let role = prop_oneof![3 => Just(Role::Admin), 1 => prop::sample::select(Role::ALL.to_vec())];
    let seen = prop_oneof![4 => Just(Some(0i8)), 1 => Just(None), 1 => Just(Some(-1))];
    prop_oneof![
        12 => (command(), 0..3u8, role, seen)
            .prop_map(|(command, who, role, seen)| Happening::Order { command, who, role, seen }),
        2 => (0..4u8, verdict).prop_map(|(gate, verdict)| Happening::Gate { gate, verdict }),
        6 => Just(Happening::AllPass),
        1 => any::<bool>().prop_map(Happening::Kill),
        1 => any::<bool>().prop_map(Happening::Precaution),
        2 => prop::bool::weighted(0.8).prop_map(Happening::Traffic),
        1 => any::<bool>().prop_map(Happening::Cold),
        2 => prop::bool::weighted(0.2).prop_map(Happening::Lag),
        1 => Just(Happening::Changed),
        6 => Just(Happening::Onward),
        6 => prop::sample::select(vec![1, 5, 15, 120, 3_600, 86_400, 700_000])
            .prop_map(Happening::Wait),
    ]
}

/// What a careful team does.
fn onward(position: Position) -> Vec<Happening> {
    let order = |command, who| {
        let (role, seen) = (Role::Admin, Some(0));
        Happening::Order { command, who, role, seen }
    };
    let last = position == Position::ReadsNew;
    let approve = Command::Approve { goal: Goal::Next, evidence: EvidenceHash([1; 32]) };
    let go = match last {
        true => Command::Complete { confirm: "profile".into() },
        false => Command::Promote(Goal::Next),
    };
    vec![
        Happening::Traffic(true),
        Happening::Cold(false),
        Happening::AllPass,
        Happening::Wait(if last { 700_000 } else { 86_400 }),
        order(Command::Drill, 0),
        Happening::Wait(15),
        order(approve, 1),
        order(go, 0),
    ]
}

/// A story as it goes.
struct Story {
    course: Course,
    standing: Standing,
    seen: Observation,
    now: Timestamp,
    traffic: bool,
    lag: bool,
}

impl Story {
    fn new(auto: Percent, write_routes: bool) -> Self {
        let mut course = course();
        course.auto = AutoLimit::new(auto);
        course.write_routes = write_routes;
        let now = Timestamp::from_millis(1_796_083_200_000);
        let fingerprint = Fingerprint([0; 32]);
        let standing = Standing::first(course.salt.clone(), None, percent(10), fingerprint, now);
        let seen = Observation {
            gates: Vec::new(),
            kill: None,
            precaution: None,
            evidence: EvidenceHash([1; 32]),
            shown: Vec::new(),
            heard: Some(now),
            begun: now,
            comparisons_needed: None,
            in_force: Generation(0),
            open_on_new: 0,
            old_is_cold: false,
            fingerprint,
            served: Served::default(),
            group: Group::default(),
        };
        Self { course, standing, seen, now, traffic: true, lag: false }
    }

    fn moment(&self) -> Moment<'_> {
        let Self { course, standing, seen, now, .. } = self;
        Moment { course, standing, seen, now: *now }
    }

    fn gate(&mut self, gate: &str, verdict: Verdict) {
        self.seen.gates.retain(|reading| *reading.gate != *gate);
        let remedy = match gate {
            "errors" | "latency" => Remedy::RollBack,
            "mismatch" => Remedy::Latch,
            _ => Remedy::Hold,
        };
        let epoch: Epoch = self.standing.progress().epoch;
        let gate = gate.into();
        self.seen.gates.push(Reading { gate, verdict, remedy, sentence: "said".into(), epoch });
    }

    fn happens(&mut self, happening: &Happening) {
        match happening {
            Happening::Order { command, who, role, seen } => {
                self.order(command, *who, *role, *seen)
            }
            Happening::Gate { gate, verdict } => {
                let names = ["errors", "latency", "mismatch", "coverage"];
                self.gate(names[usize::from(*gate)], *verdict);
            }
            Happening::AllPass => {
                for gate in ["baseline", "errors", "latency", "mismatch", "coverage"] {
                    self.gate(gate, Verdict::Pass);
                }
            }
            Happening::Kill(on) => self.seen.kill = on.then(|| "half of them failed".into()),
            Happening::Precaution(on) => self.seen.precaution = on.then(|| "three".into()),
            Happening::Traffic(flows) => self.traffic = *flows,
            Happening::Cold(cold) => self.seen.old_is_cold = *cold,
            Happening::Lag(lag) => self.lag = *lag,
            Happening::Changed => {
                self.seen.fingerprint.0[0] = self.seen.fingerprint.0[0].wrapping_add(1);
            }
            Happening::Onward => {
                let onward = onward(self.standing.progress().position);
                onward.iter().for_each(|happening| self.happens(happening));
            }
            Happening::Wait(seconds) => {
                self.now = self.now.plus(Duration::from_secs(u64::from(*seconds)));
                self.seen.served.requests += u64::from(*seconds);
            }
        }
        self.settle();
    }

    fn order(&mut self, command: &Command, who: u8, role: Role, seen: Option<i8>) {
        let by = Actor::new(["ana", "ben", "cem"][usize::from(who)], role);
        let now = self.standing.generation();
        let seen = seen.map(|back| Generation(now.0.saturating_add_signed(i64::from(back))));
        let order = Order { command: command.clone(), by, why: "a reason".into(), seen };
        let (planned, done) = (plan(&self.moment(), &order), apply(&self.moment(), &order));
        // The dry run says what is then done.
        match (&planned, &done) {
            (Ok(planned), Ok(done)) => {
                assert!(planned.missing.is_empty());
                assert_eq!(planned.actions, done.effects);
            }
            (Ok(planned), Err(_)) => assert!(!planned.missing.is_empty()),
            (Err(planned), Err(done)) => assert_eq!(planned, done),
            (Err(planned), Ok(_)) => panic!("planned to be refused, {planned}, and done"),
        }
        if let Ok(transition) = done {
            self.go(transition);
        }
    }

    fn settle(&mut self) {
        for turn in 0.. {
            assert!(turn < 32, "it never settles: {:?}", self.standing);
            if self.traffic {
                self.seen.heard = Some(self.now);
            }
            if !self.lag {
                self.seen.in_force = self.standing.generation();
            }
            match step(&self.moment()) {
                Step::Stay(_) => break,
                Step::Go(transition) => self.go(*transition),
            }
        }
        self.nothing_burns();
        // Total: it always has something to say, and can be stored at any point.
        let next = next_command(&self.moment(), &Actor::new("ana", Role::OnCall));
        assert!(!next.because.is_empty());
        let progress = self.standing.progress().clone();
        let restored = Standing::restore(progress, self.standing.writes());
        assert_eq!(restored.as_ref(), Ok(&self.standing));
    }

    /// Whatever is awaited or held: no reads are left where they fail.
    fn nothing_burns(&self) {
        let progress = self.standing.progress();
        let mut gates = self.seen.gates.iter().filter(|reading| reading.epoch == progress.epoch);
        let fails = gates
            .any(|reading| reading.verdict == Verdict::Fail && reading.remedy == Remedy::RollBack);
        let on_new = progress.reads().read_percent > Percent::ZERO;
        let goes_back = matches!(progress.withdrawal, Withdrawal::Graded(_));
        let last = matches!(progress.position, Position::Complete);
        assert!(last || !(fails && on_new) || goes_back, "{progress:?}");
        assert!(last || self.seen.kill.is_none() || !on_new, "{progress:?}");
    }

    fn go(&mut self, transition: Transition) {
        self.holds(&transition);
        self.standing = transition.standing;
    }

    /// What no transition may do.
    fn holds(&self, transition: &Transition) {
        let (before, after) = (&self.standing, &transition.standing);
        let entry = &transition.entry;
        assert_eq!(after.generation().0, before.generation().0 + 1, "{entry:?}");
        assert_eq!(after.traffic().write_owner, Side::Old, "{entry:?}");
        assert_eq!(entry.from, Brief::of(before));
        assert_eq!(entry.to, Brief::of(after));
        let (was, is) = (before.traffic().read_percent, after.traffic().read_percent);
        if is > was {
            self.may_grow(entry.by.role, &entry.event, is);
        }
        if let Withdrawal::Whole(_) = after.progress().withdrawal {
            let reads = after.progress().reads();
            assert!(reads.closed && is == Percent::ZERO, "{entry:?}");
            assert_eq!(reads.mirror_percent, Percent::ZERO);
        }
        if matches!(entry.event, Event::Noticed(Cause::Expired | Cause::Extended))
            || matches!(entry.event, Event::Ordered(Command::Expire))
        {
            let stays = |standing: &Standing| {
                let mut reads = standing.progress().reads();
                reads.generation = Generation(0);
                (reads, standing.writes())
            };
            assert_eq!(stays(before), stays(after), "{entry:?}");
        }
        let position = after.progress().position;
        let built = [Position::Off, Position::Shadow, Position::ReadsNew, Position::Complete];
        assert!(built.contains(&position) || matches!(position, Position::Canary(_)));
        assert!(position != Position::Complete || !self.course.write_routes);
    }

    /// More users on `new`: by whom, and upon what?
    fn may_grow(&self, role: Role, event: &Event, is: Percent) {
        let progress = self.standing.progress();
        if let Event::Noticed(Cause::Drilled(_)) = event {
            // Restored as it was when a person ordered the drill.
            assert_eq!(is, progress.position.read_percent());
            assert!(progress.paused.is_none() && progress.frozen.is_none());
        } else if role == Role::Automation {
            assert!(is <= self.course.auto.percent(), "{event:?}");
            assert!(is <= AutoLimit::MOST.percent());
        } else {
            assert!(matches!(role, Role::OnCall | Role::Admin), "{event:?} by {role:?}");
        }
        assert!(progress.latch.is_none() && self.seen.kill.is_none());
        let red = self.seen.gates.iter().filter(|reading| reading.epoch == progress.epoch);
        let mut red = red
            .filter(|reading| reading.verdict == Verdict::Fail && reading.remedy != Remedy::Hold);
        assert_eq!(red.next(), None, "{event:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_story_keeps_the_promises(
        auto in share(),
        write_routes in any::<bool>(),
        happenings in prop::collection::vec(happening(), 0..120),
    ) {
        let mut story = Story::new(auto, write_routes);
        for happening in &happenings {
            story.happens(happening);
        }
    }
}

/// The stories above are worth something only if they get somewhere.
#[test]
fn stories_reach_every_phase_that_is_built() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngSeed, TestRunner};
    let config = Config { rng_seed: RngSeed::Fixed(7), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let stories = prop::collection::vec(happening(), 100..120);
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..2_000 {
        let happenings = stories.new_tree(&mut runner).expect("a story").current();
        let mut story = Story::new(percent(5), false);
        for happening in &happenings {
            story.happens(happening);
            reached.insert(story.standing.progress().position.phase().name());
            reached.extend(story.standing.progress().overlays());
        }
    }
    let all = ["off", "shadow", "canary", "reads-new", "complete"].into_iter();
    let all = all.chain(["drilling", "going-back", "rolled-back", "failed", "paused", "frozen"]);
    let missing: Vec<&str> =
        all.chain(["inconclusive", "expired"]).filter(|name| !reached.contains(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
