//! What a machine offers to the labs: each thing they use is tried, and what is amiss comes with its fix.
//!
//! Nothing is guessed from configuration where it can be tried: a port is bound, a connection made, a socket for
//! ICMP opened. What only the command line knows (the locale, the terminal, the default ports) comes in as
//! [`Surroundings`].

mod network;
mod system;

use serde::Serialize;

use crate::net::table::Transport;
use crate::report::{Block, Report, Table};
use crate::text::{counted, escape};

/// What the command line knows.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The default ports of the servers, if the base for them is in order.
    pub ports: Vec<ServerPort>,
    /// NETLAB_PORT_BASE.
    pub port_base: PortBase,
    /// The variable that decides the locale, and its value.
    pub locale: Option<(&'static str, String)>,
    /// Output is drawn with more than ASCII.
    pub utf8: bool,
    /// stdout is a terminal with so many columns and lines; `None`: it is none.
    pub terminal: Option<(u16, u16)>,
    /// TERM.
    pub term: Option<String>,
}

/// A server's default port.
#[derive(Clone, Copy, Debug)]
pub struct ServerPort {
    /// The server's command.
    pub server: &'static str,
    /// TCP or UDP.
    pub transport: Transport,
    /// The port, on 127.0.0.1.
    pub port: u16,
}

/// NETLAB_PORT_BASE, by which users of one machine keep out of each other's way.
#[derive(Clone, Debug)]
pub enum PortBase {
    /// It is not set.
    Unset,
    /// It is set to a port.
    Set(u16),
    /// It is set to something else; what is wrong with it.
    Wrong(String),
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is as it should be.
    Ok,
    /// Something won't work, and the labs have a way around it.
    Warning,
    /// Labs need it.
    Failed,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is about.
    pub name: &'static str,
    /// How it came out.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do about it; always there unless it is as it should be.
    pub fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Check {
        Check { name, status: Status::Ok, found: found.into(), fix: None }
    }

    fn warning(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Check {
        Check { name, status: Status::Warning, found: found.into(), fix: Some(fix.into()) }
    }

    fn failed(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Check {
        Check { name, status: Status::Failed, found: found.into(), fix: Some(fix.into()) }
    }
}

/// Every check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoctorReport {
    /// In the order in which they were made.
    pub checks: Vec<Check>,
    /// How many are as they should be.
    pub ok: usize,
    /// How many labs can do without.
    pub warnings: usize,
    /// How many labs need.
    pub failed: usize,
}

/// Makes every check.
#[must_use]
pub fn run(surroundings: &Surroundings) -> DoctorReport {
    let mut checks = vec![system::version()];
    checks.extend(network::loopback());
    checks.extend(network::ports(surroundings));
    checks.push(network::port_base(surroundings));
    checks.extend([network::ipv6(), network::socket_table(), network::icmp(), network::capture()]);
    checks.extend([system::descriptors(), system::python(), system::locale(surroundings)]);
    checks.push(system::terminal(surroundings));
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    let (ok, warnings, failed) = (count(Status::Ok), count(Status::Warning), count(Status::Failed));
    DoctorReport { checks, ok, warnings, failed }
}

impl Report for DoctorReport {
    fn blocks(&self) -> Vec<Block> {
        let mut table = Table::new(&["check", "", "found"]);
        for Check { name, status, found, fix } in &self.checks {
            let status = match status {
                Status::Ok => "ok",
                Status::Warning => "warning",
                Status::Failed => "FAILED",
            };
            let mut found = escape(found.as_bytes());
            // On a line of its own: that is what a reader looks for.
            found.extend(fix.iter().map(|fix| format!("\nfix: {}", escape(fix.as_bytes()))));
            table.row([(*name).to_owned(), status.to_owned(), found]);
        }
        let verdict = match (self.failed, self.warnings) {
            (0, 0) => "all is well".to_owned(),
            (0, n) => format!("{}: every lab can be done", counted(n as u64, "warning")),
            (n, _) => format!("{n} failed: labs need it"),
        };
        vec![Block::Table(table), Block::Text(String::new()), Block::Text(verdict)]
    }

    fn succeeded(&self) -> bool {
        self.failed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(checks: Vec<Check>) -> DoctorReport {
        let count = |status| checks.iter().filter(|check| check.status == status).count();
        let (ok, warnings, failed) = (count(Status::Ok), count(Status::Warning), count(Status::Failed));
        DoctorReport { checks, ok, warnings, failed }
    }

    #[test]
    fn only_what_labs_need_is_a_failure() {
        assert!(report(vec![Check::ok("a", "x"), Check::warning("b", "y", "z")]).succeeded());
        assert!(!report(vec![Check::ok("a", "x"), Check::failed("b", "y", "z")]).succeeded());
    }

    #[test]
    fn whatever_is_amiss_comes_with_its_fix() {
        let found = run(&Surroundings {
            ports: Vec::new(),
            port_base: PortBase::Wrong("it is `x`".into()),
            locale: Some(("LC_ALL", "C".into())),
            utf8: false,
            terminal: Some((40, 10)),
            term: Some("dumb".into()),
        });
        for check in &found.checks {
            assert_eq!(check.fix.is_some(), check.status != Status::Ok, "{check:?}");
        }
        let status = |name| found.checks.iter().find(|check| check.name == name).map(|check| check.status);
        assert_eq!(status("port base"), Some(Status::Failed));
        assert_eq!(status("locale"), Some(Status::Warning));
        assert_eq!(status("terminal"), Some(Status::Warning));
        assert_eq!(status("loopback TCP"), Some(Status::Ok));
        assert!(!found.succeeded());
    }
}
