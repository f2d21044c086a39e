//! The labs, compiled in: one walks through them in the terminal.
//!
//! ```text
//! labs/*/README.md ──page::parse──► Page ──Session::run──► Classroom (shows, asks)
//!                                            │  └──► Desk (runs the steps' commands)
//!                                            └─► Notes ──► worksheet, Progress
//! ```
//! The students' pages alone: what is observed stands in `teacher.md`, and whoever has this binary shall not have
//! that. Nothing here prints: the command's file does, through [`classroom::Classroom`].

pub mod block;
pub mod classroom;
pub mod desk;
pub mod list;
pub mod page;
pub mod progress;
pub mod session;
pub mod worksheet;

/// The exercises of `netlab check` that labs may ask for, from the easiest up.
pub const EXERCISES: [&str; 12] = [
    "tcp-echo-once",
    "tcp-echo",
    "tcp-echo-many",
    "udp-echo",
    "udp-ack",
    "upper-lines",
    "framed-echo-u16",
    "framed-echo-u32",
    "framed-echo-header",
    "hmac-challenge",
    "rooms",
    "records",
];

/// A lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lab {
    /// The name of its folder, which begins with its number in two digits.
    pub name: &'static str,
    /// The student's page, as Markdown.
    pub markdown: &'static str,
}

macro_rules! labs {
    ($($name:literal),* $(,)?) => {
        /// All labs, in their order.
        pub const LABS: &[Lab] = &[$(Lab {
            name: $name,
            markdown: include_str!(concat!("../../labs/", $name, "/README.md")),
        }),*];
    };
}

labs![
    "01-first-echo",
    "02-tcp-or-udp",
    "03-bytes",
    "04-sticky-packets",
    "05-framing",
    "06-many-clients",
    "07-races",
    "08-closing-and-errors",
    "09-on-the-wire",
    "10-rooms",
    "11-authentication",
    "12-records",
    "13-concurrency-models",
];

impl Lab {
    /// The lab of this number.
    #[must_use]
    pub fn find(number: u32) -> Option<Lab> {
        LABS.iter().copied().find(|lab| lab.number() == number)
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u32 {
        let digits = self.name.split('-').next().and_then(|digits| digits.parse().ok());
        digits.expect("a lab's name begins with its number")
    }

    /// Its page.
    #[must_use]
    pub fn page(self) -> page::Page {
        page::parse(self.markdown)
    }

    /// The exercises of its Build section: `netlab check NAME`, in their order.
    #[must_use]
    pub fn exercises(self) -> Vec<&'static str> {
        let build = self.markdown.split("\n## Build\n").nth(1).unwrap_or_default();
        let build = build.split("\n## ").next().unwrap_or_default();
        let mut names = Vec::new();
        for rest in build.split("netlab check ").skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
            if !names.contains(&&rest[..end]) {
                names.push(&rest[..end]);
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lab_has_exercises_that_exist_and_each_exercise_has_a_lab() {
        let asked: Vec<&str> = LABS.iter().flat_map(|lab| lab.exercises()).collect();
        for name in &asked {
            assert!(EXERCISES.contains(name), "{name} is no exercise");
        }
        for name in EXERCISES {
            assert!(asked.contains(&name), "no lab asks for {name}");
        }
    }

    #[test]
    fn labs_are_found_by_number() {
        for lab in LABS {
            assert_eq!(Lab::find(lab.number()), Some(*lab));
            assert!(lab.page().title.starts_with(&format!("Lab {:02}: ", lab.number())));
        }
        assert_eq!(Lab::find(99), None);
    }
}
