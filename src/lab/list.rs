//! The list of labs, with what has been passed.

use serde::Serialize;

use super::progress::Progress;
use super::{LABS, Lab};
use crate::report::{Block, Report, Table};

/// Every lab, and how far it has been done on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabList {
    /// The labs, in their order.
    pub labs: Vec<LabState>,
}

/// A lab and how far it has been done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabState {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: &'static str,
    /// Its subject.
    pub title: String,
    /// True if all its rounds and exercises have been passed.
    pub passed: bool,
    /// Its rounds.
    pub rounds: Vec<Passed>,
    /// What `netlab check` asks for it.
    pub exercises: Vec<Passed>,
}

/// A round or an exercise, and whether it was passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// Its name.
    pub name: String,
    /// The day, as `2026-01-31`, or none.
    pub passed_on: Option<String>,
}

impl LabList {
    /// The list, by what has been noted.
    #[must_use]
    pub fn new(progress: &Progress) -> LabList {
        LabList { labs: LABS.iter().map(|lab| state(*lab, progress)).collect() }
    }
}

fn state(lab: Lab, progress: &Progress) -> LabState {
    let page = lab.page();
    let passed = |name: String, day: Option<&str>| Passed { name, passed_on: day.map(str::to_owned) };
    let rounds: Vec<Passed> = page
        .sections
        .iter()
        .filter(|section| section.is_round())
        .map(|section| passed(section.title.clone(), progress.round(lab.name, &section.title)))
        .collect();
    let exercises: Vec<Passed> =
        lab.exercises().into_iter().map(|name| passed(name.to_owned(), progress.exercise(name))).collect();
    let title = page.title.split_once(": ").map_or(page.title.as_str(), |(_, title)| title).to_owned();
    let all = rounds.iter().chain(&exercises).all(|part| part.passed_on.is_some());
    LabState { number: lab.number(), name: lab.name, title, passed: all, rounds, exercises }
}

impl Report for LabList {
    fn blocks(&self) -> Vec<Block> {
        let mut table = Table::new(&[">lab", "subject", ">rounds", "exercises (* passed)"]);
        for lab in &self.labs {
            let done = lab.rounds.iter().filter(|round| round.passed_on.is_some()).count();
            let exercise = |exercise: &Passed| {
                let mark = if exercise.passed_on.is_some() { "*" } else { "" };
                format!("{}{mark}", exercise.name)
            };
            table.row([
                format!("{:02}", lab.number),
                lab.title.clone(),
                format!("{done}/{}", lab.rounds.len()),
                lab.exercises.iter().map(exercise).collect::<Vec<_>>().join(", "),
            ]);
        }
        let how = "`netlab lab N` walks through a lab, `netlab check EXERCISE` checks your own program. What you pass \
                   is noted on this machine alone.";
        vec![Block::Table(table), Block::Text(String::new()), Block::Text(how.to_owned())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_is_passed_when_all_of_it_is() {
        let lab = LABS[0];
        let mut progress = Progress::default();
        for section in lab.page().sections.iter().filter(|section| section.is_round()) {
            assert!(!state(lab, &progress).passed);
            progress.pass_round(lab.name, &section.title, "2026-01-01");
        }
        for exercise in lab.exercises() {
            assert!(!state(lab, &progress).passed);
            progress.pass_exercise(exercise, "2026-01-01");
        }
        assert!(state(lab, &progress).passed);
        assert!(!LabList::new(&progress).labs[1].passed);
    }
}
