//! `netlab grade`.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;

use crate::check::CheckReport;
use crate::check::grade::{self, GradeEvent, Ledger, Plan, Points, Submission, Surroundings, Terms};
use crate::net::Stop;
use crate::process::{Confinement, program_folders};
use crate::render::grading::{self, Format};
use crate::render::{Progress, Style};
use crate::report::{Events, Report};

use super::output::Output;
use super::{UsageError, answered, check, exercises, values};

/// Check a class's submissions, each confined, and sum up
///
/// Each folder in SUBMISSIONS is one submission; its file `run` starts the server on the port that is its argument.
/// A program may read its own folder and the system's, write in a temporary folder, connect to its own port, and nothing
/// else; what it may use up is limited. UDP is open, so is what your user's other processes leave open: a container is
/// safer, and there root is (each program gets a user of its own, who may run only what everybody may). One report each,
/// `grades.csv` and a summary. An interrupted grading goes on where it stopped; what has changed since is graded again.
///
/// Exit code: 0 if every submission was graded, whatever its grade, 1 if one was not, 2 for wrong usage.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab grade framed-echo-u16 submissions/ -o grades/
  netlab grade framed-echo-u16 submissions/ -o grades/ --variant 2027 --format markdown
  netlab grade tcp-echo submissions/ -o grades/ --points points.txt --jobs 2")]
pub(super) struct GradeArgs {
    /// The exercise
    #[arg(value_name = "EXERCISE")]
    exercise: String,
    /// The folder with a folder for each student
    #[arg(value_name = "SUBMISSIONS")]
    submissions: PathBuf,
    /// Where the reports and grades.csv go
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// How each report is written
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = values::named(&Format::ALL, Format::name))]
    format: Format,
    /// Weights of the cases: a file with `CASE POINTS` a line
    #[arg(long, value_name = "FILE")]
    points: Option<PathBuf>,
    /// Alter the exercise's lengths and texts by this number
    #[arg(long, value_name = "SEED")]
    variant: Option<u64>,
    /// Chooses the messages' texts, the same for all [default: a new one for each class]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How long one submission may take in all
    #[arg(long, value_name = "DUR", default_value = "2m", value_parser = values::time_out)]
    limit: Duration,
    /// How many submissions are checked at a time; what fails beside others is checked again alone
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u64).range(1..=64))]
    jobs: u64,
    /// Let programs read this as well; repeat it for several
    #[arg(long, value_name = "PATH")]
    allow_read: Vec<PathBuf>,
    /// Don't confine the programs: they may do what you may
    #[arg(long)]
    unsandboxed: bool,
    /// Print the summary as one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
}

