//! Who may do what. Automation only holds or goes back; some moves need two people.

use super::command::{Command, Goal};
use super::standing::Position;
use super::time::Timestamp;
use std::fmt;

/// The name under which cutover acts by itself.
const CUTOVER: &str = "cutover";

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Starts migrations, mirrors, holds, and goes back.
    Operator,
    /// Also moves reads forward, practises rollbacks and tries again.
    OnCall,
    /// Approves and rejects, completes, holds, and goes back; moves no reads forward.
    Approver,
    /// Everything; where two people are needed, it is one of them.
    Admin,
    /// cutover itself, or a script: holds and goes back.
    Automation,
}

impl Role {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Viewer, Self::Operator, Self::OnCall, Self::Approver, Self::Admin, Self::Automation];

    /// The name used in tokens, API and audit.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::OnCall => "on-call",
            Self::Approver => "approver",
            Self::Admin => "admin",
            Self::Automation => "automation",
        }
    }

    /// By its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Somebody with a name and a role. Two tokens of one name are one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person's name, or that of what acts.
    pub name: Box<str>,
    /// What it may do.
    pub role: Role,
}

impl Actor {
    /// Somebody.
    pub fn new(name: &str, role: Role) -> Self {
        Self { name: name.into(), role }
    }

    /// cutover itself.
    pub fn automation() -> Self {
        Self::new(CUTOVER, Role::Automation)
    }

    /// Is it cutover itself, and not a script with that role?
    pub(super) fn is_cutover(&self) -> bool {
        *self.name == *CUTOVER && self.role == Role::Automation
    }
}

/// `ana (on-call)`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.role.name())
    }
}

/// Who did something that lasts, why, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Who.
    pub by: Actor,
    /// The reason given.
    pub why: Box<str>,
    /// When.
    pub at: Timestamp,
}

/// `ana (on-call): disk of old is full`.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.by, self.why)
    }
}

/// What a command amounts to, as far as roles are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Hold, or go back: pause, freeze, rollback, abort, less weight, less mirroring, expire.
    Restrain,
    /// From `off` to `shadow`, more mirroring, lifting a pause.
    Begin,
    /// Reads forward, a drill, another try, lifting a freeze; what counts in comparisons.
    Advance,
    /// An opinion on evidence.
    Judge,
    /// The point of no return, and opinions on it.
    Finish,
}

impl Deed {
    /// What a command amounts to for a migration that stands here.
    pub(super) fn of(command: &Command, from: Position, frozen: bool, mirror_grows: bool) -> Self {
        match command {
            Command::Pause
            | Command::Freeze
            | Command::Rollback(_)
            | Command::Abort
            | Command::Expire
            | Command::ReverseReads
            | Command::ReverseWrites => Self::Restrain,
            Command::SetWeight(percent) if *percent <= from.read_percent() => {
                // From `shadow` to a canary of 0 % is a move forward, though no percent grows.
                if from.phase().serves_reads_from_new() { Self::Restrain } else { Self::Advance }
            }
            Command::Promote(_) if from == Position::Off => Self::Begin,
            Command::Resume => {
                if frozen {
                    Self::Advance
                } else {
                    Self::Begin
                }
            }
            Command::MirrorTraffic(_) => {
                if mirror_grows {
                    Self::Begin
                } else {
                    Self::Restrain
                }
            }
            Command::Promote(_)
            | Command::SetWeight(_)
            | Command::SwitchReads
            | Command::SwitchWrites
            | Command::Drill
            | Command::Retry
            // Not for those who only judge the evidence: they would choose what they judge.
            | Command::Ignore(_)
            | Command::Unignore(_) => Self::Advance,
            Command::Approve { goal, .. } | Command::Reject { goal, .. } => {
                let last = *goal == Goal::Complete;
                let last = last || *goal == Goal::Next && from == Position::ReadsNew;
                if last { Self::Finish } else { Self::Judge }
            }
            Command::Complete { .. } => Self::Finish,
        }
    }

    /// May this role do it?
    pub(super) fn open_to(self, role: Role) -> bool {
        match role {
            Role::Viewer => false,
            Role::Automation => self == Self::Restrain,
            Role::Operator => matches!(self, Self::Restrain | Self::Begin),
            Role::OnCall => self != Self::Finish,
            Role::Approver => matches!(self, Self::Restrain | Self::Judge | Self::Finish),
            Role::Admin => true,
        }
    }

    /// The roles that may do it, in words.
    pub(super) fn roles(self) -> String {
        let open = Role::ALL.into_iter().filter(|role| self.open_to(*role));
        open.map(Role::name).collect::<Vec<_>>().join(", ")
    }
}
