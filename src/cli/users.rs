//! `netlab users add|list|remove`: who may log in to `netlab serve --auth`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::protocol::names::Username;
use crate::protocol::proof::{Key, to_hex};
use crate::report::{Block, Report, Table};
use crate::service::{Role, User, Users};
use crate::store::{self, StoreError, UsersError};
use crate::text;

use super::class_list::{self, Member};
use super::output::Output;
use super::paths::UsersFileArgs;
use super::values;
use super::{UsageError, secret};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  netlab users add ada -o ada.key           a user, with a key of her own
  netlab users add --from class.txt         a class, with a key file for each
  netlab users list                         who may log in")]
pub(super) enum UsersCommand {
    /// Add a user, or a class of them
    Add(Box<AddArgs>),
    /// List the users
    List(ListArgs),
    /// Remove a user
    Remove(RemoveArgs),
}

impl UsersCommand {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        match self {
            UsersCommand::Add(args) => args.run(output),
            UsersCommand::List(args) => args.run(output),
            UsersCommand::Remove(args) => args.run(output),
        }
    }

    pub(super) fn json(&self) -> bool {
        match self {
            UsersCommand::Add(args) => args.json,
            UsersCommand::List(args) => args.json,
            UsersCommand::Remove(args) => args.json,
        }
    }
}

/// Add a user, or a class of them
///
/// A key is 64 hex digits, printed this once or written to a file, as `--key-file` takes it. A password is asked for on the
/// terminal, or read from the first line of stdin; only its argon2id hash is kept.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab users add ada -o ada.key                     a key of ada's own, in a file
  netlab users add grace --role teacher --password    asks for a password
  netlab users add --from class.txt --keys-dir keys   a key file for every name in the list")]
pub(super) struct AddArgs {
    /// The user's name
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    name: Option<String>,
    /// What the user may do: a teacher reads and writes every record
    #[arg(long, value_name = "ROLE", default_value = Role::Student.name(), value_parser = values::named(&Role::ALL, Role::name))]
    role: Role,
    /// Log in by a key (the default)
    #[arg(long)]
    key: bool,
    /// Log in by a password
    #[arg(long, conflicts_with = "key")]
    password: bool,
    /// Write the key to this new file, which only you may read, instead of printing it
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["password", "from"])]
    output: Option<PathBuf>,
    /// Replace users that exist
    #[arg(long)]
    replace: bool,
    /// Add everyone in a list: a name a line, `#` for comments, `NAME,teacher`
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    from: Option<PathBuf>,
    /// Where to put the key files, NAME.key [default: beside the list]
    #[arg(long, value_name = "DIR", requires = "from")]
    keys_dir: Option<PathBuf>,
    #[command(flatten)]
    file: UsersFileArgs,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    json: bool,
}

impl AddArgs {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let path = self.file.path()?;
        let _lock = store::users::lock(&path)?;
        let mut users = match store::users::load(&path) {
            Err(UsersError::Missing(_)) => Users::default(),
            result => result?,
        };
        match (&self.from, &self.name) {
            (Some(list), _) => self.add_class(list, &path, &mut users, output),
            (None, Some(name)) => self.add_one(name, &path, &mut users, output),
            (None, None) => unreachable!("clap asks for one of them"),
        }?;
        Ok(ExitCode::SUCCESS)
    }

    fn add_one(&self, name: &str, path: &Path, users: &mut Users, output: &Output) -> anyhow::Result<()> {
        let name = username(name)?;
        self.admit(&name, users)?;
        let mut user = User { name, role: self.role, password_hash: None, key: None };
        if self.password {
            let password = secret::new_password(user.name.as_str())?;
            user.password_hash = Some(store::hash_password(&password, &random()?));
        } else {
            user.key = Some(random()?);
        }
        let mut added = [Added { key_file: self.output.clone(), ..Added::new(&user) }];
        let done = format!("added {} ({})", user.name, user.role.name());
        users.insert(user);
        write_key_files(&mut added, || store::users::save(path, users))?;

        match &added[0].key {
            _ if self.json => output.report(&AddReport { users: added.into() }, true)?,
            Some(key) => {
                Output::note(&format!("{done}; the key is shown this once:"));
                Output::print(&format!("{key}\n"))?;
            }
            None => Output::print(&format!("{done}\n"))?,
        }
        Ok(())
    }

    /// All of the list or, if anything is wrong with it, nobody.
    fn add_class(&self, list: &Path, path: &Path, users: &mut Users, output: &Output) -> anyhow::Result<()> {
        let shown = text::escape(list.to_string_lossy().as_bytes());
        let wrong = |error| UsageError::new(format!("{shown}, {error}"));
        let members = class_list::load(list, self.role)?;
        let folder = self.keys_dir.as_deref().unwrap_or(list.parent().unwrap_or(Path::new("")));
        let key_file = |member: &Member| folder.join(format!("{}.key", member.name));
        for member in &members {
            let line = member.line;
            self.admit(&member.name, users).with_context(|| format!("{shown}, line {line}"))?;
            let file = key_file(member);
            if file.symlink_metadata().is_ok() {
                let file = file.display();
                return Err(wrong(format!("line {line}: {file} exists, and a key is not overwritten")).into());
            }
        }

        let mut report = AddReport::default();
        for member in &members {
            let key: Key = random()?;
            let user =
                User { name: member.name.clone(), role: member.role, password_hash: None, key: Some(key) };
            report.users.push(Added { key_file: Some(key_file(member)), ..Added::new(&user) });
            users.insert(user);
        }
        std::fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
        write_key_files(&mut report.users, || store::users::save(path, users))?;
        output.report(&report, self.json)?;
        Ok(())
    }

    /// Refuses a name that is taken.
    fn admit(&self, name: &Username, users: &Users) -> anyhow::Result<()> {
        if users.get(name).is_some() && !self.replace {
            anyhow::bail!("{name} exists already: --replace gives a new key or password");
        }
        Ok(())
    }
}

