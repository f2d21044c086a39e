//! The room server's settings, and `netlab config`, which shows each with where it came from.
//!
//! ```text
//! flag  >  environment  >  .env (--env-file)  >  default
//! ```
//! It stands apart because `serve` and `config` must never disagree: both call [`SettingsArgs::load`]. The
//! names are the course's own (`SERVER_PORT`, ...); reading the file is [`super::env_file`]'s business.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::net::Address;
use crate::report::{Block, Report, Table};
use crate::text;

use super::UsageError;
use super::address::{AddressArgs, ROOMS};
use super::env_file::EnvFile;
use super::output::Output;
use super::{paths, values};

const MAX_CONNECTIONS: usize = 256;
const UPDATE_TIMER: Duration = Duration::from_secs(60);
const UPDATE_THRESHOLD: Duration = Duration::from_secs(900);
const RECORD_FILE: &str = "records.json";

/// Show each setting of the room server and where it comes from
#[derive(Debug, Args)]
#[command(after_help = "\
A flag wins over the environment, that over the file, that over the default.
Examples:
  netlab config                              what `netlab serve` would use here
  SERVER_PORT=13000 netlab config -J         the same as JSON, with a port from the environment
  netlab config --env-file course/.env       with another file than ./.env")]
pub(super) struct ConfigArgs {
    /// Where to listen: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    #[command(flatten)]
    address: AddressArgs,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
}

impl ConfigArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let settings = self.settings.load(&self.addr, &self.address)?;
        output.report(&ConfigReport { settings: settings.origins }, self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The settings' flags.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SettingsArgs {
    /// Turn further clients away beyond this many (MAX_CONNECTION) [default: 256]
    #[arg(long, value_name = "N", value_parser = connections)]
    max_connections: Option<usize>,
    /// How often to look for records to refresh (UPDATE_TIMER) [default: 60s]
    #[arg(long, value_name = "DUR", value_parser = period)]
    update_timer: Option<Duration>,
    /// How old a record's stamp may get (UPDATE_TRESH) [default: 900s]
    #[arg(long, value_name = "DUR", value_parser = period)]
    update_threshold: Option<Duration>,
    /// The folder of the records (FILE_PATH) [default: records in netlab's data folder]
    #[arg(long, value_name = "DIR", value_parser = path)]
    file_path: Option<PathBuf>,
    /// The folder of their index (RECORD_PATH) [default: netlab's data folder]
    #[arg(long, value_name = "DIR", value_parser = path)]
    record_path: Option<PathBuf>,
    /// The name of their index (RECORD_FILE) [default: records.json]
    #[arg(long, value_name = "NAME", value_parser = file_name)]
    record_file: Option<String>,
    /// A file of settings, NAME=VALUE a line [default: .env, if there is one]
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
}

/// What the room server runs with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// `SERVER_HOST` and `SERVER_PORT`.
    pub(super) address: Address,
    /// `MAX_CONNECTION`.
    pub(super) max_connections: usize,
    /// `UPDATE_TIMER`.
    pub(super) update_timer: Duration,
    /// `UPDATE_TRESH`.
    pub(super) update_threshold: Duration,
    /// `FILE_PATH`.
    pub(super) file_path: PathBuf,
    /// `RECORD_PATH` and `RECORD_FILE`.
    pub(super) index: PathBuf,
    /// Each setting with where it came from.
    pub(super) origins: Vec<Origin>,
}

impl SettingsArgs {
    /// Finds every setting. `words` and `address` are the command's address argument.
    pub(super) fn load(&self, words: &[String], address: &AddressArgs) -> Result<Settings, UsageError> {
        let environment = |name: &str| std::env::var_os(name);
        let file = EnvFile::read(self.env_file.as_deref())?;
        self.choose(words, address, &mut Layers { environment: &environment, file, origins: Vec::new() })
    }

