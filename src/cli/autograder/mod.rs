//! `netlab autograder`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use crate::check::grade::Points;

use super::output::Output;
use super::{UsageError, check, exercises};

const SETUP: &str = include_str!("setup.sh");
const RUN: &str = include_str!("run_autograder");
/// What stands in the workflow until somebody says where netlab is.
const PLACEHOLDER: &str = "URL_OF_NETLAB";
const WORKFLOW: &str = include_str!("workflow.yml");

/// Make an autograder for Gradescope, and a workflow for continuous integration
///
/// The folder holds what Gradescope wants in a zip file: `setup.sh`, `run_autograder`, and netlab itself (a Linux
/// binary, if this one is). `workflow.yml` is for students' repositories. A submission's file `run` starts the server
/// on the port that is its argument.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab autograder framed-echo-u16 -o autograder/
  cd autograder && zip -r ../autograder.zip .        upload this to Gradescope
  netlab autograder tcp-echo -o autograder/ --variant 2027 --points points.txt")]
pub(super) struct AutograderArgs {
    /// The exercise
    #[arg(value_name = "EXERCISE")]
    exercise: String,
    /// The folder to make
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Alter the exercise's lengths and texts by this number
    #[arg(long, value_name = "SEED")]
    variant: Option<u64>,
    /// Weights of the cases: a file with `CASE POINTS` a line
    #[arg(long, value_name = "FILE")]
    points: Option<PathBuf>,
    /// Where the workflow gets netlab from
    #[arg(long, value_name = "URL", default_value = PLACEHOLDER, value_parser = address)]
    repository: String,
}

impl AutograderArgs {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let exercise = exercises::find(&self.exercise, &exercises::variant(self.variant), 0)?;
        let points = self.points.as_deref().map(check::read_points).transpose()?;
        if let Some(text) = &points {
            Points::parse(text, &exercise)
                .map_err(|error| check::points_fault(self.points.as_deref(), &error))?;
        }
        make(&self.output)?;
        let mut arguments = self.exercise.clone();
        if let Some(variant) = self.variant {
            arguments = format!("{arguments} --variant {variant}");
        }
        let workflow = WORKFLOW.replace("@EXERCISE@", &arguments).replace("@REPOSITORY@", &self.repository);
        if let Some(text) = &points {
            write(&self.output.join("points.txt"), text, false)?;
            arguments.push_str(" --points /autograder/source/points.txt");
        }
        write(&self.output.join("setup.sh"), SETUP, true)?;
        write(&self.output.join("run_autograder"), &RUN.replace("@EXERCISE@", &arguments), true)?;
        write(&self.output.join("workflow.yml"), &workflow, false)?;
        let netlab = std::env::current_exe().context("find netlab itself")?;
        let copy = self.output.join("netlab");
        fs::copy(&netlab, &copy).with_context(|| format!("copy netlab to {}", shown(&copy)))?;
        if !cfg!(target_os = "linux") {
            Output::note("note: Gradescope runs Linux: put a Linux netlab in the place of this one");
        }
        Output::note(&format!("made {}: zip what is in it, and upload that", shown(&self.output)));
        if self.repository == PLACEHOLDER {
            Output::note(&format!(
                "put netlab's address in the place of {PLACEHOLDER} in workflow.yml, or pass --repository"
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// An address that stands in a shell's line as it is.
fn address(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@%+".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("no address of a repository, such as https://example.org/netlab.git".to_owned())
    }
}

fn shown(path: &Path) -> String {
    crate::text::escape(path.as_os_str().as_encoded_bytes())
}

/// A folder in which nothing of somebody else's is written over.
fn make(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("make {}", shown(folder)))?;
    let mut entries = fs::read_dir(folder).with_context(|| format!("read {}", shown(folder)))?;
    if entries.next().is_some() {
        return Err(UsageError::new(format!("{} is not empty: pass a new folder", shown(folder))).into());
    }
    Ok(())
}

fn write(path: &Path, text: &str, executable: bool) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("write {}", shown(path)))?;
    #[cfg(unix)]
    if executable {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("make {} executable", shown(path)))?;
    }
    #[cfg(not(unix))]
    let _ = executable;
    Ok(())
}
