//! `netlab lab`: the labs in the terminal.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use crate::lab::desk::{Desk, Line};
use crate::lab::list::LabList;
use crate::lab::page::Item;
use crate::lab::progress::{self, Progress};
use crate::lab::session::{Classroom, Session};
use crate::lab::worksheet::{self, Notes};
use crate::lab::{LABS, Lab};
use crate::net::Stop;
use crate::render::{self, Style};
use crate::text::printable;

use super::output::Output;
use super::stdin_lines::StdinLines;
use super::{UsageError, paths};

/// Longest line that is typed, in bytes.
const LONGEST_LINE: usize = 16 << 10;
/// How often Ctrl-C is looked for while a line is awaited.
const LOOK: Duration = Duration::from_millis(50);

/// Walk through a lab, or list the labs with what has been passed here
///
/// Shows the lab, waits for your prediction, and then runs its commands one by one, each when
/// you press Enter; its programs end with it. Its files go to the folder lab-N, for you to
/// edit. What you pass is noted in netlab's data folder and never sent anywhere. Without a terminal the page is printed as text.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  netlab lab                              the labs, and how far you are
  netlab lab 4                            walk through lab 04
  netlab lab 4 --round 2                  go on with its second round
  netlab lab 4 --worksheet                and write lab-04.md, to hand in
  netlab lab 4 --worksheet -o ada.md      under another name
  netlab lab 4 --folder work              its files in the folder work, not lab-04
  netlab lab 4 | less                     read it only"
)]
pub(super) struct LabArgs {
    /// The number of the lab
    #[arg(value_name = "N")]
    number: Option<u32>,
    /// Begin with this round
    #[arg(long, value_name = "N", requires = "number", default_value = "1", hide_default_value = true)]
    round: usize,
    /// Write predictions and observations as Markdown, to hand in [to lab-N.md]
    #[arg(long, requires = "number")]
    worksheet: bool,
    /// Where to write the worksheet
    #[arg(short, long, value_name = "FILE", requires = "worksheet")]
    output: Option<PathBuf>,
    /// Where the lab's files go, and its programs run [default: lab-N]
    #[arg(long, value_name = "DIR", requires = "number")]
    folder: Option<PathBuf>,
    /// Print the list as one JSON document
    #[arg(short = 'J', long, conflicts_with = "number")]
    pub(super) json: bool,
}

