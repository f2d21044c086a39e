//! The walk through a lab with real programs, a script in the student's place.
//!
//! All children of this process are `process`'s: whatever else is one, it ends as an orphan of theirs.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

use std::collections::VecDeque;
use std::io;
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use netlab::lab::LABS;
use netlab::lab::classroom::Classroom;
use netlab::lab::desk::{Desk, Line};
use netlab::lab::page::{Item, Page, parse, plain};
use netlab::lab::session::Session;
use netlab::lab::worksheet::{Notes, Round};
use netlab::net::Stop;

/// Far more than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A student by script: what is shown is written down, questions are answered in turn, and then it leaves.
#[derive(Default)]
struct Script {
    answers: VecDeque<&'static str>,
    log: Vec<String>,
    kept: usize,
    /// It reads no further than this.
    reads: Option<&'static str>,
    /// It does everything, whatever is asked.
    diligent: bool,
    /// It presses Enter all the time.
    impatient: bool,
    /// Ctrl-C, as soon as a program prints.
    stop: Option<Stop>,
}

impl Classroom for Script {
    fn heading(&mut self, level: u8, title: &str) -> io::Result<ControlFlow<()>> {
        self.log.push(format!("h{level} {title}"));
        Ok(ControlFlow::Continue(()))
    }

    fn item(&mut self, item: &Item) -> io::Result<ControlFlow<()>> {
        self.log.push(match item {
            Item::Paragraph(text) => plain(text),
            other => format!("{other:?}"),
        });
        let leaves = self.reads.is_some_and(|wanted| self.log.iter().any(|line| line.contains(wanted)));
        Ok(if leaves { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        self.log.push(format!("[{}] {}", line.terminal, line.text));
        if let Some(stop) = &self.stop {
            stop.request();
        }
        Ok(())
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.log.push(format!("say {text}"));
        Ok(())
    }

    fn ask(&mut self, prompt: &str) -> io::Result<Option<String>> {
        self.log.push(format!("ask {prompt}"));
        if self.diligent {
            let answer = if prompt.starts_with("Your prediction") { "A" } else { "" };
            return Ok(Some(answer.to_owned()));
        }
        let stopped = self.stop.as_ref().is_some_and(Stop::requested);
        Ok(self.answers.pop_front().filter(|_| !stopped).map(str::to_owned))
    }

    fn typed(&mut self) -> bool {
        self.impatient
    }

    fn keep(&mut self, _: &Notes) -> io::Result<()> {
        self.kept += 1;
        Ok(())
    }
}

impl Script {
    /// Where in the log a line begins like this.
    fn at(&self, begin: &str) -> usize {
        let found = self.log.iter().position(|line| line.starts_with(begin));
        found.unwrap_or_else(|| panic!("no `{begin}` in {:#?}", self.log))
    }

    fn port(&self) -> u16 {
        self.log[self.at("[1] listening")]
            .split(':')
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    }
}

const PAGE: &str = "# Lab 77: a test

## Round 1: an echo

### Predict

- **A. Nothing.** No.
- **B. An echo.** Yes.

### Run

```ini file=note.txt
mine
```

```sh step=1 terminal=1 keeps-running
netlab tcp-echo server :0
```

```sh step=2 terminal=2
netlab tcp-echo client 127.0.0.1:PORT \"Hello, you\"
```

```keys step=3 terminal=1
Ctrl-C
```

### Observe

It said:

### Explain

Why?
";

fn walk(page: &str, answers: &[&'static str], stop: Option<Stop>) -> (Notes, Script) {
    let page: Page = parse(page);
    let folder = tempfile::tempdir().unwrap();
    let mut script =
        Script { answers: answers.iter().copied().collect(), stop: stop.clone(), ..Script::default() };
    let desk =
        Desk::new(folder.path().to_owned(), env!("CARGO_BIN_EXE_netlab").into(), stop.unwrap_or_default());
    let notes = Session::new(&page, desk, &mut script).run(1).unwrap();
    (notes, script)
}

#[test]
#[cfg(unix)]
fn a_walk_waits_for_the_prediction_runs_the_steps_and_notes_all_of_it() {
    let answers = ["", "maybe", "Because", "b: it is a server", "", "", "", "an", "echo", "", "so"];
    let (notes, script) = walk(PAGE, &answers, None);
    assert!(script.at("ask Your prediction") < script.at("h3 Run"));
    assert_eq!(script.log.iter().filter(|line| line.starts_with("ask Your prediction")).count(), 4);
    assert!(script.at("say terminal 1 $ netlab tcp-echo server :0") < script.at("[1] listening on"));
    let command =
        format!("say terminal 2 $ netlab tcp-echo client 127.0.0.1:{} \"Hello, you\"", script.port());
    assert!(script.at(&command) < script.at("[2] Hello, you"));
    assert!(script.at("[1] disconnected") < script.at("[1] stopped: 1 connection"));
    assert_eq!(script.kept, 0, "the student left at the second answer of Explain");
    let round = &notes.rounds[0];
    let prediction = round.prediction.clone().unwrap();
    assert_eq!(
        (prediction.letter, prediction.name.as_str(), round.why.as_str()),
        ('B', "An echo", "it is a server")
    );
    assert_eq!((round.steps.len(), &round.observations[..]), (3, &["an".to_owned(), "echo".to_owned()][..]));
    assert!(round.steps[1].output.contains(&"[2] Hello, you".to_owned()), "{:?}", round.steps);
    assert!(!round.finished && !round.skipped && !round.passed());
}

#[test]
#[cfg(unix)]
fn a_round_is_passed_by_doing_all_of_it() {
    let all = ["", "B", "", "", "", "seen", "", "so", ""];
    let (notes, script) = walk(PAGE, &all[1..], None);
    assert!(notes.rounds[0].passed() && script.kept == 1, "{:#?}", script.log);
    let without_step_2 = ["B", "", "s", "", "", ""];
    let (notes, script) = walk(PAGE, &without_step_2, None);
    assert!(notes.rounds[0].finished && !notes.rounds[0].passed(), "{:#?}", script.log);
    // What a step cannot do is said, and the walk goes on.
    let without_server = ["B", "s", "", "", "", ""];
    let (notes, script) = walk(PAGE, &without_server, None);
    script.at("say This step failed: PORT is not known");
    script.at("say This step failed: nothing runs in terminal 1");
    assert!(notes.rounds[0].finished && !notes.rounds[0].passed());
}

#[test]
#[cfg(unix)]
fn a_file_is_saved_and_what_the_student_made_of_it_stays() {
    let (page, folder) = (parse(PAGE), tempfile::tempdir().unwrap());
    let path = folder.path().join("note.txt");
    let visit = |answers: &[&'static str], from_round| {
        let mut script = Script { answers: answers.iter().copied().collect(), ..Script::default() };
        let desk = Desk::new(folder.path().to_owned(), env!("CARGO_BIN_EXE_netlab").into(), Stop::new());
        Session::new(&page, desk, &mut script).run(from_round).unwrap();
        std::fs::read_to_string(&path).unwrap()
    };
    assert_eq!(visit(&[], 2), "mine\n", "of a round that is passed over");
    std::fs::write(&path, "yours\n").unwrap();
    assert_eq!(visit(&[], 2), "yours\n");
    assert_eq!(visit(&["B", "", "q"], 1), "yours\n");
    assert_eq!(visit(&["B", "r", "q"], 1), "mine\n");
}

#[test]
#[cfg(unix)]
fn whoever_leaves_leaves_no_program_behind() {
    for last in ["q", "Q "] {
        let (_, script) = walk(PAGE, &["B", "", last], None);
        assert!(TcpStream::connect(("127.0.0.1", script.port())).is_err(), "the server still runs");
    }
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_the_wait_for_a_command_and_the_command() {
    let endless = PAGE.replace(" keeps-running", "");
    let begun = Instant::now();
    let (notes, script) = walk(&endless, &["B", "", ""], Some(Stop::new()));
    assert!(begun.elapsed() < Duration::from_secs(60), "it waited for the command");
    assert!(TcpStream::connect(("127.0.0.1", script.port())).is_err(), "the server still runs");
    assert!(!notes.rounds[0].finished);
}

// Catches: a file that is saved, or a question that is asked, after the student has left in the middle of a text.
#[test]
fn whoever_leaves_while_reading_is_asked_nothing_more() {
    let (page, folder) = (parse(PAGE), tempfile::tempdir().unwrap());
    let mut script = Script { answers: ["B"].into(), reads: Some("mine"), ..Script::default() };
    let desk = Desk::new(folder.path().to_owned(), env!("CARGO_BIN_EXE_netlab").into(), Stop::new());
    let notes = Session::new(&page, desk, &mut script).run(1).unwrap();
    assert!(script.log.last().unwrap().contains("mine"), "{:#?}", script.log);
    assert!(!folder.path().join("note.txt").exists() && !notes.rounds[0].finished);
}

// Catches: a command that hangs, as an unfinished program does, and that only the end of the lab ends.
#[test]
#[cfg(unix)]
fn enter_ends_a_command_and_the_walk_goes_on() {
    let endless = parse(&PAGE.replace(" keeps-running", ""));
    let folder = tempfile::tempdir().unwrap();
    let answers = ["B", "", "s", "s", "seen", ""].into();
    let mut script = Script { answers, impatient: true, ..Script::default() };
    let desk = Desk::new(folder.path().to_owned(), env!("CARGO_BIN_EXE_netlab").into(), Stop::new());
    Session::new(&endless, desk, &mut script).run(1).unwrap();
    assert!(script.at("say (terminal 1 is busy: Enter ends it)") < script.at("[1] (ended by you)"));
    script.at("say terminal 2 $");
    assert!(TcpStream::connect(("127.0.0.1", script.port())).is_err(), "the server still runs");
}

// Catches: a starter with a mistake that is not meant; one that listens elsewhere than on the port it is given.
#[test]
#[cfg(target_os = "linux")]
fn every_starter_listens_on_its_port() {
    use netlab::net::table::Transport;
    use netlab::process::{Listening, Program, listening};

    let version = Program { command: vec!["python3".into(), "--version".into()], ..Program::default() };
    if version.spawn().is_err() {
        // Past the test harness, which shows only what failed tests print.
        let _ = io::Write::write_all(&mut io::stderr(), b"SKIPPED, python3 is missing\n");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for lab in LABS {
        let page = lab.page();
        let build = page.sections.iter().find(|section| section.title == "Build").expect("each lab has one");
        let starter = build.blocks().find(|block| block.kind == "python").expect("it has a starter");
        let name = starter.attribute("file").unwrap();
        std::fs::write(folder.path().join(name), starter.lines.join("\n")).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let command = ["python3".to_owned(), name.to_owned(), port.to_string()].map(Into::into).into();
        let env = vec![("NETLAB_KEY".into(), "key".into())];
        let program = Program { command, env, folder: Some(folder.path().to_owned()), ..Program::default() };
        let mut child = program.spawn().unwrap();
        let transport = if lab.name.contains("udp") { Transport::Udp } else { Transport::Tcp };
        let end = Instant::now() + PATIENCE;
        while listening(&child, transport, port, false).unwrap() == Listening::Nowhere {
            let failed = child.exited().is_some() || Instant::now() >= end;
            assert!(!failed, "{}: {}", lab.name, String::from_utf8_lossy(&child.stderr().head));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

mod long {
    use super::*;

    // Catches: a step that works at the pace of a test, which knows what will be printed, and not at a student's.
    #[test]
    #[cfg(target_os = "linux")]
    #[ignore = "needs python3"]
    fn every_lab_can_be_walked_through() {
        for lab in LABS {
            let page = lab.page();
            let folder = tempfile::tempdir().unwrap();
            // The student has done the exercises before the steps that need them.
            let teacher = format!("{}/labs/{}/teacher.md", env!("CARGO_MANIFEST_DIR"), lab.name);
            for section in parse(&std::fs::read_to_string(teacher).unwrap()).sections {
                for block in section.blocks().filter(|block| block.attribute("file").is_some()) {
                    let path = folder.path().join(block.attribute("file").unwrap());
                    std::fs::write(path, block.lines.join("\n")).unwrap();
                }
            }
            let mut script = Script { diligent: true, ..Script::default() };
            let netlab = env!("CARGO_BIN_EXE_netlab").into();
            let desk = Desk::new(folder.path().to_owned(), netlab, Stop::new());
            let notes = Session::new(&page, desk, &mut script).run(1).unwrap();
            let failed = |line: &&String| {
                line.starts_with("say This step failed") || line.contains("(ended by netlab")
            };
            assert_eq!(script.log.iter().find(failed), None, "{}: {:#?}", lab.name, script.log);
            assert!(notes.rounds.len() >= 3 && notes.rounds.iter().all(Round::passed), "{}", lab.name);
        }
    }
}
