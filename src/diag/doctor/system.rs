//! The checks on what surrounds netlab: Python, limits, the locale, the terminal.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Check, Surroundings};
use crate::net::{descriptor_limit, highest_descriptor_limit};
use crate::text::Grouped;

/// The least Python that every lab's programs run on.
const PYTHON: (u32, u32) = (3, 10);
/// How long an interpreter may take to say its version; the first time it comes from a slow disk.
const PATIENCE: Duration = Duration::from_secs(10);
/// A class of clients, and what a server needs beside them.
const DESCRIPTORS: usize = 1_024;
/// The least on which a server with a few clients runs.
const FEWEST_DESCRIPTORS: usize = 64;
/// What pictures and tables are drawn for.
const SCREEN: (u16, u16) = (80, 24);

pub(super) fn version() -> Check {
    let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    Check::ok("netlab", format!("{} on {system}, {processor}", env!("CARGO_PKG_VERSION")))
}

/// Every connection is a descriptor. Servers raise the limit themselves, as far as they may.
pub(super) fn descriptors() -> Check {
    let (now, most) = (descriptor_limit(), highest_descriptor_limit());
    let name = "descriptors";
    if most == usize::MAX {
        return Check::ok(name, "no limit that matters");
    }
    let found = format!("{} now, at most {}", Grouped(now as u64), Grouped(most as u64));
    let fix = format!("let root raise it: `ulimit -Hn {DESCRIPTORS}`, or a line in limits.conf");
    if most < FEWEST_DESCRIPTORS {
        Check::failed(name, found, fix)
    } else if most < DESCRIPTORS {
        Check::warning(name, format!("{found}: too few for large classes"), fix)
    } else {
        Check::ok(name, found)
    }
}

/// The labs' own programs are Python.
pub(super) fn python() -> Check {
    let (name, (major, minor)) = ("Python", PYTHON);
    let fix = format!("install Python {major}.{minor} or later, so that `python3` starts it");
    let Some(said) = said_version("python3") else {
        return Check::failed(name, "`python3` can't be started", fix);
    };
    match parse_version(&said) {
        Some(version) if version >= PYTHON => Check::ok(name, format!("{}, by `python3`", said.trim())),
        Some(_) => Check::failed(name, format!("{} is too old", said.trim()), fix),
        None => Check::failed(name, format!("`python3 --version` said `{}`", said.trim()), fix),
    }
}

/// What `PROGRAM --version` says; `None` if it can't be started or does not end.
fn said_version(program: &str) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let deadline = Instant::now() + PATIENCE;
    // Its line fits into the pipe, so it can end before it is read.
    while child.try_wait().ok()?.is_none() {
        if Instant::now() > deadline {
            // It may end this moment by itself.
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let mut said = String::new();
    child.stdout.take()?.take(1_000).read_to_string(&mut said).ok()?;
    Some(said)
}

/// The numbers of `Python 3.12.4`.
fn parse_version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix("Python ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Pictures are drawn with more than ASCII where the locale allows it.
pub(super) fn locale(surroundings: &Surroundings) -> Check {
    let name = "locale";
    let shown = match &surroundings.locale {
        Some((variable, value)) => format!("{variable}={value}"),
        None => "none set".to_owned(),
    };
    if surroundings.utf8 {
        Check::ok(name, format!("{shown}: pictures are drawn with lines and blocks"))
    } else {
        Check::warning(name, format!("{shown}: pictures are drawn in ASCII"), "export LC_ALL=C.UTF-8")
    }
}

/// Tables and pictures fill 80 columns.
pub(super) fn terminal(surroundings: &Surroundings) -> Check {
    let name = "terminal";
    let Some((columns, lines)) = surroundings.terminal else {
        return Check::ok(name, "stdout is none: plain text for 80 columns");
    };
    let found = format!("{columns} columns, {lines} lines");
    let dumb = surroundings.term.as_deref() == Some("dumb");
    if dumb {
        Check::warning(name, format!("{found}, TERM=dumb: nothing can be redrawn"), "use another terminal")
    } else if columns < SCREEN.0 || lines < SCREEN.1 {
        let fix = format!("make the window {} by {}", SCREEN.0, SCREEN.1);
        Check::warning(name, format!("{found}: pictures wrap"), fix)
    } else {
        Check::ok(name, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        assert_eq!(parse_version("Python 3.9.18\n"), Some((3, 9)));
        assert!(parse_version("Python 3.10.0").is_some_and(|version| version >= PYTHON));
        assert!(parse_version("Python 3.9.18").is_some_and(|version| version < PYTHON));
        assert_eq!(parse_version("Python was not found; run without arguments to install"), None);
        assert_eq!(said_version("netlab-no-such-program"), None);
    }
}