impl LabArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let progress = paths::data_folder()?.join("labs.json");
        match self.number {
            None => output.report(&LabList::new(&load(&progress)?), self.json)?,
            Some(number) => {
                let lab = find(number)?;
                if io::stdin().is_terminal() && io::stdout().is_terminal() {
                    self.walk(lab, &progress, output.style)?;
                } else if self.worksheet {
                    return Err(UsageError::new(
                        "a worksheet is written during a walk, which needs a terminal for stdin and stdout"
                            .into(),
                    )
                    .into());
                } else {
                    Output::print(&render::page(&lab.page(), output.style))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn walk(&self, lab: Lab, progress: &Path, style: Style) -> anyhow::Result<()> {
        let page = lab.page();
        let rounds = page.sections.iter().filter(|section| section.is_round()).count();
        if !(1..=rounds).contains(&self.round) {
            let message =
                format!("lab {:02} has the rounds 1 to {rounds}, and no {}", lab.number(), self.round);
            return Err(UsageError::new(message).into());
        }
        // An unreadable file is said before an hour's work, not after it.
        load(progress)?;
        let folder = self.folder.clone().unwrap_or_else(|| format!("lab-{:02}", lab.number()).into());
        let folder = make_folder(&folder)?;
        let stop = Stop::on_signals_and_hangup()?;
        let lines = StdinLines::new(LONGEST_LINE);
        let end = lines.ender();
        let _guard = stop.on_stop(end);
        let netlab = std::env::current_exe().context("find netlab's own file")?;
        let desk = Desk::new(folder, netlab, stop.clone());
        let mut room = Room { style, lines, stop, lab, progress, worksheet: self.sheet(lab)? };
        let notes = Session::new(&page, desk, &mut room).run(self.round)?;
        room.keep(&notes)?;
        room.farewell(&notes)?;
        Ok(())
    }

    /// The worksheet's file, new and empty: nobody's earlier one is lost.
    fn sheet(&self, lab: Lab) -> anyhow::Result<Option<PathBuf>> {
        if !self.worksheet {
            return Ok(None);
        }
        let path = self.output.clone().unwrap_or_else(|| format!("lab-{:02}.md", lab.number()).into());
        let shown = printable(&path.display().to_string());
        match std::fs::File::create_new(&path) {
            Ok(_) => Ok(Some(path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(UsageError {
                message: format!("{shown} is there already"),
                hint: Some("another file: -o FILE".into()),
            }
            .into()),
            Err(error) => Err(anyhow::Error::new(error).context(format!("worksheet {shown}"))),
        }
    }
}

/// A file that can't be used is a matter of this machine's configuration.
fn load(path: &Path) -> Result<Progress, UsageError> {
    Progress::load(path).map_err(|error| UsageError::new(format!("{:#}", anyhow::Error::new(error))))
}

fn find(number: u32) -> Result<Lab, UsageError> {
    let last = LABS.last().map_or(0, |lab| lab.number());
    Lab::find(number).ok_or_else(|| UsageError {
        message: format!("there is no lab {number}: they go from 1 to {last}"),
        hint: Some("`netlab lab` lists them".into()),
    })
}

/// The folder of the lab's files, made if there is none.
fn make_folder(path: &Path) -> anyhow::Result<PathBuf> {
    let shown = printable(&path.display().to_string());
    std::fs::create_dir_all(path).with_context(|| format!("folder {shown} (another one: --folder DIR)"))?;
    // Its programs start there, and look for their home from there.
    std::path::absolute(path).with_context(|| format!("folder {shown}"))
}

/// A lab's student at this terminal.
struct Room<'a> {
    style: Style,
    lines: StdinLines,
    stop: Stop,
    lab: Lab,
    progress: &'a Path,
    worksheet: Option<PathBuf>,
}

impl Room<'_> {
    fn farewell(&self, notes: &Notes) -> io::Result<()> {
        let passed = notes.rounds.iter().filter(|round| round.passed()).count();
        let mut text = format!(
            "\n{} passed now; `netlab lab` lists all.\n",
            crate::text::counted(passed as u64, "round")
        );
        if let Some(path) = &self.worksheet {
            text = format!("{text}worksheet: {}\n", printable(&path.display().to_string()));
        }
        Output::print(&text)
    }
}

impl Classroom for Room<'_> {
    fn heading(&mut self, level: u8, title: &str) -> io::Result<()> {
        Output::print(&render::heading(level, title, self.style))
    }

    fn item(&mut self, item: &Item) -> io::Result<()> {
        Output::print(&render::page_item(item, self.style))
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        // A tab is a blank of some width; what else a terminal obeys is escaped.
        let text = line.text.replace('\t', "    ");
        Output::print(&format!("  [{}] {}\n", line.terminal, printable(&text)))
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        Output::print(&format!("{text}\n"))
    }

    fn ask(&mut self, prompt: &str) -> io::Result<Option<String>> {
        if !prompt.is_empty() {
            Output::print(&format!("{prompt}\n"))?;
        }
        let stop = self.stop.clone();
        let stopped = || if stop.requested() { Err(()) } else { Ok(()) };
        let line = match self.lines.next_while(LOOK, stopped) {
            Ok(Some(line)) => line?,
            Ok(None) | Err(()) => return Ok(None),
        };
        io::stdout().flush()?;
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }

    fn keep(&mut self, notes: &Notes) -> io::Result<()> {
        let day = progress::today();
        let note = || {
            let mut progress = Progress::load(self.progress)?;
            for round in notes.rounds.iter().filter(|round| round.passed()) {
                progress.pass_round(self.lab.name, &round.title, &day);
            }
            progress.save(self.progress)
        };
        note().map_err(io::Error::other)?;
        match &self.worksheet {
            Some(path) => std::fs::write(path, worksheet::markdown(notes, &day)),
            None => Ok(()),
        }
    }
}
