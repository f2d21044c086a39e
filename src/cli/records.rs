//! `netlab records write|read|menu`: a student's record, by flags, by prompts, by the course's menu.

use std::fs;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::client::Connection;
use crate::net::Address;
use crate::protocol::message::{Answer, RecordRead, RecordWrite, Request};
use crate::protocol::names::ClientId;
use crate::render;

use super::address::ROOMS;
use super::output::Output;
use super::room_client::RoomClientArgs;
use super::{UsageError, hint};

#[derive(Debug, Subcommand)]
#[command(
    defer = true,
    after_help = "\
Examples:
  netlab records write 2024-001 127.0.0.1:12000   asks for what is missing
  netlab records read 2024-001 127.0.0.1:12000    saves 2024-001.txt here
  netlab records menu                             the course's menu"
)]
pub(super) enum RecordsCommand {
    /// Write a record
    Write(Box<WriteArgs>),
    /// Read a record and save it as ID.txt
    Read(Box<ReadArgs>),
    /// Ask for the server's address and port, then show a menu: write, read, exit
    Menu(Box<MenuArgs>),
}

impl RecordsCommand {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match self {
            RecordsCommand::Write(args) => args.run(),
            RecordsCommand::Read(args) => args.run(),
            RecordsCommand::Menu(args) => args.run(),
        }
    }

    pub(super) fn json(&self) -> bool {
        match self {
            RecordsCommand::Write(args) => args.json,
            RecordsCommand::Read(args) => args.json,
            RecordsCommand::Menu(_) => false,
        }
    }
}

/// Whose record, and where.
#[derive(Clone, Debug, Args)]
struct TargetArgs {
    /// The student's id, which names the record
    #[arg(value_name = "ID", value_parser = client_id)]
    id: ClientId,
    /// The server: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:12000]
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    /// The name under which to log in [default: the id]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    client: RoomClientArgs,
}

impl TargetArgs {
    fn connect(&self) -> anyhow::Result<Connection> {
        let address = self.client.address.whole(&self.addr, ROOMS)?;
        self.client.connect(&address, Some(self.user.as_deref().unwrap_or(self.id.as_str())))
    }
}

fn client_id(text: &str) -> Result<ClientId, String> {
    ClientId::parse(text).map_err(|error| error.to_string())
}

/// The record's fields besides the id. What is missing is asked for.
#[derive(Clone, Debug, Default, Args)]
struct FieldArgs {
    /// The student's name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The date of birth
    #[arg(long, value_name = "TEXT")]
    date_of_birth: Option<String>,
    /// The city
    #[arg(long, value_name = "TEXT")]
    city: Option<String>,
    /// The reason for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl FieldArgs {
    /// The record's text: the course's five lines.
    fn text(&self, id: &ClientId, input: &mut dyn BufRead) -> anyhow::Result<String> {
        let fields = [
            ("Name", &self.name),
            ("Date of Birth", &self.date_of_birth),
            ("City", &self.city),
            ("Reason", &self.reason),
        ];
        let mut text = format!("Student ID: {id}\n");
        for (label, given) in fields {
            let value = match given {
                Some(value) => value.clone(),
                None => ask(&format!("{label}: "), input)?,
            };
            if value.contains(['\n', '\r']) {
                return Err(UsageError::new(format!("{label} must be one line")).into());
            }
            text.extend([label, ": ", &value, "\n"]);
        }
        Ok(text)
    }
}

/// Asks a question on stderr; the answer is a line of stdin.
fn ask(question: &str, input: &mut dyn BufRead) -> anyhow::Result<String> {
    let mut stderr = io::stderr();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        Output::note("");
        return Err(
            UsageError::new(format!("stdin ended before an answer to `{}`", question.trim_end())).into()
        );
    }
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Write a record
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab records write 2024-001 127.0.0.1:12000      asks for name, date of birth, city and reason
  netlab records write 2024-001 --name Ada --date-of-birth 1815-12-10 --city London --reason absent")]
pub(super) struct WriteArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    fields: FieldArgs,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    json: bool,
}

#[derive(Serialize)]
struct WriteReport<'a> {
    client_id: &'a str,
    updated: &'a str,
}

impl WriteArgs {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let text = self.fields.text(&self.target.id, &mut io::stdin().lock())?;
        let updated = write(&mut self.target.connect()?, &self.target.id, &text)?;
        let id = self.target.id.as_str();
        let shown = if self.json {
            render::document(&WriteReport { client_id: id, updated: &updated })
        } else {
            format!("record {id} written, updated {updated} (UTC)\n")
        };
        Output::print(&shown)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Read a record and save it as ID.txt
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab records read 2024-001 127.0.0.1:12000       saves 2024-001.txt here
  netlab records read 2024-001 -o - -p 12000         prints it instead")]
pub(super) struct ReadArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Where to save it; `-` prints it [default: ID.txt in this folder]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one JSON document; nothing is saved unless -o says where
    #[arg(short = 'J', long)]
    json: bool,
}

#[derive(Serialize)]
struct ReadReport<'a> {
    client_id: &'a str,
    updated: &'a str,
    text: &'a str,
}

