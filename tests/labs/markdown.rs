//! Reads a lab: the steps of a student's page and a teacher's page, and what each step must show.
//!
//! The convention is explained to authors in `labs/README.md`. Nothing is run here.

use std::collections::BTreeSet;

use netlab::lab::block::{self, Action, Block};

/// The mark that stands for anything: within a line for any text, alone for any number of lines.
pub(crate) const ANYTHING: char = '…';

/// A fenced block of a page, and where it stands.
#[derive(Clone, Debug, Default)]
struct Placed {
    block: Block,
    /// The `##` section it stands in.
    section: String,
    /// File and line, for messages.
    place: String,
}

impl Placed {
    /// True for what a step must show.
    fn is_expectation(&self) -> bool {
        self.block.kind == "text" && self.block.attribute("step").is_some()
    }

    fn placed<T>(&self, read: Result<T, String>) -> Result<T, String> {
        read.map_err(|fault| format!("{}: {fault}", self.place))
    }
}

/// One step of a lab, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    step: block::Step,
    pub(crate) place: String,
}

impl std::ops::Deref for Step {
    type Target = block::Step;

    fn deref(&self) -> &block::Step {
        &self.step
    }
}

impl Step {
    /// True for a program that may ask a question, without a line's end, before it shows anything.
    fn asks_first(&self) -> bool {
        matches!(self.action, Action::Run { keeps_running: true, .. })
    }

    fn types_into(&self, terminal: u32) -> bool {
        matches!(self.action, Action::Keys(_)) && self.terminal == terminal
    }
}

/// A section with steps: it begins and ends with no program running.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    pub(crate) title: String,
    /// Files that are saved before its first step: name and content.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) steps: Vec<Step>,
    /// The only system it is run on, by Rust's name for it.
    pub(crate) system: Option<String>,
}

impl Round {
    pub(crate) fn needs_python(&self) -> bool {
        let is_python = |step: &Step| matches!(&step.action, Action::Run { command, .. } if command.starts_with("python3 "));
        self.steps.iter().any(is_python)
    }
}

/// What a terminal shows because of a step.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    pub(crate) step: u32,
    /// The step's own terminal, if none is given.
    pub(crate) terminal: Option<u32>,
    pub(crate) lines: Vec<String>,
    pub(crate) exit: Option<i32>,
    place: String,
}

/// A lab, ready to be run.
#[derive(Clone, Debug)]
pub(crate) struct Lab {
    pub(crate) rounds: Vec<Round>,
    pub(crate) expectations: Vec<Expectation>,
}

impl Lab {
    /// Reads both pages and checks that steps and expectations belong together.
    pub(crate) fn parse(student: &str, teacher: &str) -> Result<Lab, String> {
        let mut blocks = fenced_blocks("README.md", student)?;
        if let Some(block) = blocks.iter().find(|b| b.is_expectation()) {
            return Err(format!("{}: what is observed belongs into teacher.md", block.place));
        }
        blocks.extend(fenced_blocks("teacher.md", teacher)?);
        let lab = Lab { rounds: rounds(&blocks)?, expectations: expectations(&blocks)? };
        lab.check()?;
        Ok(lab)
    }

    pub(crate) fn expectations_of(&self, step: u32) -> impl Iterator<Item = &Expectation> {
        self.expectations.iter().filter(move |expectation| expectation.step == step)
    }

    fn check(&self) -> Result<(), String> {
        let mut steps = BTreeSet::new();
        let mut all = self.rounds.iter().flat_map(|round| &round.steps).peekable();
        while let Some(step) = all.next() {
            if !steps.insert(step.number) || steps.last() != Some(&step.number) {
                return Err(format!("{}: step {} is out of order", step.place, step.number));
            }
            let asks = step.asks_first() && all.peek().is_some_and(|next| next.types_into(step.terminal));
            if !asks && self.expectations_of(step.number).next().is_none() {
                return Err(format!("{}: step {} has no expectation", step.place, step.number));
            }
        }
        for expectation in &self.expectations {
            let Expectation { step, place, .. } = expectation;
            if !steps.contains(step) {
                return Err(format!("{place}: there is no step {step} to expect this of"));
            }
            if !says_something(&expectation.lines) {
                return Err(format!("{place}: the expectation of step {step} accepts anything"));
            }
        }
        if steps.is_empty() { Err("a lab without steps".into()) } else { Ok(()) }
    }
}

