//! One walk through a lab: the prediction first, then the steps, then what was seen and why.
//!
//! ```text
//! section ──► Predict ──(answer)──► Run: step ──(key)──► output ... ──► Observe ──(notes)──► Explain ──(answers)──► next
//! ```
//! What stands behind the prediction is shown only after it was given. The walk knows no terminal: it shows and asks
//! through a [`Classroom`].

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::block::{Action, Block, Step};
use super::classroom::Classroom;
use super::desk::{Audience, Desk, Line};
use super::page::{Choice, Item, Page, Part, Section};
use super::worksheet::{Notes, Ran, Round};

/// Longest text of an answer that is kept, in characters.
const LONGEST_ANSWER: usize = 4_000;
/// After which time of waiting for a command it is said how to end it.
const LONG: Duration = Duration::from_secs(5);

/// A walk through a page.
#[derive(Debug)]
pub struct Session<'a, C> {
    page: &'a Page,
    desk: Desk,
    classroom: &'a mut C,
    notes: Notes,
}

/// The student left before the end.
struct Left;

/// How a part of the walk ended early.
enum Halt {
    Left,
    Broken(io::Error),
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Halt {
        Halt::Broken(error)
    }
}

impl From<Left> for Halt {
    fn from(_: Left) -> Halt {
        Halt::Left
    }
}

type Walk<T = ()> = Result<T, Halt>;

