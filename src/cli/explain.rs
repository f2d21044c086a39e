//! `netlab explain`.

use std::process::ExitCode;

use clap::Args;

use crate::diag::explain;
use crate::report::Report;

use super::output::Output;
use super::{UsageError, answered};

/// Explain an error, a socket call, a state, an option, an address, a port or a class of bugs
///
/// Without a topic, lists them all. Errors are found by name, by number (of any system) and by their message.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab explain                          every topic
  netlab explain ECONNREFUSED             what it means, how to see it, the cure
  netlab explain 10061                    the same error, by Windows' number
  netlab explain address in use           words do, too
  netlab explain '[Errno 32] Broken pipe' and so does a whole message
  netlab explain 192.168.1.7              private, public, loopback, ...
  netlab explain port 443                 whose port that is
  netlab explain mesh 100                 connections of a star and of a mesh
  netlab explain little-endian-length     a class of bugs that `netlab check` names")]
pub(super) struct ExplainArgs {
    /// What to explain
    #[arg(value_name = "TOPIC", allow_negative_numbers = true)]
    topic: Vec<String>,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
}

impl ExplainArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let explanation =
            explain::explain(&self.topic).map_err(|error| UsageError::new(error.to_string()))?;
        output.report(&explanation, self.json)?;
        Ok(answered(explanation.succeeded()))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, command_tree};
    use crate::diag::explain::{Part, Topic, topics};

    /// Every `netlab ...` that a topic shows, in code and between backticks.
    fn commands(topic: &Topic) -> Vec<String> {
        let mut found = Vec::new();
        for part in topic.sections.iter().flat_map(|section| &section.parts) {
            match part {
                Part::Text(text) => found.extend(text.split('`').skip(1).step_by(2).map(str::to_owned)),
                Part::Code { language: "sh", lines, .. } => found.extend(lines.lines().map(str::to_owned)),
                Part::Code { .. } => {}
            }
        }
        found.retain(|command| command.starts_with("netlab "));
        found
    }

    /// Its words as a shell would give them, without what it does itself.
    fn words(command: &str) -> Vec<String> {
        let command = command.split(" < ").next().unwrap_or_default();
        let mut words = Vec::new();
        for (at, part) in command.split('"').enumerate() {
            match at % 2 {
                1 => words.push(part.to_owned()),
                _ => words.extend(part.split_whitespace().map(str::to_owned)),
            }
        }
        words
    }

    #[test]
    fn every_command_in_a_topic_is_one() {
        let tree = command_tree();
        let mut seen = 0;
        for topic in topics() {
            for command in commands(topic) {
                let words = words(&command);
                assert!(tree.find_subcommand(&words[1]).is_some(), "{}: `{command}`", topic.name);
                seen += 1;
                // Placeholders stand for what a reader puts there.
                let words = words.iter().map(|word| if word == "N" { "7" } else { word });
                let parsed = Cli::try_parse_from(words);
                assert!(parsed.is_ok(), "{}: `{command}`: {}", topic.name, parsed.unwrap_err());
            }
        }
        assert!(seen > 15, "{seen} commands");
    }
}