    fn choose(
        &self,
        words: &[String],
        address: &AddressArgs,
        layers: &mut Layers<'_>,
    ) -> Result<Settings, UsageError> {
        let default = ROOMS.address()?;
        let (host, port) = given(words, address)?;
        // Every mistake is told, not the first alone: a file is mended in one go.
        let mut wrong = Vec::new();
        let host = layers.choose(&["SERVER_HOST"], host, host_name, || Ok(default.host().to_owned()));
        let host = keep(host, &mut wrong);
        let port = layers.choose(&["SERVER_PORT"], port, port_number, || Ok(default.port()));
        let port = keep(port, &mut wrong);
        let connections =
            layers.choose(&["MAX_CONNECTION"], self.max_connections, connections, || Ok(MAX_CONNECTIONS));
        let connections = keep(connections, &mut wrong);
        let timer = layers.choose(&["UPDATE_TIMER"], self.update_timer, period, || Ok(UPDATE_TIMER));
        let timer = keep(timer, &mut wrong);
        // The course spells it so; both spellings are taken.
        let threshold = ["UPDATE_TRESH", "UPDATE_THRESHOLD"];
        let threshold = layers.choose(&threshold, self.update_threshold, period, || Ok(UPDATE_THRESHOLD));
        let threshold = keep(threshold, &mut wrong);
        let files = layers.choose(&["FILE_PATH"], self.file_path.clone(), path, || {
            Ok(paths::data_folder()?.join("records"))
        });
        let files = keep(files, &mut wrong);
        let folder = layers.choose(&["RECORD_PATH"], self.record_path.clone(), path, paths::data_folder);
        let folder = keep(folder, &mut wrong);
        let index = layers
            .choose(&["RECORD_FILE"], self.record_file.clone(), file_name, || Ok(RECORD_FILE.to_owned()));
        let index = keep(index, &mut wrong);
        let (
            Some(host),
            Some(port),
            Some(max_connections),
            Some(update_timer),
            Some(update_threshold),
            Some(file_path),
            Some(folder),
            Some(index),
        ) = (host, port, connections, timer, threshold, files, folder, index)
        else {
            return Err(UsageError::new(wrong.join("; ")));
        };
        Ok(Settings {
            address: Address::new(&host, port),
            max_connections,
            update_timer,
            update_threshold,
            file_path,
            index: folder.join(index),
            origins: std::mem::take(&mut layers.origins),
        })
    }
}

/// The value, or a mistake to be told with the others.
fn keep<T>(chosen: Result<T, UsageError>, wrong: &mut Vec<String>) -> Option<T> {
    chosen.map_err(|error| wrong.push(error.message)).ok()
}

/// What of the address was given on the command line: read with two different defaults, that is what does
/// not depend on them.
fn given(words: &[String], address: &AddressArgs) -> Result<(Option<String>, Option<u16>), UsageError> {
    let one = address.whole_or(words, &Address::new("one", 1))?;
    let other = address.whole_or(words, &Address::new("other", 2))?;
    let host = (one.host() == other.host()).then(|| one.host().to_owned());
    let port = (one.port() == other.port()).then(|| one.port());
    Ok((host, port))
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment,
    /// A line of a file.
    File { path: String, line: usize },
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Flag => f.write_str("flag"),
            Source::Environment => f.write_str("environment"),
            Source::File { path, line } => write!(f, "{path}:{line}"),
            Source::Default => f.write_str("default"),
        }
    }
}

/// A setting with its source.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Origin {
    name: &'static str,
    value: Value,
    source: String,
}

/// The places where settings may stand, below the flags.
struct Layers<'a> {
    environment: &'a dyn Fn(&str) -> Option<std::ffi::OsString>,
    file: EnvFile,
    origins: Vec<Origin>,
}