impl ReadArgs {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let id = &self.target.id;
        let (updated, text) = read(&mut self.target.connect()?, id)?;
        let file = match &self.output {
            Some(file) if file.as_os_str() == "-" => None,
            Some(file) => Some(file.clone()),
            None => (!self.json).then(|| saved_as(id)),
        };
        let record = as_saved(&updated, &text);
        if let Some(file) = &file {
            save(file, &record)?;
        }
        let shown = match &file {
            _ if self.json => {
                render::document(&ReadReport { client_id: id.as_str(), updated: &updated, text: &text })
            }
            Some(file) => format!("record {id} saved as {}\n", file.display()),
            None => shown(&record),
        };
        Output::print(&shown)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn saved_as(id: &ClientId) -> PathBuf {
    PathBuf::from(format!("{id}.txt"))
}

/// The record as the course saves it: the stamp stands in front.
fn as_saved(updated: &str, text: &str) -> String {
    format!("Last updated: {updated}\n{text}")
}

fn save(file: &std::path::Path, record: &str) -> anyhow::Result<()> {
    fs::write(file, record).map_err(|error| anyhow::anyhow!("{} could not be saved: {error}", file.display()))
}

/// Text from a server, line by line, with nothing in it that a terminal obeys.
fn shown(record: &str) -> String {
    record.lines().flat_map(|line| [crate::text::escape(line.as_bytes()), "\n".to_owned()]).collect()
}

fn write(connection: &mut Connection, id: &ClientId, text: &str) -> anyhow::Result<String> {
    let request = Request::RecordWrite(RecordWrite { client_id: id.into(), text: text.into() });
    let updated = connection.ask(&request, &mut |_| {}, &mut |answer| match answer {
        Answer::RecordWritten(written) => Some(written.updated.escaped()),
        _ => None,
    })?;
    Ok(updated)
}

fn read(connection: &mut Connection, id: &ClientId) -> anyhow::Result<(String, String)> {
    let request = Request::RecordRead(RecordRead { client_id: id.into() });
    let record = connection.ask(&request, &mut |_| {}, &mut |answer| match answer {
        Answer::Record(record) => Some((record.updated.escaped(), record.text.to_string())),
        _ => None,
    })?;
    Ok(record)
}

/// Ask for the server's address and port, then show a menu: write, read, exit
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab records menu
  netlab records menu --user ada --key-file ada.key")]
pub(super) struct MenuArgs {
    /// The name under which to log in [default: the student's id]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    client: RoomClientArgs,
}

const MENU: &str = "1. Write\n2. Read\n3. Exit";

impl MenuArgs {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let mut input = io::stdin().lock();
        let default = self.client.address.whole(&[], ROOMS)?;
        let host = or(&ask(&format!("Server address [{}]: ", default.host()), &mut input)?, default.host());
        let port = or(
            &ask(&format!("Server port [{}]: ", default.port()), &mut input)?,
            &default.port().to_string(),
        );
        let (address, used) = Address::from_words(&[host, port], None, &default)
            .map_err(|error| UsageError::new(error.to_string()))?;
        if used != 2 {
            return Err(UsageError::new("the port must be a number from 0 to 65535".to_owned()).into());
        }
        loop {
            Output::note(MENU);
            let result = match ask("Choice: ", &mut input)?.trim() {
                "1" => self.write(&address, &mut input),
                "2" => self.read(&address, &mut input),
                "3" => return Ok(ExitCode::SUCCESS),
                other => {
                    let other = crate::text::escape(other.as_bytes());
                    Output::note(&format!("`{other}` is no choice: 1, 2 or 3"));
                    continue;
                }
            };
            // One failure is no reason to leave the menu.
            if let Err(error) = result {
                Output::failure(&hint::failure(&error));
            }
        }
    }

    fn write(&self, address: &Address, input: &mut dyn BufRead) -> anyhow::Result<()> {
        let id = ask_id(input)?;
        let text = FieldArgs::default().text(&id, input)?;
        let updated = write(&mut self.connect(address, &id)?, &id, &text)?;
        Ok(Output::print(&format!("record {id} written, updated {updated} (UTC)\n"))?)
    }

    fn read(&self, address: &Address, input: &mut dyn BufRead) -> anyhow::Result<()> {
        let id = ask_id(input)?;
        let (updated, text) = read(&mut self.connect(address, &id)?, &id)?;
        let record = as_saved(&updated, &text);
        save(&saved_as(&id), &record)?;
        Ok(Output::print(&format!("{}record {id} saved as {id}.txt\n", shown(&record)))?)
    }

    fn connect(&self, address: &Address, id: &ClientId) -> anyhow::Result<Connection> {
        self.client.connect(address, Some(self.user.as_deref().unwrap_or(id.as_str())))
    }
}

fn ask_id(input: &mut dyn BufRead) -> anyhow::Result<ClientId> {
    let text = ask("Student ID: ", input)?;
    Ok(ClientId::parse(text.trim()).map_err(|error| UsageError::new(error.to_string()))?)
}

fn or(answer: &str, default: &str) -> String {
    if answer.trim().is_empty() { default.to_owned() } else { answer.trim().to_owned() }
}
