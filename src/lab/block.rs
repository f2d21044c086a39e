//! The fenced blocks of a lab's page: their attributes, and the steps they stand for.
//!
//! ```text
//! ```sh step=1 terminal=2 keeps-running      one command, in a terminal
//! ```keys step=2 terminal=2                  lines typed there; Ctrl-C, Ctrl-D
//! ```python file=a.py                        saved before the round's first step
//! ```
//! The convention is explained to authors in `labs/README.md`; `tests/labs.rs` reads the pages by it, too. Nothing
//! is run here.

use std::collections::BTreeMap;

/// What every server says first.
const LISTENING: &str = "listening on ";
/// Characters that mean different things to different shells.
const SHELL: &[char] = &['|', '<', '>', '&', ';', '$', '`', '\'', '\\', '%', '*', '(', ')'];

/// A fenced block: ```` ```KIND key=value flag ````.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// `sh`, `keys`, `python`, `text`.
    pub kind: String,
    attributes: BTreeMap<String, String>,
    /// What stands in it.
    pub lines: Vec<String>,
}

/// What is done in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A command is started; one that keeps running is left to later steps.
    Run {
        /// The command line, for no shell.
        command: String,
        /// True for a server, or a client that waits for input.
        keeps_running: bool,
    },
    /// Lines are typed into the program that runs there.
    Keys(Vec<String>),
}

/// One step of a lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number on the page.
    pub number: u32,
    /// The terminal it is done in.
    pub terminal: u32,
    /// What is done.
    pub action: Action,
}

impl Block {
    /// A block without lines, by what stands behind its fence.
    #[must_use]
    pub fn open(info: &str) -> Block {
        let mut words = info.split_whitespace();
        let kind = words.next().unwrap_or_default().to_owned();
        let attribute = |word: &str| {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            (key.to_owned(), value.to_owned())
        };
        Block { kind, attributes: words.map(attribute).collect(), lines: Vec::new() }
    }

    /// The value of an attribute; empty for a flag.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// The value of an attribute that is a number.
    ///
    /// # Errors
    /// One that is none, as `name=value`.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let parse = |value: &str| value.parse().map_err(|_| format!("{name}={value}"));
        self.attribute(name).map(parse).transpose()
    }

    /// The same, and it must be there.
    ///
    /// # Errors
    /// One that is missing, or no number.
    pub fn required(&self, name: &str) -> Result<u32, String> {
        self.number(name)?.ok_or_else(|| format!("a `{}` block needs {name}=N", self.kind))
    }

    /// The step that it stands for, if it is one.
    ///
    /// # Errors
    /// A step without number or terminal, or with more than one command.
    pub fn step(&self) -> Result<Option<Step>, String> {
        let action = match (self.kind.as_str(), self.lines.as_slice()) {
            _ if self.attribute("file").is_some() => return Ok(None),
            ("keys", lines) => Action::Keys(lines.to_vec()),
            ("sh", [command]) => {
                let keeps_running = self.attribute("keeps-running").is_some();
                Action::Run { command: command.clone(), keeps_running }
            }
            ("sh", _) => return Err("a step is one command".into()),
            _ => return Ok(None),
        };
        let (number, terminal) = (self.required("step")?, self.required("terminal")?);
        Ok(Some(Step { number, terminal, action }))
    }
}

/// The port of a line that says where a server listens: `listening on 127.0.0.1:34567 (tcp)`.
#[must_use]
pub fn listening_port(line: &str) -> Option<&str> {
    Some(line.strip_prefix(LISTENING)?.split(' ').next()?.rsplit_once(':')?.1)
}

/// The words of a command line, as every shell would see them: double quotes alone are understood.
///
/// # Errors
/// What shells read differently, and a quote without its end.
pub fn words(command: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    for (at, part) in command.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else if part.contains(SHELL) {
            return Err(format!("`{command}`: not every shell reads that in the same way"));
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    if command.matches('"').count() % 2 == 1 { Err("a quote is open".into()) } else { Ok(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_mean_the_same_in_every_shell() {
        assert_eq!(words("netlab say \"  a b \" x").unwrap(), ["netlab", "say", "  a b ", "x"]);
        assert!(words("netlab > file").is_err() && words("say \"open").is_err());
        assert_eq!(listening_port("listening on [::1]:80 (tcp)"), Some("80"));
        assert_eq!(listening_port("not listening on [::1]:80"), None);
    }

    #[test]
    fn a_step_needs_its_number() {
        let mut block = Block::open("sh step=3 terminal=1 keeps-running");
        assert!(block.step().is_err(), "no command");
        block.lines.push("netlab doctor".into());
        let action = Action::Run { command: "netlab doctor".into(), keeps_running: true };
        assert_eq!(block.step(), Ok(Some(Step { number: 3, terminal: 1, action })));
        assert!(Block::open("keys step=x terminal=1").step().is_err());
        assert_eq!(Block::open("python file=a.py").step(), Ok(None));
    }
}
