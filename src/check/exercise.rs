//! An exercise: what students are asked to write, in words and in cases.

use std::sync::Arc;

use super::case::Case;
use super::exercises;
use super::plan::Dialect;
use super::variant::Variant;
use crate::net::table::Transport;

/// The section of a lab to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lab {
    /// Its folder in `labs/`.
    pub folder: &'static str,
    /// Its heading.
    pub section: &'static str,
}

/// An exercise, ready to be run.
#[derive(Clone)]
pub struct Exercise {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// The whole specification, in lines of Markdown.
    pub specification: String,
    /// What to read.
    pub lab: Lab,
    /// TCP or UDP.
    pub transport: Transport,
    /// The server may serve one client and end: it is started again for each trial.
    pub once: bool,
    /// Variables that the server finds in its environment, besides its address.
    pub env: Vec<(&'static str, String)>,
    /// Where the server keeps files: the variable that names the folder, which is made for each start.
    pub folder_env: Option<&'static str>,
    /// How it speaks.
    pub dialect: Arc<dyn Dialect>,
    /// What is asked of servers.
    pub cases: Vec<Case>,
}

impl std::fmt::Debug for Exercise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exercise")
            .field("name", &self.name)
            .field("cases", &self.cases.len())
            .finish_non_exhaustive()
    }
}

impl Exercise {
    /// The names of all exercises, as a ladder: from the easiest up.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        exercises::ALL.iter().map(|(name, _)| *name).collect()
    }

    /// The exercise of this name, altered by `variant`; `seed` chooses its messages' texts.
    #[must_use]
    pub fn find(name: &str, variant: &Variant, seed: u64) -> Option<Exercise> {
        let (_, make) = exercises::ALL.iter().find(|(own, _)| *own == name)?;
        Some(make(variant, seed))
    }
}
