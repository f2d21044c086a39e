//! `netlab lab`: the labs in the terminal.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use crate::lab::classroom::Classroom;
use crate::lab::desk::{Desk, Line};
use crate::lab::list::LabList;
use crate::lab::page::{Item, Page};
use crate::lab::progress::{self, Progress};
use crate::lab::session::Session;
use crate::lab::worksheet::{self, Notes, Round};
use crate::lab::{LABS, Lab};
use crate::net::Stop;
use crate::render::{self, Style};
use crate::text::{counted, printable};

use super::output::{Output, screen, screen_width};
use super::pager::Pager;
use super::stdin_lines::StdinLines;
use super::{UsageError, paths};

/// Longest line that is typed, in bytes.
const LONGEST_LINE: usize = 16 << 10;
/// Lines that come this soon after one another were pasted together.
const PASTE: Duration = Duration::from_millis(20);
/// Rows that a heading wants: its own, and the first of its text.
const HEADING: usize = 6;
/// What is asked when the screen is full.
const MORE: &str = "Enter reads on, q leaves.";
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
  netlab lab 4 --worksheet                and write lab-04.md, to hand in, or go on with it
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
        let rounds = page.rounds().count();
        if !(1..=rounds).contains(&self.round) {
            let message =
                format!("lab {:02} has the rounds 1 to {rounds}, and no {}", lab.number(), self.round);
            return Err(UsageError::new(message).into());
        }
        // An unreadable file is said before an hour's work, not after it.
        let before = load(progress)?;
        let folder = self.folder.clone().unwrap_or_else(|| format!("lab-{:02}", lab.number()).into());
        let folder = make_folder(&folder)?;
        let stop = Stop::on_signals_and_hangup()?;
        let lines = StdinLines::new(LONGEST_LINE);
        let end = lines.ender();
        let _guard = stop.on_stop(end);
        let netlab = std::env::current_exe().context("find netlab's own file")?;
        let desk = Desk::new(folder, netlab, stop.clone());
        let sheet = self.sheet(lab.number(), &page.title)?;
        let mut room =
            Room { style, lines, stop, lab, progress, sheet, told: false, pager: Pager::default() };
        room.welcome(&page, &before, self.round)?;
        let notes = Session::new(&page, desk, &mut room).run(self.round)?;
        room.note_passed(&notes);
        let written = room.write_sheet(&notes);
        room.farewell(&page, &notes)?;
        written
    }

    /// The worksheet's file. One of this lab is gone on with; nobody's other file is touched.
    fn sheet(&self, number: u32, title: &str) -> anyhow::Result<Option<Sheet>> {
        if !self.worksheet {
            return Ok(None);
        }
        let path = self.output.clone().unwrap_or_else(|| format!("lab-{number:02}.md").into());
        let shown = printable(&path.display().to_string());
        let earlier = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(anyhow::Error::new(error).context(format!("worksheet {shown}"))),
        };
        if !worksheet::is_of(&earlier, title) {
            return Err(UsageError {
                message: format!("{shown} is there already, and is no worksheet of this lab"),
                hint: Some("another file: -o FILE".into()),
            }
            .into());
        }
        // What can't be written is said now, not at the end.
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
        file.with_context(|| format!("worksheet {shown}"))?;
        Ok(Some(Sheet { path, earlier }))
    }
}

/// A worksheet, and what an earlier walk has left in it.
struct Sheet {
    path: PathBuf,
    earlier: String,
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
    sheet: Option<Sheet>,
    /// True once it was said that the progress can't be noted.
    told: bool,
    pager: Pager,
}

