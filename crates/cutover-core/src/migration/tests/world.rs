//! A world for transcripts: a fake clock, gates that say what the script says, proxies that follow.
//!
//! A script is lines. What happens is written below each: transitions with their generation, and
//! refusals.
//!
//! ```text
//! wait 1h                          time passes, cutover steps
//! gates pass                       every gate
//! gate errors fails: 9 of 1000     also: passes, is unsure
//! traffic stops                    also: flows
//! old is cold                      also: warm
//! kill: half of 40 requests failed also: no kill
//! precaution: 3 of 9000 differ
//! proxies lag                      also: proxies follow
//! configuration changes
//! restart                          the state goes to its stored parts and back
//! ana on-call: promote --to 20%    an order, upon the present generation
//! ana on-call @3: promote          upon generation 3; `@-`: upon none
//! plan ana on-call: promote        the dry run
//! next ana on-call                 the next command
//! waits                            what the next move waits for
//! ```

use crate::compare::{IgnoreList, IgnoreRule};
use crate::evidence::{Epoch, Verdict};
use crate::migration::{
    Actor, Back, Command, Course, Data, Effect, EvidenceHash, Fingerprint, Goal, Moment,
    Observation, Order, Reading, Refusal, Remedy, Role, Served, Standing, Step, Steps, Timestamp,
    Transition, apply, next_command, plan, step,
};
use crate::{Generation, Percent};
use std::fmt::Write;
use std::time::Duration;

/// 2026-12-01.
const BEGINNING: u64 = 1_796_083_200_000;
const REQUESTS_PER_SECOND: u64 = 100;

pub(super) struct World {
    pub(super) course: Course,
    pub(super) standing: Standing,
    pub(super) seen: Observation,
    pub(super) now: Timestamp,
    traffic: bool,
    proxies_follow: bool,
    looks: u8,
    /// The answer to the last order.
    pub(super) refusal: Option<Refusal>,
    log: String,
}

pub(super) fn percent(whole: u32) -> Percent {
    Percent::from_thousandths(whole * 1_000)
}

/// A course with the usual times but a shorter silence, for a migration called `profile`.
pub(super) fn course() -> Course {
    let expires = Timestamp::from_millis(BEGINNING).plus(days(90));
    let mut course = Course::new("profile", Data::Shared, Steps::usual(), expires);
    course.silence = Duration::from_secs(60);
    course.preflight = ["baseline"].map(Box::from).into();
    course
}

pub(super) fn days(count: u32) -> Duration {
    Duration::from_secs(86_400) * count
}

impl World {
    pub(super) fn new(course: Course) -> Self {
        let now = Timestamp::from_millis(BEGINNING);
        let salt = course.salt.clone();
        let fingerprint = Fingerprint([1; 32]);
        let standing = Standing::first(salt, None, percent(10), fingerprint, now);
        let mut world = Self {
            course,
            standing,
            seen: Observation {
                gates: Vec::new(),
                kill: None,
                precaution: None,
                evidence: EvidenceHash([1; 32]),
                shown: Vec::new(),
                heard: None,
                begun: now,
                comparisons_needed: Some(2_995),
                in_force: Generation(0),
                open_on_new: 0,
                old_is_cold: false,
                fingerprint,
                served: Served::default(),
                group: crate::migration::Group::default(),
            },
            now,
            traffic: true,
            proxies_follow: true,
            looks: 1,
            refusal: None,
            log: String::new(),
        };
        world.forget();
        world
    }

    /// With gates that pass and users who come.
    pub(super) fn fine(course: Course) -> Self {
        let mut world = Self::new(course);
        world.quietly("gates pass");
        world
    }

