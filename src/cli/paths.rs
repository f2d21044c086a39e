//! Where netlab keeps its files unless told otherwise: the platform's data folder, the same for every command.

use std::path::PathBuf;

use clap::Args;
use directories::ProjectDirs;

use super::UsageError;

/// netlab's data folder: `~/.local/share/netlab`, `~/Library/Application Support/netlab` or
/// `%APPDATA%\netlab\data`. It need not exist yet.
pub(super) fn data_folder() -> Result<PathBuf, UsageError> {
    let folders = ProjectDirs::from("", "", "netlab");
    folders.map(|folders| folders.data_dir().to_owned()).ok_or_else(|| {
        UsageError::new("this user has no home folder to keep files in: name them by flags".to_owned())
    })
}

/// Which users file, for every command that takes one.
#[derive(Clone, Debug, Args)]
pub(super) struct UsersFileArgs {
    /// The users file [default: users.json in netlab's data folder]
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
}

impl UsersFileArgs {
    pub(super) fn path(&self) -> Result<PathBuf, UsageError> {
        match &self.users {
            Some(path) => Ok(path.clone()),
            None => Ok(data_folder()?.join("users.json")),
        }
    }
}
