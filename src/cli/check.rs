//! `netlab check`.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::check::case::Case;
use crate::check::grade::{self, Points, PointsError};
use crate::check::{self, CheckEvent, CheckReport, Config, Exercise, Target};
use crate::lab::progress;
use crate::net::{Address, Stop, StopGuard};
use crate::process::{self, Program, Scratch};
use crate::render::grading::{self, Format};
use crate::render::{Progress, Style};
use crate::report::{Events, Report};

use super::output::Output;
use super::{USAGE, UsageError, answered, exercises, paths, values, watch};

/// The exit code after Ctrl-C.
pub(super) const INTERRUPTED: u8 = 130;
/// After Ctrl-C the report comes at once, or not at all: a socket call may still block.
const REPORTS_WITHIN: Duration = Duration::from_millis(400);

/// Check a program of your own, in any language, and say what is wrong with it
///
/// Starts the program, waits until it listens, and plays the exercise's cases: messages whole, cut anywhere, several in one
/// send, from several clients, with pauses. A failure is shown with its bytes, the likely class of bug where the evidence
/// singles it out, and the smallest way to see it again.
///
/// `{host}` and `{port}` in the command are replaced; the port is in the variable NETLAB_PORT, too. The program's whole
/// process group is ended.
///
/// With --client it is the other way round: the program is given lines on stdin, netlab is its server, which answers
/// whole, cut, late, at once, slowly, wrongly or not at all, and what the program sends and prints is judged.
///
/// Ctrl-C ends the program and prints what has been judged so far.
///
/// Exit code: 0 if all cases passed, 1 if one failed, 2 for wrong usage or if the checker itself failed, 130 after Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab exercises                                                what there is
  netlab check framed-echo-u16 -- python3 my_server.py {port}     start it and check it
  netlab check tcp-echo --target 127.0.0.1:65432                  one that runs already
  netlab check framed-echo-u16 --client -- python3 my_client.py {port}
                                                                  play the server for a client
  netlab check framed-echo-u16 --watch -- python3 my_server.py {port}
                                                                  again whenever it is saved
  netlab check framed-echo-u16 --case cut -v -- ./my_server {port}
  netlab check framed-echo-u16 --variant 2027 -J -- ./my_server {port}")]
pub(super) struct CheckArgs {
    /// The exercise
    #[arg(value_name = "EXERCISE")]
    exercise: String,
    /// The program and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    /// Check a server that runs already: HOST:PORT
    #[arg(long, value_name = "ADDR", conflicts_with = "command")]
    target: Option<String>,
    /// The program is a client: play the server for it (`netlab exercises NAME --client` says what it has to do)
    #[arg(long, conflicts_with = "target")]
    client: bool,
    /// Check again whenever the program's files are saved, until Ctrl-C
    #[arg(long, conflicts_with_all = ["target", "output"])]
    watch: bool,
    /// Check this case alone, with those that it needs
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    /// Alter the exercise's lengths and texts by this number
    #[arg(long, value_name = "SEED")]
    variant: Option<u64>,
    /// Repeat a run: chooses the messages' texts [default: a new one each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How long the next byte of an answer may take
    #[arg(short, long, value_name = "DUR", default_value = "3s", value_parser = values::time_out)]
    wait: Duration,
    /// How the report is written
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = values::named(&Format::ALL, Format::name))]
    format: Format,
    /// Write the report to this file, whole or not at all, instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Weights of the cases: a file with `CASE POINTS` a line
    #[arg(long, value_name = "FILE")]
    points: Option<PathBuf>,
    /// Confine the program as `netlab grade` does (Linux): it may read its folder and write in a temporary one
    #[arg(long, conflicts_with = "target")]
    confine: bool,
    /// Print one JSON document, as --format json does
    #[arg(short = 'J', long, conflicts_with = "format")]
    pub(super) json: bool,
}

