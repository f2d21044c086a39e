//! The report of the attacks: who fell, and why; with the steps where one attack was asked for.

use serde::Serialize;

use super::{Outcome, Scheme, Trial};
use crate::report::{Block, Report, Table};
use crate::text::byte_count;

/// What the attacks came to.
#[derive(Clone, Debug, Serialize)]
pub struct AttackReport {
    /// Each attack on each scheme.
    pub trials: Vec<Trial>,
}

impl AttackReport {
    fn table(&self) -> Table {
        let mut table = Table::new(&["attack", "scheme", "outcome"]);
        for trial in &self.trials {
            let fooled: Vec<&str> = trial.fooled.iter().map(|party| party.name()).collect();
            let outcome = match trial.outcome {
                Outcome::Fooled => format!("SUCCEEDS: fools the {}", fooled.join(" and the ")),
                Outcome::Refused => "fails".into(),
            };
            table.row([trial.attack.name().into(), scheme(trial.scheme).into(), outcome]);
        }
        table
    }
}

fn scheme(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Naive => "naive",
        Scheme::Mutual => "mutual",
    }
}

fn steps(trial: &Trial) -> Table {
    let mut table = Table::new(&["from", "to", "what", ">bytes", ""]);
    for step in &trial.steps {
        table.row([
            step.from.name().into(),
            step.to.name().into(),
            step.what.into(),
            byte_count(step.bytes as u64),
            step.excerpt.clone(),
        ]);
    }
    table
}

impl Report for AttackReport {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for trial in &self.trials {
            let heading = format!("{}, against the {} scheme", trial.attack.name(), scheme(trial.scheme));
            blocks.extend([
                Block::Text(heading),
                Block::Table(steps(trial)),
                Block::Text(trial.why.to_owned()),
                Block::Text(String::new()),
            ]);
        }
        blocks.push(Block::Table(self.table()));
        blocks
    }

    /// The lesson held: each attack succeeds against the naive scheme, and fails against the mutual one.
    fn succeeded(&self) -> bool {
        let expected = |scheme| match scheme {
            Scheme::Naive => Outcome::Fooled,
            Scheme::Mutual => Outcome::Refused,
        };
        self.trials.iter().all(|trial| trial.outcome == expected(trial.scheme))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Attack, Party, WAIT, attack};
    use super::*;

    #[test]
    fn each_attack_succeeds_against_the_naive_scheme_and_fails_against_the_mutual_one() {
        let report = attack(&Attack::ALL, b"secret", None, WAIT).unwrap();
        let outcomes: Vec<_> =
            report.trials.iter().map(|trial| (trial.attack, trial.scheme, trial.fooled.clone())).collect();
        let expected = [
            (Attack::Replay, Scheme::Naive, vec![Party::Client]),
            (Attack::Replay, Scheme::Mutual, vec![]),
            (Attack::Reflect, Scheme::Naive, vec![Party::Server]),
            (Attack::Reflect, Scheme::Mutual, vec![]),
            (Attack::Relay, Scheme::Naive, vec![Party::Server, Party::Client]),
            (Attack::Relay, Scheme::Mutual, vec![]),
        ];
        assert_eq!(outcomes, expected);
        assert!(report.succeeded());
    }
}
