//! A class list: one name a line, `#` starts a comment, `NAME,teacher` gives a role.
//!
//! ```text
//! # section A
//! ada
//! grace,teacher
//! ```

use std::collections::HashMap;
use std::path::Path;

use crate::protocol::names::Username;
use crate::service::Role;
use crate::text::escape;

use super::UsageError;

/// A line of a class list.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// The line's number, from 1.
    pub(super) line: usize,
    pub(super) name: Username,
    pub(super) role: Role,
}

/// Reads the list in a file; an error names the file and the line.
pub(super) fn load(file: &Path, role: Role) -> Result<Vec<Member>, UsageError> {
    let shown = escape(file.to_string_lossy().as_bytes());
    let content = std::fs::read_to_string(file)
        .map_err(|error| UsageError::new(format!("read the class list {shown}: {error}")))?;
    parse(&content, role).map_err(|error| UsageError::new(format!("{shown}, {error}")))
}

/// Reads a list; who has no role of their own gets `role`. An error names its line.
fn parse(text: &str, role: Role) -> Result<Vec<Member>, String> {
    let mut members = Vec::new();
    let mut seen = HashMap::new();
    for (line, content) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let content = content.split('#').next().unwrap_or_default().trim();
        if content.is_empty() {
            continue;
        }
        let member = member(content, line, role).map_err(|error| format!("line {line}: {error}"))?;
        if let Some(first) = seen.insert(member.name.key().to_owned(), line) {
            return Err(format!("line {line}: {} stands in line {first} already", member.name));
        }
        members.push(member);
    }
    Ok(members)
}

fn member(content: &str, line: usize, role: Role) -> Result<Member, String> {
    let (name, own) = content.split_once(',').unwrap_or((content, ""));
    let (name, own) = (name.trim(), own.trim());
    let role = match own {
        "" => role,
        own => Role::ALL
            .into_iter()
            .find(|role| role.name() == own)
            .ok_or_else(|| format!("`{}` is no role: it is student or teacher", escape(own.as_bytes())))?,
    };
    let name = Username::parse(name).map_err(|error| format!("`{}`: {error}", escape(name.as_bytes())))?;
    Ok(Member { line, name, role })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_name_a_line() {
        let list =
            parse("\u{feff}# A\r\nada\r\n\n grace , teacher # boss\nbob,student", Role::Student).unwrap();
        let list: Vec<_> = list.iter().map(|m| (m.line, m.name.as_str(), m.role)).collect();
        assert_eq!(list, [(2, "ada", Role::Student), (4, "grace", Role::Teacher), (5, "bob", Role::Student)]);
    }

    #[test]
    fn an_error_names_its_line() {
        let cases = [
            ("ada\na b", "line 2: `a b`"),
            ("ada\n\nbob,boss", "line 3: `boss`"),
            ("ada\nADA", "line 2: ADA stands in line 1"),
            ("ada\nanon7", "line 2: `anon7`"),
            ("x\n,teacher", "line 2"),
        ];
        for (text, expected) in cases {
            let error = parse(text, Role::Student).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
