//! Sticky packets: TCP merges and splits messages before your eyes, and framing cures it.
//!
//! | file          | what it holds                                                       |
//! |---------------|---------------------------------------------------------------------|
//! | `plan.rs`     | what to send and how to read it                                     |
//! | `exchange.rs` | the sockets: sends and receives for real, and records each call     |
//! | `record.rs`   | the records                                                         |
//! | `counts.rs`   | which messages came through                                         |
//! | `verdict.rs`  | what the records show: pure functions                               |
//! | `cuts.rs`     | scenarios `merge`, `split`, `mixed`: one queue, three sizes of recv |
//! | `nagle.rs`    | scenario `nagle`: what TCP_NODELAY changes, and what it doesn't     |
//! | `framed.rs`   | scenario `framed`: the cure, and what a delimiter costs             |
//! | `udp.rs`      | scenario `udp`: boundaries for free, at a price                     |
//! | `race.rs`     | scenario `race`: nobody waits, chance decides                       |
//! | `picture.rs`  | records as ribbons and time axes                                    |
//! | `summary.rs`  | the reports: a scenario's blocks, the table of all                  |

mod counts;
mod cuts;
mod exchange;
mod framed;
mod nagle;
mod picture;
mod plan;
mod race;
mod record;
mod summary;
mod udp;
mod verdict;

use serde::Serialize;

use self::exchange::Pair;
use crate::net::table::Transport;
use crate::net::{NetError, OptionReading};

pub use self::counts::Counts;
pub use self::plan::{MAX_BYTES, MAX_MESSAGES, Plan, PlanError, PlanOptions};
pub use self::record::{Call, Message, Record};
pub use self::summary::StickyReport;
pub use self::verdict::Verdict;

/// The scenarios, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// Several messages in one `recv`.
    Merge,
    /// One message in two `recv`s.
    Split,
    /// One and a half messages in one `recv`.
    Mixed,
    /// What Nagle's algorithm delays.
    Nagle,
    /// The cure.
    Framed,
    /// The other transport.
    Udp,
    /// No waiting: the picture of chance.
    Race,
}

impl Name {
    /// Every scenario.
    pub const ALL: [Name; 7] =
        [Name::Merge, Name::Split, Name::Mixed, Name::Nagle, Name::Framed, Name::Udp, Name::Race];

    /// Those that run unless something else is asked for: all whose outcome is certain.
    pub const CERTAIN: [Name; 6] =
        [Name::Merge, Name::Split, Name::Mixed, Name::Nagle, Name::Framed, Name::Udp];

    /// The name used on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Name::Merge => "merge",
            Name::Split => "split",
            Name::Mixed => "mixed",
            Name::Nagle => "nagle",
            Name::Framed => "framed",
            Name::Udp => "udp",
            Name::Race => "race",
        }
    }
}

/// One scenario: what happened, and what it shows.
#[derive(Clone, Debug, Serialize)]
pub struct Scenario {
    /// Which one.
    pub name: Name,
    /// TCP or UDP.
    pub transport: Transport,
    /// The calls that were made: in `framed` those of all framings, in `race` those of the first repetition.
    #[serde(flatten)]
    pub record: Record,
    /// What came through.
    #[serde(flatten)]
    pub counts: Counts,
    /// What it shows.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What this scenario alone has.
    #[serde(flatten)]
    details: Details,
}

/// What one scenario has and others don't.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Details {
    Cuts(cuts::Cuts),
    Nagle(Box<nagle::Nagle>),
    Framed(framed::Framed),
    Udp(udp::Udp),
    Race(race::Race),
}

impl Scenario {
    fn of(name: Name, record: Record, verdict: Verdict, details: Details) -> Scenario {
        let counts = Counts::of(&record);
        Scenario { name, transport: record.transport, record, counts, verdict, details }
    }
}

/// Runs one scenario. All take well under a second, `nagle` about one.
///
/// # Errors
/// Loopback sockets that can't be made. That a pattern did not show up is no error but a verdict.
pub fn run(name: Name, plan: &Plan) -> Result<Scenario, NetError> {
    match name {
        Name::Merge | Name::Split | Name::Mixed => cuts::run(name, plan),
        Name::Nagle => nagle::run(plan),
        Name::Framed => framed::run(plan),
        Name::Udp => udp::run(plan),
        Name::Race => race::run(plan),
    }
}

/// What the kernel made of the socket options that the plan asks for.
///
/// # Errors
/// Loopback sockets that can't be made.
pub fn read_options(plan: &Plan) -> Result<Vec<OptionReading>, NetError> {
    let pair = Pair::connect(plan.options())?;
    Ok(plan.options().read_tcp(pair.client.socket()))
}