impl Room<'_> {
    /// Says where the last walk came to.
    fn welcome(&mut self, page: &Page, before: &Progress, from: usize) -> io::Result<()> {
        let rounds: Vec<&str> = page.rounds().collect();
        let passed = |title: &&str| before.round(self.lab.name, title).is_some();
        let done = rounds.iter().take_while(|title| passed(title)).count();
        if from > 1 || done == 0 || done == rounds.len() {
            return Ok(());
        }
        let next = format!("netlab lab {} --round {}", self.lab.number(), done + 1);
        self.print(&format!("{} passed before: `{next}` goes on there.\n\n", counted(done as u64, "round")))
    }

    fn farewell(&self, page: &Page, notes: &Notes) -> io::Result<()> {
        let passed = notes.rounds.iter().filter(|round| round.passed()).count();
        let mut text = format!("\n{} passed now; `netlab lab` lists all.\n", counted(passed as u64, "round"));
        if let Some(left) = notes.rounds.last().filter(|round| !round.finished) {
            let at = page.rounds().position(|title| title == left.title).map_or(1, |at| at + 1);
            text = format!("{text}`netlab lab {} --round {at}` goes on.\n", self.lab.number());
        }
        if let Some(sheet) = self.sheet.as_ref().filter(|sheet| sheet.path.exists()) {
            text = format!("{text}worksheet: {}\n", printable(&sheet.path.display().to_string()));
        }
        Output::print(&text)
    }

    /// Notes what was passed. A folder that can't be written is said, once, and is no reason to end a lab.
    fn note_passed(&mut self, notes: &Notes) {
        let passed: Vec<&Round> = notes.rounds.iter().filter(|round| round.passed()).collect();
        if passed.is_empty() {
            return;
        }
        let outcome = Progress::update(self.progress, |progress| {
            for round in passed {
                progress.pass_round(self.lab.name, &round.title, &progress::today());
            }
        });
        if let Err(error) = outcome
            && !std::mem::replace(&mut self.told, true)
        {
            let error = printable(&format!("{:#}", anyhow::Error::new(error)));
            Output::note(&format!("warning: it can't be noted what you pass: {error}"));
        }
    }

    fn write_sheet(&self, notes: &Notes) -> anyhow::Result<()> {
        let Some(Sheet { path, earlier }) = &self.sheet else { return Ok(()) };
        let shown = || format!("worksheet {}", printable(&path.display().to_string()));
        if notes.rounds.is_empty() {
            // Nothing to hand in: an empty file would only be in the way.
            return if earlier.is_empty() { std::fs::remove_file(path).with_context(shown) } else { Ok(()) };
        }
        let gap = if earlier.is_empty() { "" } else { "\n" };
        let text = format!("{earlier}{gap}{}", worksheet::markdown(notes, &progress::today()));
        progress::replace(path, &text).with_context(shown)
    }

    /// Shows text that nobody waits for: a program's, or a line before a question.
    fn print(&mut self, text: &str) -> io::Result<()> {
        self.pager.shown(text, screen().0);
        Output::print(text)
    }

    /// Shows text of the page, and waits whenever the screen is full; it begins where so many rows are free.
    fn show(&mut self, text: &str, together: usize) -> io::Result<ControlFlow<()>> {
        let mut rest = text;
        loop {
            let (now, later) = self.pager.split(rest, together, screen());
            Output::print(now)?;
            rest = later;
            if rest.is_empty() {
                return Ok(ControlFlow::Continue(()));
            }
            match self.ask(MORE)? {
                Some(answer) if !answer.trim().eq_ignore_ascii_case("q") => {}
                _ => return Ok(ControlFlow::Break(())),
            }
        }
    }

    /// The style, at the width that the terminal has now.
    fn style(&self) -> Style {
        Style { width: screen_width(), ..self.style }
    }
}

impl Classroom for Room<'_> {
    fn heading(&mut self, level: u8, title: &str) -> io::Result<ControlFlow<()>> {
        self.show(&render::heading(level, title, self.style()), HEADING)
    }

    fn item(&mut self, item: &Item) -> io::Result<ControlFlow<()>> {
        self.show(&render::page_item(item, self.style()), 1)
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        // A tab is a blank of some width; what else a terminal obeys is escaped.
        let text = line.text.replace('\t', "    ");
        self.print(&format!("  [{}] {}\n", line.terminal, printable(&text)))
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.print(&format!("{text}\n"))
    }

    fn ask(&mut self, prompt: &str) -> io::Result<Option<String>> {
        if !prompt.is_empty() {
            // What was typed or pasted before the question answers nothing, and never the next prediction.
            while self.lines.take_unasked(PASTE) {}
            Output::print(&format!("{prompt}\n"))?;
        }
        self.pager.turn();
        let stop = self.stop.clone();
        let stopped = || if stop.requested() { Err(()) } else { Ok(()) };
        let line = match self.lines.next_while(LOOK, stopped) {
            Ok(Some(line)) => line?,
            Ok(None) | Err(()) => return Ok(None),
        };
        io::stdout().flush()?;
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }

    fn typed(&mut self) -> bool {
        self.lines.take_unasked(Duration::ZERO)
    }

    fn keep(&mut self, notes: &Notes) -> io::Result<()> {
        self.note_passed(notes);
        // The end tries again, and reports what is wrong.
        if let Err(error) = self.write_sheet(notes) {
            Output::note(&format!("warning: {}", printable(&format!("{error:#}"))));
        }
        Ok(())
    }
}
