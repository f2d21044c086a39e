//! `--watch`: does something now, and again whenever a program's files have been saved.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use crate::net::Stop;
use crate::text;

use super::UsageError;
use super::output::Output;

/// How often the files are looked at. Polling works on every system and on every file system, a network's too.
const LOOK: Duration = Duration::from_millis(300);
/// How many files are watched: a folder may hold anything.
const MOST: usize = 500;

/// When each file was saved, and its size; `None` while it is missing: editors replace files.
type State = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

/// Does `work`, and again after each save of the files that `command` names, until Ctrl-C. Work that was interrupted says
/// so by its exit code.
///
/// # Errors
/// A command without files; what `work` says at its first time. Later it may fail: the next save mends that.
pub(super) fn again_and_again(
    command: &[OsString],
    mut work: impl FnMut(&Stop) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let Some(first) = named(command).into_iter().next() else {
        let message = "--watch needs a command behind `--` that names the program's file, such as `python3 my_server.py`";
        return Err(UsageError::new(message.to_owned()).into());
    };
    // Installed before the first report: who has seen that may press Ctrl-C.
    let stop = Stop::on_signals_and_hangup()?;
    let mut again = false;
    loop {
        // Taken before the work: what is saved meanwhile is checked next.
        let before = state(command);
        if io::stdout().is_terminal() && again {
            // Home, and everything away: what was scrolled off stays.
            Output::print("\x1b[H\x1b[2J")?;
        }
        match work(&stop) {
            Err(error) if again => {
                Output::note(&format!("error: {}", text::printable(&format!("{error:#}"))));
            }
            Ok(code) if stop.requested() => return Ok(code),
            result => drop(result?),
        }
        again = true;
        let (count, name) =
            (before.len().saturating_sub(1), text::escape(first.as_os_str().as_encoded_bytes()));
        let others = if count == 0 {
            String::new()
        } else {
            format!(" and {} beside it", text::counted(count as u64, "file"))
        };
        Output::note(&format!("waiting for {name}{others} to be saved (Ctrl-C ends)"));
        while state(command) == before {
            if stop.requested() {
                return Ok(ExitCode::SUCCESS);
            }
            std::thread::sleep(LOOK);
        }
        if stop.requested() {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// The files that a command names by a path: not an interpreter that is found by PATH.
fn named(command: &[OsString]) -> Vec<PathBuf> {
    command.iter().map(PathBuf::from).filter(|path| path.is_file()).collect()
}

fn state(command: &[OsString]) -> State {
    let named = named(command);
    let beside = named.first().map(|first| beside(first)).unwrap_or_default();
    let look = |path: PathBuf| {
        let metadata = path.metadata().ok();
        let seen = metadata.and_then(|data| Some((data.modified().ok()?, data.len())));
        (path, seen)
    };
    named.into_iter().chain(beside).map(look).collect()
}

/// The files in the same folder with the same extension: what a program imports.
fn beside(path: &Path) -> Vec<PathBuf> {
    let Some(extension) = path.extension() else { return Vec::new() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else { return Vec::new() };
    // Named as the command would, so that the file itself is not in the list twice.
    let named = |entry: std::fs::DirEntry| match folder {
        Some(folder) => folder.join(entry.file_name()),
        None => PathBuf::from(entry.file_name()),
    };
    let paths = entries.flatten().map(named);
    paths.filter(|path| path.extension() == Some(extension) && path.is_file()).take(MOST).collect()
}