impl Layers<'_> {
    /// The value of a setting, of the highest layer that has it; `names` are its spellings, the course's first.
    fn choose<T: Shown>(
        &mut self,
        names: &[&'static str],
        flag: Option<T>,
        parse: fn(&str) -> Result<T, String>,
        default: impl FnOnce() -> Result<T, UsageError>,
    ) -> Result<T, UsageError> {
        let (value, source) = match (flag, self.find(names)?) {
            (Some(value), _) => (value, Source::Flag),
            (None, Some(Found { name, text, source })) => match parse(&text) {
                Ok(value) => (value, source),
                Err(allowed) => {
                    let text = text::escape(text.as_bytes());
                    return Err(UsageError::new(format!("{source}: {name} is `{text}`: {allowed}")));
                }
            },
            (None, None) => (default()?, Source::Default),
        };
        self.origins.push(Origin { name: names[0], value: value.shown(), source: source.to_string() });
        Ok(value)
    }

    /// The setting in the environment or else in the file. Said twice in one of them, it must be said alike.
    fn find(&self, names: &[&'static str]) -> Result<Option<Found>, UsageError> {
        let mut found = Vec::new();
        for name in names.iter().copied() {
            if let Some(text) = (self.environment)(name) {
                let text = text
                    .into_string()
                    .map_err(|_| UsageError::new(format!("{name} in the environment is not UTF-8")))?;
                found.push(Found { name, text, source: Source::Environment });
            }
        }
        if found.is_empty() {
            for entry in self.file.entries() {
                if let Some(name) = names.iter().find(|name| **name == entry.name) {
                    let source = Source::File { path: self.file.shown().to_owned(), line: entry.line };
                    found.push(Found { name, text: entry.value.clone(), source });
                }
            }
        }
        if let Some(pair) = found.windows(2).find(|pair| pair[0].text != pair[1].text) {
            let [(one, at_one), (other, at_other)] = [0, 1].map(|i| (pair[i].name, &pair[i].source));
            return Err(UsageError::new(format!(
                "{one} ({at_one}) and {other} ({at_other}) are one setting, and they differ: give it once"
            )));
        }
        Ok(found.into_iter().next())
    }
}

struct Found {
    name: &'static str,
    text: String,
    source: Source,
}

/// How a value stands in a JSON document.
trait Shown {
    fn shown(&self) -> Value;
}

impl Shown for String {
    fn shown(&self) -> Value {
        self.as_str().into()
    }
}

impl Shown for PathBuf {
    fn shown(&self) -> Value {
        self.to_string_lossy().into()
    }
}

impl Shown for u16 {
    fn shown(&self) -> Value {
        (*self).into()
    }
}

impl Shown for usize {
    fn shown(&self) -> Value {
        (*self).into()
    }
}

/// In seconds, as the course has them.
impl Shown for Duration {
    fn shown(&self) -> Value {
        if self.subsec_nanos() == 0 { self.as_secs().into() } else { self.as_secs_f64().into() }
    }
}

fn host_name(text: &str) -> Result<String, String> {
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("it must be a host name or an address, like 127.0.0.1".to_owned());
    }
    Ok(text.to_owned())
}

fn port_number(text: &str) -> Result<u16, String> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let port = text.parse().ok().filter(|_| digits);
    port.ok_or_else(|| "it must be a port from 0 to 65535".to_owned())
}

fn connections(text: &str) -> Result<usize, String> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|n| digits && (1..=1_000_000).contains(n));
    number.ok_or_else(|| "it must be a number from 1 to 1000000".to_owned())
}

/// Shorter ones would keep the disk busy with nothing else; longer ones are a slip.
fn period(text: &str) -> Result<Duration, String> {
    let allowed = Duration::from_millis(100)..=Duration::from_secs(365 * 24 * 3_600);
    values::duration(text)
        .ok()
        .filter(|period| allowed.contains(period))
        .ok_or_else(|| "it must be seconds, from 0.1 to a year, like 60 or 15m".to_owned())
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("it must be a folder".to_owned()) } else { Ok(text.into()) }
}

/// A bare name, and none that other files in the records' folder may have.
fn file_name(text: &str) -> Result<String, String> {
    let bare = !text.is_empty() && !text.starts_with('.') && !text.contains(['/', '\\', ':', '\0']);
    let taken = [".txt", ".tmp", ".lock"].iter().any(|end| text.to_ascii_lowercase().ends_with(end));
    if bare && !taken {
        Ok(text.to_owned())
    } else {
        Err("it must be a file name like records.json, without a folder, and not end in .txt, .tmp or .lock"
            .to_owned())
    }
}

#[derive(Debug, Serialize)]
struct ConfigReport {
    settings: Vec<Origin>,
}

impl Report for ConfigReport {
    fn blocks(&self) -> Vec<Block> {
        let mut table = Table::new(&["setting", "value", "source"]);
        for Origin { name, value, source } in &self.settings {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            table.row([(*name).to_owned(), text::printable(&value), text::printable(source)]);
        }
        vec![Block::Table(table)]
    }
}

#[cfg(test)]
mod tests;
