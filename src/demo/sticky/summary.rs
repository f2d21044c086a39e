//! The reports: what a scenario shows before and after its `recv` is revealed, and the table of all.

use serde::Serialize;

use super::counts::Counts;
use super::picture::{self, Reveal};
use super::record::Record;
use super::verdict::Verdict;
use super::{Details, Name, Scenario};
use crate::net::OptionReading;
use crate::report::{Block, Report, Table};

/// All scenarios that ran.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StickyReport {
    /// In the order in which they ran.
    pub scenarios: Vec<Scenario>,
    /// What the kernel made of the socket options, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket_options: Option<Vec<OptionReading>>,
}

impl Report for StickyReport {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = self.scenarios.iter().flat_map(Scenario::answer).collect();
        blocks.push(self.table());
        blocks
    }

    fn succeeded(&self) -> bool {
        self.scenarios.iter().all(|scenario| scenario.verdict.observed)
    }
}

impl StickyReport {
    /// One table of all scenarios.
    #[must_use]
    pub fn table(&self) -> Block {
        let titles = ["scenario", ">messages", ">sends", ">recvs", ">per recv", ">by framing", "observed"];
        let mut table = Table::new(&titles);
        for scenario in &self.scenarios {
            match &scenario.details {
                Details::Framed(framed) => framed.attempts().for_each(|entry| {
                    let what = if entry.refused.is_some() { "by hand" } else { entry.framing };
                    let name = format!("framed {what}");
                    line(&mut table, name, &entry.record, entry.counts, &entry.verdict);
                }),
                Details::Race(_) => {
                    let name = "race, first run".to_owned();
                    line(&mut table, name, &scenario.record, scenario.counts, &scenario.verdict);
                }
                _ => {
                    let name = scenario.name.name().to_owned();
                    line(&mut table, name, &scenario.record, scenario.counts, &scenario.verdict);
                }
            }
        }
        Block::Table(table)
    }
}

fn line(table: &mut Table, name: String, record: &Record, counts: Counts, verdict: &Verdict) {
    table.row([
        name,
        counts.messages_sent.to_string(),
        record.sends.len().to_string(),
        record.recvs.len().to_string(),
        counts.recovered_per_recv.to_string(),
        counts.recovered_by_framing.map_or("-".to_owned(), |n| n.to_string()),
        if verdict.observed { "yes" } else { "no" }.to_owned(),
    ]);
}

impl Scenario {
    /// What was sent, so that a class can predict what `recv` returned.
    #[must_use]
    pub fn question(&self) -> Vec<Block> {
        self.pictures(Reveal::Sends)
    }

    /// Everything: the pictures, the verdict and an empty line.
    #[must_use]
    pub fn answer(&self) -> Vec<Block> {
        let mut blocks = self.pictures(Reveal::All);
        blocks.push(Block::Text(self.verdict.sentence.clone()));
        blocks.push(Block::Text(String::new()));
        blocks
    }

    fn pictures(&self, reveal: Reveal) -> Vec<Block> {
        match &self.details {
            Details::Cuts(cuts) => vec![picture::cuts(self.name.name(), &self.record, cuts, reveal)],
            Details::Nagle(nagle) => {
                let mut blocks = vec![picture::arrivals(nagle, reveal)];
                blocks.extend((reveal == Reveal::All).then(|| picture::medians(nagle)));
                blocks
            }
            Details::Framed(framed) => apart(framed.attempts().map(|entry| picture::framed(entry, reveal))),
            Details::Udp(udp) => {
                let sent = format!("{} datagrams", self.record.messages.len());
                let whole = picture::datagrams(sent, &self.record, reveal);
                apart([whole, picture::truncated(&udp.truncated, reveal)])
            }
            Details::Race(race) => {
                let title = format!("race       {} times the same sends, and nobody waits", race.repetitions);
                let mut blocks = vec![Block::Text(title)];
                blocks.extend((reveal == Reveal::All).then(|| picture::distribution(race)));
                blocks
            }
        }
    }

    /// What a class may predict before the answer is shown.
    #[must_use]
    pub fn prompt(&self) -> &'static str {
        match self.name {
            Name::Merge | Name::Split | Name::Mixed => "What does each recv return?",
            Name::Nagle => "When does each message arrive, with Nagle and without?",
            Name::Framed => "Which messages does the decoder find?",
            Name::Udp => "What does each recv return, and what becomes of bytes that don't fit?",
            Name::Race => "What will recv return most often, and does it ever differ?",
        }
    }
}

/// Pictures with an empty line between them.
fn apart(pictures: impl IntoIterator<Item = Block>) -> Vec<Block> {
    let mut blocks = Vec::new();
    for picture in pictures {
        if !blocks.is_empty() {
            blocks.push(Block::Text(String::new()));
        }
        blocks.push(picture);
    }
    blocks
}
