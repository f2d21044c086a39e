//! Who the members of a bench are: the users of a class list, each with a key or all with one password.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::client::Credentials;
use crate::service::Role;

use super::super::{UsageError, class_list, room_client, secret};

/// Flags for the members' logins.
#[derive(Clone, Debug, Args)]
pub(super) struct LoginArgs {
    /// The members log in as the users of this list, a name a line, in its order
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Where their key files are, NAME.key [default: beside the list]
    #[arg(long, value_name = "DIR", requires = "from", conflicts_with = "password")]
    keys_dir: Option<PathBuf>,
    /// Ask for a password, which all of them have, instead of reading keys
    #[arg(long, requires = "from")]
    password: bool,
}

impl LoginArgs {
    /// Who logs in; nobody without a list: then the server names the members.
    pub(super) fn users(&self) -> anyhow::Result<Vec<Credentials>> {
        let Some(list) = &self.from else { return Ok(Vec::new()) };
        // Each login by key takes random bytes; here their lack can still be said.
        getrandom::fill(&mut [0; 32]).context("the system gives no random bytes")?;
        let members = class_list::load(list, Role::Student)?;
        if members.is_empty() {
            return Err(UsageError::new(format!("the class list {} names nobody", list.display())).into());
        }
        let names = members.into_iter().map(|member| member.name.to_string());
        if self.password {
            let password = secret::ask("password of every user in the list: ")?;
            return Ok(names.map(|name| Credentials::Password(name, password.clone())).collect());
        }
        let folder = self.keys_dir.as_deref().unwrap_or(list.parent().unwrap_or(Path::new("")));
        let keyed = |name: String| {
            let key = room_client::read_key(&folder.join(format!("{name}.key")))?;
            Ok(Credentials::Key(name, key))
        };
        names.map(keyed).collect()
    }
}