impl<'a, C: Classroom> Session<'a, C> {
    /// A walk that begins at the top.
    pub fn new(page: &'a Page, desk: Desk, classroom: &'a mut C) -> Session<'a, C> {
        let notes = Notes { title: page.title.clone(), rounds: Vec::new() };
        Session { page, desk, classroom, notes }
    }

    /// Walks to the end, or until the student leaves; with `from_round` the rounds before it are passed over.
    ///
    /// # Errors
    /// A classroom that is gone.
    pub fn run(mut self, from_round: usize) -> io::Result<Notes> {
        let walked = self.sections(from_round);
        self.desk.clear(&mut |_: Line| {});
        match walked {
            Ok(()) | Err(Halt::Left) => Ok(self.notes),
            Err(Halt::Broken(error)) => Err(error),
        }
    }

    fn sections(&mut self, from_round: usize) -> Walk {
        let page = self.page;
        self.heading(1, &page.title)?;
        let mut round = 0;
        for section in &page.sections {
            round += usize::from(section.is_round());
            if section.is_round() && round < from_round {
                self.files_of(section);
                continue;
            }
            if !section.title.is_empty() {
                self.heading(2, &section.title)?;
            }
            self.section(section)?;
            if section.is_round() {
                self.classroom.keep(&self.notes)?;
            }
        }
        Ok(())
    }

    /// Saves what is missing of the files of a round that is passed over: later ones may use them.
    fn files_of(&self, section: &Section) {
        for block in section.blocks() {
            if let Some(path) = self.path_of(block) {
                // The step that needs it will say that it is missing.
                let _ = std::fs::File::create_new(path)
                    .and_then(|mut file| file.write_all(content(block).as_bytes()));
            }
        }
    }

    /// Where a block that is a file is saved. The pages are our own, and yet: nothing is written outside of the folder.
    fn path_of(&self, block: &Block) -> Option<PathBuf> {
        Some(self.desk.folder().join(Path::new(block.attribute("file")?).file_name()?))
    }

    fn section(&mut self, section: &Section) -> Walk {
        if section.is_round() {
            self.notes.rounds.push(Round { title: section.title.clone(), ..Round::default() });
        }
        for part in &section.parts {
            self.part(part, section.is_round())?;
        }
        self.clear()?;
        if section.is_round() {
            self.round().finished = true;
        } else if !section.parts.iter().all(|part| part.items.is_empty()) {
            self.choose("Enter goes on, q leaves.", "")?;
        }
        Ok(())
    }

    fn part(&mut self, part: &Part, in_round: bool) -> Walk {
        if !part.title.is_empty() {
            self.heading(3, &part.title)?;
        }
        for item in &part.items {
            match item {
                Item::Code(block) if in_round => self.block(block, item)?,
                item => self.item(item)?,
            }
        }
        match part.title.as_str() {
            _ if !in_round => {}
            "Predict" => self.predict(&part.choices())?,
            "Observe" => {
                let text = self.lines("What did you observe? Lines; an empty one ends them.")?;
                self.round().observations = text;
            }
            "Explain" => {
                let text = self.lines("Your answers. Lines; an empty one ends them.")?;
                self.round().explanations = text;
            }
            _ => {}
        }
        Ok(())
    }

    fn heading(&mut self, level: u8, title: &str) -> Walk {
        reads_on(self.classroom.heading(level, title)?)
    }

    fn item(&mut self, item: &Item) -> Walk {
        reads_on(self.classroom.item(item)?)
    }

    /// Waits for a prediction: nothing goes on without one.
    fn predict(&mut self, choices: &[Choice]) -> Walk {
        let letters: Vec<String> = choices.iter().map(|choice| choice.letter.to_string()).collect();
        let letters = letters.join(" or ");
        let prompt = format!("Your prediction: {letters}, and why, if you like.");
        loop {
            let answer = self.answer(&prompt)?;
            let mut characters = answer.chars();
            let letter = characters.next().map(|c| c.to_ascii_uppercase());
            let apart = characters.clone().next().is_none_or(|c| !c.is_alphanumeric());
            let chosen = choices.iter().find(|choice| Some(choice.letter) == letter && apart);
            if let Some(choice) = chosen {
                let why = characters.as_str().trim_start_matches([',', '.', ':', ';', ' ']).to_owned();
                let round = self.round();
                round.prediction = Some(choice.clone());
                round.why = why;
                return Ok(self.classroom.say("")?);
            }
            self.classroom.say(&format!("{letters}, please: what comes next shows what happens."))?;
        }
    }

    fn block(&mut self, block: &Block, item: &Item) -> Walk {
        if let Some(path) = self.path_of(block) {
            self.item(item)?;
            return self.save(&path, &content(block));
        }
        match block.step() {
            Ok(Some(step)) => self.step(&step, block.attribute("system")),
            Ok(None) => self.item(item),
            Err(fault) => Ok(self.classroom.say(&format!("This step can't be read: {fault}"))?),
        }
    }

    /// Saves a file of the page; one that the student has changed only with his leave.
    fn save(&mut self, path: &Path, content: &str) -> Walk {
        let shown = crate::text::printable(&path.display().to_string());
        let there = std::fs::read(path).ok();
        if there.as_deref() == Some(content.as_bytes()) {
            return Ok(self.classroom.say(&format!("{shown} is there already."))?);
        }
        if there.is_some() {
            let prompt = format!("{shown} is another one: Enter keeps it, r replaces it.");
            if self.choose(&prompt, "r")?.is_none() {
                return Ok(());
            }
        }
        let text = match std::fs::write(path, content) {
            Ok(()) => format!("saved: {shown}"),
            Err(error) => format!("not saved: {shown}: {error}"),
        };
        Ok(self.classroom.say(&text)?)
    }

    fn step(&mut self, step: &Step, system: Option<&str>) -> Walk {
        self.poll()?;
        let terminal = step.terminal;
        let shown = match &step.action {
            Action::Run { command, .. } => format!("terminal {terminal} $ {}", self.desk.with_port(command)),
            Action::Keys(keys) => {
                let shown =
                    |key: &String| if key.is_empty() { "Enter".into() } else { self.desk.with_port(key) };
                format!("terminal {terminal} < {}", keys.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
        };
        if let Some(system) = system.filter(|system| *system != std::env::consts::OS) {
            return Ok(self.classroom.say(&format!("{shown}\n(step {}: on {system} only)", step.number))?);
        }
        self.classroom.say(&shown)?;
        let left_out = self.choose("Enter does it, s leaves it out, q leaves.", "s")?.is_some();
        let mut ran = Ran { number: step.number, shown, output: Vec::new() };
        if left_out {
            self.round().skipped = true;
            ran.output.push("(left out)".into());
        } else {
            self.run_step(step, &mut ran)?;
        }
        self.round().steps.push(ran);
        Ok(self.classroom.say("")?)
    }

    fn run_step(&mut self, step: &Step, ran: &mut Ran) -> Walk {
        let mut watching = Watching { classroom: self.classroom, ran, told: false, broken: None };
        let done = self.desk.step(step, &mut watching);
        if let Some(error) = watching.broken {
            return Err(error.into());
        }
        if let Err(error) = done {
            self.round().skipped = true;
            ran.output.push(format!("({error})"));
            self.classroom.say(&format!("This step failed: {error}"))?;
        }
        Ok(())
    }

    /// Shows what programs have printed meanwhile; it belongs to the step before.
    fn poll(&mut self) -> Walk {
        self.late(Desk::poll)
    }

    /// The same, and ends them all.
    fn clear(&mut self) -> Walk {
        self.late(|desk, show| {
            desk.clear(show);
            0
        })
    }

    fn late(&mut self, take: impl FnOnce(&mut Desk, &mut dyn Audience) -> usize) -> Walk {
        let mut lines = Vec::new();
        take(&mut self.desk, &mut |line: Line| lines.push(line));
        for line in lines {
            self.classroom.line(&line)?;
            if let Some(ran) = self.notes.rounds.last_mut().and_then(|round| round.steps.last_mut()) {
                ran.output.push(noted(&line));
            }
        }
        Ok(())
    }

    /// The round that is walked through.
    fn round(&mut self) -> &mut Round {
        self.notes.rounds.last_mut().expect("predictions and steps are asked for in rounds only")
    }

    fn lines(&mut self, prompt: &str) -> Walk<Vec<String>> {
        let mut lines: Vec<String> = Vec::new();
        let mut prompt = prompt;
        loop {
            let line = self.line(prompt)?;
            prompt = "";
            let kept: usize = lines.iter().map(String::len).sum();
            if line.trim().is_empty() {
                return Ok(lines);
            }
            if kept < LONGEST_ANSWER {
                lines.push(line);
            }
        }
    }

    /// Waits for Enter or one of the letters in `keys`, and nothing else: whatever was pasted runs no command.
    fn choose(&mut self, prompt: &str, keys: &str) -> Walk<Option<char>> {
        loop {
            let answer = self.answer(prompt)?.to_ascii_lowercase();
            let mut characters = answer.chars();
            match (characters.next(), characters.next()) {
                (None, _) => return Ok(None),
                (Some(key), None) if keys.contains(key) => return Ok(Some(key)),
                _ => {}
            }
        }
    }

    /// A short answer; `q` leaves.
    fn answer(&mut self, prompt: &str) -> Walk<String> {
        let answer = self.line(prompt)?.trim().to_owned();
        if answer.eq_ignore_ascii_case("q") { Err(Left.into()) } else { Ok(answer) }
    }

    fn line(&mut self, prompt: &str) -> Walk<String> {
        let line = self.classroom.ask(prompt)?.ok_or(Left)?;
        Ok(line.chars().filter(|c| !c.is_control()).take(LONGEST_ANSWER).collect())
    }
}

fn reads_on(flow: ControlFlow<()>) -> Walk {
    if flow.is_break() { Err(Halt::Left) } else { Ok(()) }
}

/// A student who watches a step.
struct Watching<'a, C> {
    classroom: &'a mut C,
    ran: &'a mut Ran,
    /// True once it was said how to end the command.
    told: bool,
    broken: Option<io::Error>,
}

impl<C: Classroom> Audience for Watching<'_, C> {
    fn line(&mut self, line: Line) {
        self.ran.output.push(noted(&line));
        if let Err(error) = self.classroom.line(&line) {
            self.broken.get_or_insert(error);
        }
    }

    fn had_enough(&mut self, terminal: u32, waited: Duration) -> bool {
        if waited >= LONG && !self.told {
            self.told = true;
            if let Err(error) = self.classroom.say(&format!("(terminal {terminal} is busy: Enter ends it)")) {
                self.broken.get_or_insert(error);
            }
        }
        self.classroom.typed() && self.told || self.broken.is_some()
    }
}

/// A line for the worksheet: a tab is a blank of some width, and what else a terminal obeys is escaped.
fn noted(line: &Line) -> String {
    format!("[{}] {}", line.terminal, crate::text::printable(&line.text.replace('\t', "    ")))
}

fn content(block: &Block) -> String {
    block.lines.join("\n") + "\n"
}
