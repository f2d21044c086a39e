//! The report: what each way of counting came to, one interleaving, and the broadcast.

use serde::Serialize;

use super::{Action, Broadcast, Channel, Count, Method, Plan, Step, Timeline, processors};
use crate::report::{Block, Report, Table};
use crate::text::Grouped;

/// What the races showed.
#[derive(Clone, Debug, Serialize)]
pub struct RaceReport {
    /// How many threads raced.
    pub threads: usize,
    /// How many updates each of them made.
    pub updates_per_thread: u64,
    /// Processors that they could run on; `null` where the system does not say.
    pub processors: Option<usize>,
    /// What each way of counting came to.
    pub counts: Vec<Count>,
    /// One interleaving that lost an update; `null` if none was caught.
    pub timeline: Option<Timeline>,
    /// What arrived of a broadcast to the threads.
    pub broadcasts: Vec<Broadcast>,
}

impl RaceReport {
    /// Runs everything. With the defaults it takes a fraction of a second.
    #[must_use]
    pub fn run(plan: Plan) -> RaceReport {
        RaceReport {
            threads: plan.threads,
            updates_per_thread: plan.updates,
            processors: processors(),
            counts: Method::ALL.map(|method| Count::race(method, plan)).into(),
            timeline: Timeline::record(),
            broadcasts: [Channel::Slot, Channel::Queues].map(|by| Broadcast::run(by, plan.threads)).into(),
        }
    }

    fn setting(&self) -> String {
        let threads = format!("{} threads, {} clients each", self.threads, Grouped(self.updates_per_thread));
        match self.processors {
            Some(1) => format!(
                "{threads}, on 1 processor. Only one thread runs at a time here, and still updates are lost: the \
                 system may put another thread on the processor between a read and its write."
            ),
            Some(n) => format!("{threads}, on {n} processors, all started at a barrier."),
            None => format!("{threads}, all started at a barrier."),
        }
    }

    fn counts(&self) -> Table {
        let mut table =
            Table::new(&["num_clients += 1", ">expected", ">counted", ">lost", ">inside at once", ">time"]);
        for count in &self.counts {
            table.row([
                count.method.name().into(),
                Grouped(count.expected).to_string(),
                Grouped(count.counted).to_string(),
                Grouped(count.lost).to_string(),
                if count.most_inside == 0 { "-".into() } else { count.most_inside.to_string() },
                format!("{}.{} ms", count.duration_us / 1_000, count.duration_us % 1_000 / 100),
            ]);
        }
        table
    }

    /// What the counts show, in sentences that their figures make true.
    fn verdict(&self) -> String {
        let find = |method| self.counts.iter().find(|count| count.method == method);
        let mut sentences = Vec::new();
        if let Some(count) = find(Method::Unprotected) {
            sentences.push(match count.lost {
                0 => "Nothing was lost this time, and nothing prevented it: run it again.".into(),
                lost => format!(
                    "Unprotected, {} of {} updates were lost: a thread wrote back what it had read before the \
                     others wrote.",
                    Grouped(lost),
                    Grouped(count.expected)
                ),
            });
        }
        let broken = self.counts.iter().filter(|count| count.method.is_safe() && count.lost > 0);
        match broken.map(|count| count.method.name()).collect::<Vec<_>>().as_slice() {
            [] => sentences.push("With a lock or in one step, none was.".into()),
            names => sentences.push(format!("Broken promises: {}.", names.join(", "))),
        }
        if let Some(count) = find(Method::SemaphoreOf2).filter(|count| count.lost > 0) {
            sentences.push(format!(
                "A semaphore with two permits limits how many are inside; it is no lock, and lost {}.",
                Grouped(count.lost)
            ));
        }
        sentences.join(" ")
    }

    fn broadcasts(&self) -> Table {
        let mut table = Table::new(&["a broadcast by", ">expected", ">seen", ">missed"]);
        for broadcast in &self.broadcasts {
            table.row([
                broadcast.channel.name().into(),
                Grouped(broadcast.expected).to_string(),
                Grouped(broadcast.seen).to_string(),
                Grouped(broadcast.missed).to_string(),
            ]);
        }
        table
    }
}

impl Report for RaceReport {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = vec![
            Block::Text(self.setting()),
            Block::Table(self.counts()),
            Block::Text(self.verdict()),
            Block::Text(String::new()),
        ];
        match &self.timeline {
            Some(timeline) => {
                blocks.push(Block::Text("One real interleaving of two threads, as they recorded it:".into()));
                blocks.push(Block::Table(picture(timeline)));
            }
            None => blocks.push(Block::Text("No interleaving that lost an update was caught.".into())),
        }
        blocks.push(Block::Text(String::new()));
        blocks.push(Block::Table(self.broadcasts()));
        blocks.push(Block::Text(
            "An event says that something happened, not how often: who is late finds the slot overwritten. A queue \
             for each thread keeps what it has not read yet."
                .into(),
        ));
        blocks
    }

    fn succeeded(&self) -> bool {
        let kept = self.counts.iter().all(Count::as_expected);
        let queues = self.broadcasts.iter().filter(|broadcast| broadcast.channel == Channel::Queues);
        kept && self.timeline.is_some() && queues.into_iter().all(|broadcast| broadcast.missed == 0)
    }
}

fn picture(timeline: &Timeline) -> Table {
    let mut table = Table::new(&[">us", "thread 1", "thread 2", ">num_clients", ""]);
    let mut value = 0;
    for step in &timeline.steps {
        if step.action == Action::Write {
            value = step.value;
        }
        let cell = |thread| if step.thread == thread { label(step) } else { String::new() };
        table.row([
            format!("{}.{}", step.at_ns / 1_000, step.at_ns % 1_000 / 100),
            cell(1),
            cell(2),
            value.to_string(),
            if step.overwrites { "an update is lost".into() } else { String::new() },
        ]);
    }
    table
}

fn label(step: &Step) -> String {
    match step.action {
        Action::Read => format!("reads {}", step.value),
        Action::Write => format!("writes {}", step.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_follow_the_figures() {
        let mut report = RaceReport::run(Plan { threads: 4, updates: 200 });
        report.counts[0].lost = 0;
        assert!(report.verdict().starts_with("Nothing was lost this time"), "{}", report.verdict());
        assert!(!report.succeeded());
        report.counts[0].lost = 7;
        assert!(report.verdict().contains("7 of 800 updates were lost"), "{}", report.verdict());
        assert!(report.succeeded());
        report.counts[1].lost = 1;
        assert!(report.verdict().contains("Broken promises: mutex."), "{}", report.verdict());
        assert!(!report.succeeded());
        report.processors = Some(1);
        assert!(report.setting().contains("on 1 processor."));
    }
}