    /// Plays lines, and tells what happened.
    pub(super) fn play(&mut self, script: &str) -> String {
        self.log.clear();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            writeln!(self.log, "{line}").expect("text takes text");
            self.line(line);
        }
        std::mem::take(&mut self.log)
    }

    /// Plays lines that are only the way to somewhere.
    pub(super) fn quietly(&mut self, script: &str) {
        let told = self.play(script);
        assert!(!told.contains("refused"), "{told}");
    }

    pub(super) fn moment(&self) -> Moment<'_> {
        Moment { course: &self.course, standing: &self.standing, seen: &self.seen, now: self.now }
    }

    fn say(&mut self, what: &str) {
        for line in what.lines() {
            writeln!(self.log, "    {line}").expect("text takes text");
        }
    }

    fn line(&mut self, line: &str) {
        self.look();
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["#", ..] => {}
            ["wait", span] => self.wait(duration(span)),
            ["gates", "pass"] => {
                for gate in self.gates() {
                    self.gate(&gate, Verdict::Pass, "within its limit");
                }
            }
            ["gate", name, rest @ ..] => {
                let (verdict, sentence) = match rest {
                    ["fails:", why @ ..] => (Verdict::Fail, why.join(" ")),
                    ["passes"] => (Verdict::Pass, "within its limit".to_owned()),
                    ["is", "unsure"] => (Verdict::Inconclusive, "not enough seen".to_owned()),
                    _ => panic!("a gate that does what? {line}"),
                };
                self.gate(name, verdict, &sentence);
            }
            ["traffic", what] => self.traffic = *what == "flows",
            ["old", "is", what] => self.seen.old_is_cold = *what == "cold",
            ["kill:", why @ ..] => self.seen.kill = Some(why.join(" ").into()),
            ["no", "kill"] => self.seen.kill = None,
            ["precaution:", why @ ..] => self.seen.precaution = Some(why.join(" ").into()),
            ["proxies", what] => self.proxies_follow = *what == "follow",
            ["configuration", "changes"] => self.seen.fingerprint.0[0] += 1,
            ["restart"] => self.restart(),
            ["waits"] => self.waits(),
            ["next", name, role] => self.next(&actor(name, role)),
            ["plan", ..] => self.plan(line.trim_start_matches("plan ")),
            _ => self.order(line),
        }
        self.settle();
    }

    /// Somebody looks: evidence has a new digest, and the former one can still be shown.
    fn look(&mut self) {
        let former = self.seen.evidence;
        self.seen.shown.push(former);
        self.looks = self.looks.wrapping_add(1);
        self.seen.evidence = EvidenceHash([self.looks; 32]);
    }

    fn gates(&self) -> Vec<Box<str>> {
        self.course.preflight.iter().chain(&self.course.gates).cloned().collect()
    }

    fn epoch(&self) -> Epoch {
        self.standing.progress().epoch
    }

    pub(super) fn gate(&mut self, gate: &str, verdict: Verdict, sentence: &str) {
        let remedy = match gate {
            "errors" | "latency" => Remedy::RollBack,
            "mismatch" => Remedy::Latch,
            _ => Remedy::Hold,
        };
        let epoch = self.epoch();
        self.seen.gates.retain(|reading| *reading.gate != *gate);
        let (gate, sentence) = (gate.into(), sentence.into());
        self.seen.gates.push(Reading { gate, verdict, remedy, sentence, epoch });
    }

    /// A new epoch: gates have seen nothing.
    fn forget(&mut self) {
        self.seen.shown.clear();
        self.seen.begun = self.now;
        self.seen.gates.clear();
        for gate in self.gates() {
            self.gate(&gate, Verdict::Inconclusive, "0 seen in this epoch");
        }
    }

    fn wait(&mut self, span: Duration) {
        let slice = (span / 60).max(Duration::from_secs(1)).min(span);
        let end = self.now.plus(span);
        while self.now < end {
            self.now = self.now.plus(slice).min(end);
            if self.traffic {
                self.seen.served.requests += REQUESTS_PER_SECOND * slice.as_secs();
                self.seen.heard = Some(self.now);
            }
            self.settle();
        }
    }

    fn restart(&mut self) {
        let (progress, writes) = (self.standing.progress().clone(), self.standing.writes());
        let restored = Standing::restore(progress, writes).expect("what was stored is sound");
        assert_eq!(restored, self.standing);
        self.standing = restored;
    }

    /// Steps until nothing changes.
    pub(super) fn settle(&mut self) {
        for _ in 0..32 {
            if self.traffic {
                self.seen.heard = Some(self.now);
            }
            if self.proxies_follow {
                self.seen.in_force = self.standing.generation();
            }
            match step(&self.moment()) {
                Step::Stay(_) => return,
                Step::Go(transition) => self.go(*transition),
            }
        }
        panic!("it never settles:\n{}", self.log);
    }

    fn go(&mut self, transition: Transition) {
        let entry = &transition.entry;
        let mut told = format!("{} {}: {}", entry.generation, entry.by.name, entry.event.name());
        let (from, to) = (entry.from.to_string(), entry.to.to_string());
        if from == to {
            write!(told, ": {to}").expect("text takes text");
        } else {
            write!(told, ": {from} -> {to}").expect("text takes text");
        }
        let automatic = entry.by.role == Role::Automation || entry.event.name() == "drilled";
        if automatic {
            write!(told, " ({})", entry.why).expect("text takes text");
        }
        self.say(&told);
        for warning in &transition.warnings {
            self.say(&format!("note: {warning}"));
        }
        assert_eq!(transition.effects[0], Effect::Record, "nothing before it is written");
        let fresh = transition.effects.iter().any(|e| matches!(e, Effect::RestartEvidence(_)));
        self.standing = transition.standing;
        if fresh {
            self.forget();
        }
    }

    fn order(&mut self, line: &str) {
        let order = self.ordered(line);
        match apply(&self.moment(), &order) {
            Ok(transition) => {
                self.refusal = None;
                self.go(transition);
            }
            Err(refusal) => {
                self.say(&format!("refused: {refusal}"));
                self.refusal = Some(refusal);
            }
        }
    }

    fn plan(&mut self, line: &str) {
        let order = self.ordered(line);
        let told = match plan(&self.moment(), &order) {
            Ok(plan) => plan.to_string(),
            Err(refusal) => format!("refused: {refusal}"),
        };
        self.say(&told);
    }

    fn next(&mut self, person: &Actor) {
        let next = next_command(&self.moment(), person);
        let command = next.command.map(|command| command.spelled(&self.course.name));
        let told = format!("{}: {}", command.as_deref().unwrap_or("nothing"), next.because);
        self.say(&told);
    }

    fn waits(&mut self) {
        let Step::Stay(waits) = step(&self.moment()) else { panic!("it had settled") };
        for wait in waits {
            self.say(&format!("- {wait}"));
        }
    }

    /// `ana on-call @3: promote --to 20%`.
    fn ordered(&self, line: &str) -> Order {
        let (who, what) = line.split_once(": ").unwrap_or_else(|| panic!("who? {line}"));
        let mut who = who.split(' ');
        let name = who.next().expect("a name");
        let by = actor(name, who.next().unwrap_or_else(|| panic!("which role? {line}")));
        let seen = match who.next().map(|at| at.trim_start_matches('@')) {
            None => Some(self.standing.generation()),
            Some("-") => None,
            Some(number) => Some(Generation(number.parse().expect("a generation"))),
        };
        Order { command: self.command(what), by, why: "as planned".into(), seen }
    }

    fn command(&self, text: &str) -> Command {
        let words: Vec<&str> = text.split(' ').collect();
        let evidence = match words.last() {
            Some(&"unseen") => EvidenceHash([0xee; 32]),
            _ => self.seen.evidence,
        };
        let rest: Vec<&str> = words[1..].iter().copied().filter(|w| *w != "unseen").collect();
        match (words[0], rest.as_slice()) {
            ("promote", rest) => Command::Promote(goal(rest)),
            ("set-weight", [share]) => Command::SetWeight(share.parse().expect("a percent")),
            ("mirror-traffic", [share]) => {
                Command::MirrorTraffic(share.parse().expect("a percent"))
            }
            ("switch-traffic", ["--reads"]) => Command::SwitchReads,
            ("switch-traffic", ["--writes"]) => Command::SwitchWrites,
            ("reverse-traffic", ["--reads"]) => Command::ReverseReads,
            ("reverse-traffic", ["--writes"]) => Command::ReverseWrites,
            ("pause", []) => Command::Pause,
            ("freeze", []) => Command::Freeze,
            ("resume", []) => Command::Resume,
            ("rollback", []) => Command::Rollback(Back::Now),
            ("rollback", ["--graded", span]) => Command::Rollback(Back::Graded(duration(span))),
            ("rollback", ["--to", share]) => {
                Command::Rollback(Back::To(share.parse().expect("a percent")))
            }
            ("abort", []) => Command::Abort,
            ("retry", []) => Command::Retry,
            ("approve", rest) => Command::Approve { goal: goal(rest), evidence },
            ("reject", rest) => Command::Reject { goal: goal(rest), evidence },
            ("complete", [name]) => Command::Complete { confirm: (*name).into() },
            ("drill", []) => Command::Drill,
            ("expire", []) => Command::Expire,
            ("ignore", rule) => Command::Ignore(ignore_rule(rule)),
            ("unignore", rule) => Command::Unignore(ignore_rule(rule)),
            _ => panic!("which command? {text}"),
        }
    }
}

fn ignore_rule(words: &[&str]) -> IgnoreRule {
    let (list, text) = match words {
        [text] => (IgnoreList::Ignore, text),
        [text, "--unordered"] => (IgnoreList::Unordered, text),
        _ => panic!("which rule? {words:?}"),
    };
    IgnoreRule::new(list, text).unwrap_or_else(|finding| panic!("{finding}"))
}

fn goal(words: &[&str]) -> Goal {
    match words {
        [] => Goal::Next,
        ["--full"] => Goal::Full,
        ["--to", "reads-new"] => Goal::ReadsNew,
        ["--to", "complete"] => Goal::Complete,
        ["--to", share] => Goal::To(share.parse().expect("a percent")),
        _ => panic!("which goal? {words:?}"),
    }
}

fn actor(name: &str, role: &str) -> Actor {
    Actor::new(name, Role::from_name(role).unwrap_or_else(|| panic!("which role? {role}")))
}

fn duration(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: u64 = number.parse().unwrap_or_else(|_| panic!("how long? {text}"));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => panic!("which unit? {text}"),
    };
    Duration::from_secs(number * seconds)
}
