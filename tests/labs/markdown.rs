//! Reads a lab: the steps of a student's page and a teacher's page, and what each step must show.
//!
//! The convention is explained to authors in `labs/README.md`. Nothing is run here.

use std::collections::{BTreeMap, BTreeSet};

/// The mark that stands for anything: within a line for any text, alone for any number of lines.
pub(crate) const ANYTHING: char = '…';

/// A fenced block: ```` ```KIND key=value flag ````.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    /// `sh`, `keys`, `python`, `text`.
    pub(crate) kind: String,
    attributes: BTreeMap<String, String>,
    /// What stands in it.
    pub(crate) lines: Vec<String>,
    /// The `##` section it stands in.
    section: String,
    /// File and line, for messages.
    pub(crate) place: String,
}

impl Block {
    /// The value of an attribute; empty for a flag.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let parse = |value: &str| value.parse().map_err(|_| format!("{}: {name}={value}", self.place));
        self.attribute(name).map(parse).transpose()
    }

    fn required(&self, name: &str) -> Result<u32, String> {
        self.number(name)?.ok_or_else(|| format!("{}: a `{}` block needs {name}=N", self.place, self.kind))
    }
}

/// What is done in a step.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// A command is started; one that keeps running is left to later steps.
    Run { command: String, keeps_running: bool },
    /// Lines are typed into the program that runs there.
    Keys(Vec<String>),
}

/// One step of a lab.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) number: u32,
    pub(crate) terminal: u32,
    pub(crate) action: Action,
    pub(crate) place: String,
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
        if let Some(block) = blocks.iter().find(|b| b.kind == "text" && b.attribute("step").is_some()) {
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

fn rounds(blocks: &[Block]) -> Result<Vec<Round>, String> {
    let mut rounds: Vec<Round> = Vec::new();
    for block in blocks {
        let is_file = block.attribute("file").is_some();
        let is_step = matches!(block.kind.as_str(), "sh" | "keys");
        if !is_file && !is_step {
            continue;
        }
        // A file of the teacher's page may belong to a round of the student's: it is the answer to it.
        let known = rounds.iter().position(|round| round.title == block.section);
        let at = known.unwrap_or(rounds.len());
        if known.is_none() {
            rounds.push(Round { title: block.section.clone(), ..Round::default() });
        }
        let round = &mut rounds[at];
        if let Some(system) = block.attribute("system") {
            round.system = Some(system.to_owned());
        }
        match block.attribute("file") {
            Some(name) => round.files.push((name.to_owned(), block.lines.join("\n") + "\n")),
            None => round.steps.push(step(block)?),
        }
    }
    Ok(rounds)
}

fn step(block: &Block) -> Result<Step, String> {
    let action = match (block.kind.as_str(), block.lines.as_slice()) {
        ("keys", lines) => Action::Keys(lines.to_vec()),
        (_, [command]) => {
            let keeps_running = block.attribute("keeps-running").is_some();
            Action::Run { command: command.clone(), keeps_running }
        }
        _ => return Err(format!("{}: a step is one command", block.place)),
    };
    Ok(Step {
        number: block.required("step")?,
        terminal: block.required("terminal")?,
        action,
        place: block.place.clone(),
    })
}

fn expectations(blocks: &[Block]) -> Result<Vec<Expectation>, String> {
    let expected = blocks.iter().filter(|block| block.kind == "text" && block.attribute("step").is_some());
    let read = |block: &Block| {
        Ok(Expectation {
            step: block.required("step")?,
            terminal: block.number("terminal")?,
            lines: block.lines.clone(),
            exit: block.number("exit")?,
            place: block.place.clone(),
        })
    };
    expected.map(read).collect()
}

/// The fenced blocks of a page, in order.
fn fenced_blocks(name: &str, text: &str) -> Result<Vec<Block>, String> {
    let (mut blocks, mut open, mut section) = (Vec::new(), None::<Block>, name.to_owned());
    for (at, line) in text.lines().enumerate() {
        let fence = line.strip_prefix("```");
        match (open.take(), fence) {
            (Some(block), Some("")) => blocks.push(block),
            (Some(mut block), _) => {
                block.lines.push(line.to_owned());
                open = Some(block);
            }
            (None, Some(info)) => open = Some(block(info, &section, format!("{name}:{}", at + 1))),
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

fn block(info: &str, section: &str, place: String) -> Block {
    let mut words = info.split_whitespace();
    let kind = words.next().unwrap_or_default().to_owned();
    let attribute = |word: &str| {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        (key.to_owned(), value.to_owned())
    };
    let attributes = words.map(attribute).collect();
    Block { kind, attributes, lines: Vec::new(), section: section.to_owned(), place }
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