/// True if something is left without the wildcards: a word, or a number.
fn says_something(lines: &[String]) -> bool {
    lines.iter().any(|line| line.replace("PORT", "").chars().any(char::is_alphanumeric))
}

fn rounds(blocks: &[Placed]) -> Result<Vec<Round>, String> {
    let mut rounds: Vec<Round> = Vec::new();
    for placed in blocks {
        let (block, file) = (&placed.block, placed.block.attribute("file"));
        let step = placed.placed(block.step())?;
        if file.is_none() && step.is_none() {
            continue;
        }
        // A file of the teacher's page may belong to a round of the student's: it is the answer to it.
        let known = rounds.iter().position(|round| round.title == placed.section);
        let at = known.unwrap_or(rounds.len());
        if known.is_none() {
            rounds.push(Round { title: placed.section.clone(), ..Round::default() });
        }
        let round = &mut rounds[at];
        if let Some(system) = block.attribute("system") {
            round.system = Some(system.to_owned());
        }
        if let Some(name) = file {
            round.files.push((name.to_owned(), block.lines.join("\n") + "\n"));
        }
        round.steps.extend(step.map(|step| Step { step, place: placed.place.clone() }));
    }
    Ok(rounds)
}

fn expectations(blocks: &[Placed]) -> Result<Vec<Expectation>, String> {
    let read = |placed: &Placed| {
        let block = &placed.block;
        Ok(Expectation {
            step: placed.placed(block.required("step"))?,
            terminal: placed.placed(block.number("terminal"))?,
            lines: block.lines.clone(),
            exit: placed.placed(block.number("exit"))?,
            place: placed.place.clone(),
        })
    };
    blocks.iter().filter(|placed| placed.is_expectation()).map(read).collect()
}

/// The fenced blocks of a page, in order.
fn fenced_blocks(name: &str, text: &str) -> Result<Vec<Placed>, String> {
    let (mut blocks, mut open, mut section) = (Vec::new(), None::<Placed>, name.to_owned());
    for (at, line) in text.lines().enumerate() {
        let fence = line.strip_prefix("```");
        match (open.take(), fence) {
            (Some(placed), Some("")) => blocks.push(placed),
            (Some(mut placed), _) => {
                placed.block.lines.push(line.to_owned());
                open = Some(placed);
            }
            (None, Some(info)) => {
                let place = format!("{name}:{}", at + 1);
                open = Some(Placed { block: Block::open(info), section: section.clone(), place });
            }
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    title.clone_into(&mut section);
                }
            }
        }
    }
    match open {
        Some(block) => Err(format!("{}: the block has no end", block.place)),
        None => Ok(blocks),
    }
}

/// How many lines at the front of `output` the expected lines match, as few as possible; with `whole` they
/// must match all of it.
pub(crate) fn matched(expected: &[String], output: &[String], whole: bool) -> Option<usize> {
    let Some((first, rest)) = expected.split_first() else {
        return (!whole || output.is_empty()).then_some(0);
    };
    if first.trim() == ANYTHING.to_string() {
        return (0..=output.len()).find_map(|skip| Some(skip + matched(rest, &output[skip..], whole)?));
    }
    let (line, after) = output.split_first()?;
    if !line_matches(first.trim_end(), line.trim_end()) {
        return None;
    }
    Some(1 + matched(rest, after, whole)?)
}

fn line_matches(expected: &str, line: &str) -> bool {
    let Some((before, rest)) = expected.split_once(ANYTHING) else { return expected == line };
    let Some(tail) = line.strip_prefix(before) else { return false };
    tail.char_indices().map(|(at, _)| at).chain([tail.len()]).any(|at| line_matches(rest, &tail[at..]))
}