impl GradeArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let surroundings = self.surroundings()?;
        let submissions = self.submissions()?;
        let text = self.points.as_deref().map(check::read_points).transpose()?;
        let asked = Terms {
            exercise: self.exercise.clone(),
            variant: self.variant,
            seed: self.seed.map_or_else(check::random_seed, Ok)?,
            points: text,
            format: self.format.name().to_owned(),
        };
        let exercise = exercises::find(&self.exercise, &exercises::variant(self.variant), asked.seed)?;
        let points = asked.points.as_deref().map(|text| Points::parse(text, &exercise)).transpose();
        let points = points.map_err(|error| check::points_fault(self.points.as_deref(), &error))?;
        let (ledger, terms) = Ledger::open(&self.output, &asked)?;
        self.same_terms(&terms, &asked)?;
        // The seed of a grading that goes on.
        let exercise = exercises::find(&self.exercise, &exercises::variant(self.variant), terms.seed)?;
        let plan = Plan {
            exercise: &exercise,
            surroundings,
            seed: terms.seed,
            points,
            limit: self.limit,
            jobs: usize::try_from(self.jobs).expect("at most 64"),
            out: self.output.clone(),
            extension: self.format.extension(),
            write: &|report: &CheckReport| grading::render(report, self.format, Style::default()),
        };
        let stop = Stop::on_signals_and_hangup()?;
        let _told = stop.on_stop(|| Output::note("finishing what is under way; Ctrl-C again ends at once"));
        let mut progress = Watching::new(output);
        let report = grade::run(&plan, &ledger, &submissions, &|| stop.requested(), &mut progress)
            .map_err(anyhow::Error::new)?;
        drop(progress);
        output.report(&report, self.json)?;
        if stop.requested() {
            Output::note("interrupted: the same command goes on");
        }
        Ok(answered(report.succeeded()))
    }

    fn surroundings(&self) -> anyhow::Result<Surroundings> {
        if self.unsandboxed {
            Output::note("warning: programs are not confined: they may read and change what you may");
            return Ok(Surroundings::Open);
        }
        confined(&self.allow_read)
    }

    fn submissions(&self) -> anyhow::Result<Vec<Submission>> {
        let mut submissions = grade::submissions(&self.submissions)?;
        // The grades may lie among them.
        if let Ok(grades) = std::fs::canonicalize(&self.output) {
            submissions.retain(|submission| submission.folder != grades);
        }
        if submissions.is_empty() {
            let folder = crate::text::escape(self.submissions.as_os_str().as_encoded_bytes());
            let message =
                format!("{folder} has no folder in it: each submission is one, with its program `run`");
            return Err(UsageError::new(message).into());
        }
        Ok(submissions)
    }

    /// Grades of one folder are comparable.
    fn same_terms(&self, began: &Terms, asked: &Terms) -> Result<(), UsageError> {
        let seed = self.seed.unwrap_or(began.seed);
        let differences = began.differences(&Terms { seed, ..asked.clone() });
        if differences.is_empty() {
            return Ok(());
        }
        let folder = crate::text::escape(self.output.as_os_str().as_encoded_bytes());
        let variant = began.variant.map_or(String::new(), |variant| format!(" --variant {variant}"));
        Err(UsageError {
            message: format!(
                "{folder} holds grades of `{}{variant} --seed {} --format {}`: not the same {}",
                began.exercise,
                began.seed,
                began.format,
                differences.join(", ")
            ),
            hint: Some(
                "grades of one folder are comparable: pass another folder by -o, or what it began with"
                    .to_owned(),
            ),
        })
    }
}

/// The surroundings of a program that nobody trusts.
pub(super) fn confined(allow_read: &[PathBuf]) -> anyhow::Result<Surroundings> {
    Confinement::available().map_err(|error| UsageError {
        message: error.to_string(),
        hint: Some(
            "--unsandboxed grades all the same; do it on a machine, or in a container, of its own".into(),
        ),
    })?;
    let launcher = std::env::current_exe().context("find netlab itself")?;
    let mut read = program_folders(&std::env::var_os("PATH").unwrap_or_default());
    read.push(launcher.clone());
    read.extend(allow_read.iter().cloned());
    Ok(Surroundings::Confined { launcher, read })
}

/// Progress on stderr: a bar on a terminal, a line now and then elsewhere.
struct Watching {
    bar: Option<Progress>,
    said: Instant,
}

/// How often a line is written where no bar can be drawn.
const LINES: Duration = Duration::from_secs(5);

impl Watching {
    fn new(output: &Output) -> Watching {
        let bar = io::stderr().is_terminal().then(|| Progress::new(output.style));
        Watching { bar, said: Instant::now() }
    }
}

impl Events<GradeEvent> for Watching {
    fn event(&mut self, event: GradeEvent) {
        let GradeEvent::Done { number, of, name } = event;
        match &self.bar {
            #[expect(clippy::cast_precision_loss, reason = "a share of a class")]
            Some(bar) => {
                bar.set(number as f64 / of as f64);
                bar.say(format!("{number} of {of}: {name}"));
            }
            None if self.said.elapsed() >= LINES || number == of => {
                Output::note(&format!("{number} of {of} graded"));
                self.said = Instant::now();
            }
            None => {}
        }
    }
}