impl CheckArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        if self.watch { self.watched(output) } else { self.once(output, &Stop::on_signals_and_hangup()?) }
    }

    /// Checks now and after each save, until Ctrl-C.
    fn watched(&self, output: &Output) -> anyhow::Result<ExitCode> {
        watch::again_and_again(&self.command, |stop| self.once(output, stop))
    }

    fn once(&self, output: &Output, stop: &Stop) -> anyhow::Result<ExitCode> {
        let variant = exercises::variant(self.variant);
        let seed = self.seed.map_or_else(random_seed, Ok)?;
        let exercise = exercises::find(&self.exercise, &variant, seed)?;
        let points = self.points(&exercise)?;
        let scratch = self.confine.then(Scratch::new).transpose()?;
        let mut config = self.config(seed, scratch.as_ref())?;
        config.stop = stop.clone();
        let _ends = ends_at_once(stop);
        let mut progress = Watching::new(output);
        let check = if self.client { check::client::run } else { check::run };
        let mut report = check(&exercise, &config, &mut progress).map_err(failed)?;
        drop(progress);
        if output.verbose > 0 {
            report.detail = check::Detail::All;
        }
        if let Some(points) = points {
            points.apply(&mut report);
        }
        self.write(&report, output)?;
        if stop.requested() {
            Output::note("interrupted: this is what was judged until then");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        if report.succeeded() && self.case.is_none() && !self.client {
            remember(&self.exercise);
        }
        Ok(if report.is_error() { ExitCode::from(USAGE) } else { answered(report.succeeded()) })
    }

    fn points(&self, exercise: &Exercise) -> anyhow::Result<Option<Points>> {
        let Some(path) = &self.points else { return Ok(None) };
        let mut weighed = exercise.clone();
        if self.client {
            let case = |line: check::client::CaseLine| Case::new(line.name, line.expected, line.needs);
            weighed.cases = check::client::case_lines(exercise).into_iter().map(case).collect();
        }
        let points = Points::parse(&read_points(path)?, &weighed);
        Ok(Some(points.map_err(|error| points_fault(Some(path), &error))?))
    }

    fn write(&self, report: &CheckReport, output: &Output) -> anyhow::Result<()> {
        let format = if self.json { Format::Json } else { self.format };
        let style = if self.output.is_some() { Style::default() } else { output.style };
        let text = grading::render(report, format, style);
        match &self.output {
            Some(path) => Ok(grade::replace(path, text.as_bytes())?),
            None => Ok(Output::print(&text)?),
        }
    }

    /// The program, as it is to be started.
    fn program(&self, scratch: Option<&Scratch>) -> anyhow::Result<Program> {
        let program = Program { command: self.command.clone(), ..Program::default() };
        let Some(scratch) = scratch else { return Ok(program) };
        let folder = std::env::current_dir()?;
        Ok(super::grade::confined(&[])?.around(program, &folder, scratch))
    }

    fn config(&self, seed: u64, scratch: Option<&Scratch>) -> anyhow::Result<Config> {
        let target = match &self.target {
            Some(text) => {
                let words = [text.clone()];
                let (address, _) = Address::from_words(&words, None, &Address::new("127.0.0.1", 0))
                    .map_err(|error| UsageError::new(error.to_string()))?;
                let addrs = address.resolve(crate::net::Family::Any)?;
                Target::Running(addrs[0])
            }
            None if self.command.is_empty() => {
                let or = if self.client || self.watch { "" } else { ", or say --target ADDR" };
                let message = format!("which program? Put its command behind `--`{or}");
                return Err(UsageError::new(message).into());
            }
            None => Target::Program(self.program(scratch)?),
        };
        let words: Vec<String> =
            self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let mut config = Config::new(target, seed);
        config.case.clone_from(&self.case);
        config.scratch = scratch.map(|scratch| scratch.path().to_path_buf());
        config.patience = self.wait;
        config.shown =
            crate::text::printable(&words.join(" ")).replace("{port}", "PORT").replace("{host}", "127.0.0.1");
        Ok(config)
    }
}

/// Has Ctrl-C end the program under test at once, and this process soon after, whatever the check waits for.
fn ends_at_once(stop: &Stop) -> StopGuard {
    stop.on_stop(|| {
        process::end_all();
        std::thread::spawn(|| {
            std::thread::sleep(REPORTS_WITHIN);
            process::end_all();
            Output::note("interrupted");
            std::process::exit(i32::from(INTERRUPTED));
        });
    })
}

/// Notes for `netlab lab` that the exercise was passed. A folder that can't be written is no reason to fail a check.
fn remember(exercise: &str) {
    let noted =
        paths::data_folder().map(|folder| progress::exercise_passed(&folder.join("labs.json"), exercise));
    if let Ok(Err(error)) = noted {
        tracing::debug!("not noted as passed: {error}");
    }
}

/// The checker's own failures are no answer about the program: exit code 2.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: check::CheckError) -> anyhow::Error {
    use std::error::Error as _;
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    UsageError::new(format!("{error}{cause}")).into()
}

/// A short one: it is typed.
pub(super) fn random_seed() -> anyhow::Result<u64> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(u64::from(u32::from_be_bytes(bytes)) % 1_000_000)
}

/// The text of a file of weights.
pub(super) fn read_points(path: &Path) -> Result<String, UsageError> {
    std::fs::read_to_string(path).map_err(|error| {
        let path = crate::text::escape(path.as_os_str().as_encoded_bytes());
        UsageError::new(format!("--points {path}: {error}"))
    })
}

/// What is wrong in a file of weights.
pub(super) fn points_fault(path: Option<&Path>, error: &PointsError) -> UsageError {
    let path = path.unwrap_or(Path::new(""));
    UsageError::new(format!("--points {}: {error}", crate::text::escape(path.as_os_str().as_encoded_bytes())))
}

/// A bar on stderr while the cases are played, if that is a terminal.
struct Watching {
    bar: Option<Progress>,
}

impl Watching {
    fn new(output: &Output) -> Watching {
        Watching { bar: io::stderr().is_terminal().then(|| Progress::new(output.style)) }
    }
}

impl Events<CheckEvent> for Watching {
    fn event(&mut self, event: CheckEvent) {
        let Some(bar) = &self.bar else { return };
        match event {
            #[expect(clippy::cast_precision_loss, reason = "a dozen of cases")]
            CheckEvent::Case { number, of, name } => {
                bar.set(number as f64 / of as f64);
                bar.say(name.to_owned());
            }
            CheckEvent::Experiment(class) => bar.say(format!("is it {class}?")),
        }
    }
}
