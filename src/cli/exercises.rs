//! `netlab exercises`.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::check::{Exercise, Variant, client};
use crate::report::{Block, Report, Table};

use super::UsageError;
use super::output::Output;

/// List the exercises, or show one's specification
///
/// An exercise is a program to write, in any language; `netlab check` says what is wrong with it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab exercises                                  the list
  netlab exercises framed-echo-u16                  what to write
  netlab exercises framed-echo-u16 --client         what to write as its client
  netlab exercises framed-echo-u16 --variant 2027   this year's form of it")]
pub(super) struct ExercisesArgs {
    /// The exercise whose specification to show
    #[arg(value_name = "EXERCISE")]
    name: Option<String>,
    /// Alter lengths and texts by this number
    #[arg(long, value_name = "SEED")]
    variant: Option<u64>,
    /// Show what its client has to do, and the cases of `netlab check --client`
    #[arg(long, requires = "name")]
    client: bool,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
}

/// What students read.
#[derive(Debug, Serialize)]
struct Entry {
    name: &'static str,
    summary: &'static str,
    transport: crate::net::table::Transport,
    specification: String,
    lab: crate::check::Lab,
    cases: Vec<CaseEntry>,
}

#[derive(Debug, Serialize)]
struct CaseEntry {
    name: &'static str,
    expected: String,
    needs: Vec<&'static str>,
    points: u32,
}

#[derive(Debug, Serialize)]
struct List {
    variant: Option<u64>,
    exercises: Vec<Entry>,
    #[serde(skip)]
    whole: bool,
}

impl ExercisesArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let variant = variant(self.variant);
        let exercises = match &self.name {
            Some(name) if self.client => vec![client_entry(find(name, &variant, 0)?)],
            Some(name) => vec![entry(find(name, &variant, 0)?)],
            None => Exercise::names()
                .into_iter()
                .filter_map(|name| Exercise::find(name, &variant, 0))
                .map(entry)
                .collect(),
        };
        let list = List { variant: self.variant, exercises, whole: self.name.is_some() };
        output.report(&list, self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn entry(exercise: Exercise) -> Entry {
    let case = |case: crate::check::case::Case| CaseEntry {
        name: case.name,
        expected: case.expected,
        needs: case.needs,
        points: case.points,
    };
    Entry {
        name: exercise.name,
        summary: exercise.summary,
        transport: exercise.transport,
        lab: exercise.lab,
        cases: exercise.cases.into_iter().map(case).collect(),
        specification: exercise.specification,
    }
}

/// The same of its client.
fn client_entry(exercise: Exercise) -> Entry {
    let specification = client::specification(&exercise);
    let case = |case: client::CaseLine| CaseEntry {
        name: case.name,
        expected: case.expected.to_owned(),
        needs: case.needs.to_vec(),
        points: u32::from(!case.needs.is_empty()),
    };
    let cases = client::case_lines(&exercise).into_iter().map(case).collect();
    Entry { specification, cases, ..entry(exercise) }
}

/// The exercise of this name, or a message that lists them.
pub(super) fn find(name: &str, variant: &Variant, seed: u64) -> Result<Exercise, UsageError> {
    Exercise::find(name, variant, seed).ok_or_else(|| {
        let name = crate::text::escape(name.as_bytes());
        UsageError::new(format!("`{name}` is no exercise: there are {}", Exercise::names().join(", ")))
    })
}

/// The variant of a seed, or the exercise as the course has it.
pub(super) fn variant(seed: Option<u64>) -> Variant {
    seed.map_or_else(Variant::plain, Variant::of)
}

impl Report for List {
    fn blocks(&self) -> Vec<Block> {
        match self.exercises.as_slice() {
            [one] if self.whole => one.blocks(),
            all => {
                let mut table = Table::new(&["exercise", "what to write"]);
                for entry in all {
                    table.row([entry.name.to_owned(), entry.summary.to_owned()]);
                }
                let next =
                    "`netlab exercises NAME` shows what to write, `netlab check NAME -- COMMAND` checks it.";
                let client = "Each has a client to write, too: both take --client.";
                let text = |text: &str| Block::Text(text.to_owned());
                vec![Block::Table(table), text(""), text(next), text(client)]
            }
        }
    }
}

impl Entry {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks =
            vec![Block::Text(format!("{}: {}", self.name, self.summary)), Block::Text(String::new())];
        blocks.extend(self.specification.lines().map(|line| Block::Text(line.to_owned())));
        let address = "The port comes in the variable NETLAB_PORT, and as `{port}` in the command that is checked; the host is 127.0.0.1.";
        blocks.extend([
            Block::Text(String::new()),
            Block::Text(address.to_owned()),
            Block::Text(String::new()),
        ]);
        let mut table = Table::new(&["case", "what is expected"]);
        for case in &self.cases {
            table.row([case.name.to_owned(), case.expected.clone()]);
        }
        blocks.push(Block::Table(table));
        blocks.extend([Block::Text(String::new()), Block::Text(format!("Read: {}", self.lab))]);
        blocks
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn labs_speak_of_the_exercises_that_there_are() {
        assert_eq!(crate::check::Exercise::names(), crate::lab::EXERCISES);
    }
}