/// Writes every key that has a file to it, then does `save`; if anything fails, no file stays. These keys
/// move into their files: the report has them no more.
fn write_key_files(
    added: &mut [Added],
    save: impl FnOnce() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut written = Vec::new();
    let mut files = added.iter_mut().filter_map(|user| {
        let file = user.key_file.as_ref()?;
        Some((user.key.take()?, file))
    });
    let result = files.try_for_each(|(key, file)| {
        store::users::write_new_secret(file, &format!("{key}\n"))?;
        written.push(file);
        Ok(())
    });
    let result = result.and_then(|()| save());
    if result.is_err() {
        for file in written {
            // The error is the news; a key file without a user opens nothing.
            let _ = std::fs::remove_file(file);
        }
    }
    result
}

/// List the users
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab users list
  netlab users list -J --users class.json   as JSON, from another file")]
pub(super) struct ListArgs {
    #[command(flatten)]
    file: UsersFileArgs,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    json: bool,
}

impl ListArgs {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let users = store::users::load(&self.file.path()?)?;
        let mut users: Vec<&User> = users.iter().collect();
        users.sort_by_key(|user| user.name.key());
        let users = users.into_iter().map(Listed::new).collect();
        output.report(&ListReport { users }, self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Remove a user
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab users remove ada
  netlab users remove ada --users class.json
A server that runs reads the file once, at its start.")]
pub(super) struct RemoveArgs {
    /// The user's name
    name: String,
    #[command(flatten)]
    file: UsersFileArgs,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    json: bool,
}

impl RemoveArgs {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let path = self.file.path()?;
        let name = username(&self.name)?;
        let _lock = store::users::lock(&path)?;
        let mut users = store::users::load(&path)?;
        let Some(user) = users.remove(&name) else { anyhow::bail!("there is no user {name}") };
        store::users::save(&path, &users)?;
        output.report(&RemoveReport { removed: user.name }, self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn username(name: &str) -> Result<Username, UsageError> {
    let shown = text::escape(name.as_bytes());
    Username::parse(name).map_err(|error| UsageError::new(format!("`{shown}` is no user name: {error}")))
}

/// Bytes that nobody can guess.
fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
    Ok(bytes)
}

/// How a user logs in.
fn login(user: &User) -> &'static str {
    match (&user.key, &user.password_hash) {
        (Some(_), Some(_)) => "key, password",
        (Some(_), None) => "key",
        (None, Some(_)) => "password",
        (None, None) => "none",
    }
}

#[derive(Debug, Serialize)]
struct Listed {
    name: Username,
    role: &'static str,
    login: &'static str,
}

impl Listed {
    fn new(user: &User) -> Listed {
        Listed { name: user.name.clone(), role: user.role.name(), login: login(user) }
    }
}

#[derive(Debug, Serialize)]
struct ListReport {
    users: Vec<Listed>,
}

impl Report for ListReport {
    fn blocks(&self) -> Vec<Block> {
        let mut table = Table::new(&["user", "role", "login"]);
        for user in &self.users {
            table.row([user.name.to_string(), user.role.to_owned(), user.login.to_owned()]);
        }
        vec![Block::Table(table)]
    }
}

#[derive(Serialize)]
struct Added {
    name: Username,
    role: &'static str,
    login: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<PathBuf>,
}

impl Added {
    fn new(user: &User) -> Added {
        Added {
            name: user.name.clone(),
            role: user.role.name(),
            login: login(user),
            key: user.key.as_ref().map(to_hex),
            key_file: None,
        }
    }
}

#[derive(Default, Serialize)]
struct AddReport {
    users: Vec<Added>,
}

impl Report for AddReport {
    fn blocks(&self) -> Vec<Block> {
        let mut table = Table::new(&["added", "role", "key file"]);
        for user in &self.users {
            let file = user.key_file.as_ref().map(|file| file.display().to_string());
            table.row([user.name.to_string(), user.role.to_owned(), file.unwrap_or_default()]);
        }
        vec![Block::Table(table)]
    }
}

#[derive(Serialize)]
struct RemoveReport {
    removed: Username,
}

impl Report for RemoveReport {
    fn blocks(&self) -> Vec<Block> {
        vec![Block::Text(format!("removed {}", self.removed))]
    }
}
