//! The labs, executed: the commands of `labs/*/README.md` must show what `labs/*/teacher.md` says.
//!
//! The convention stands in `labs/README.md`. The second half turns the runner and the checks on themselves:
//! for each, a broken lab that it must catch.

#[path = "labs/coverage.rs"]
mod coverage;
#[path = "labs/markdown.rs"]
mod markdown;
#[path = "labs/runner.rs"]
mod runner;

use std::path::Path;
use std::time::Duration;

use markdown::{Lab, matched};
use runner::Summary;

/// For one step; a loaded machine needs seconds where an idle one needs milliseconds.
const STEP: Duration = Duration::from_secs(30);
/// For one step of a self-test whose last step must run into it, and the others must not.
#[cfg(unix)]
const SHORT: Duration = Duration::from_secs(4);

/// The labs that exist.
const LABS: &[&str] = &[
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

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn pages(lab: &str) -> (String, String) {
    let folder = project().join("labs").join(lab);
    (read(&folder.join("README.md")), read(&folder.join("teacher.md")))
}

fn run_lab(name: &str) {
    let (student, teacher) = pages(name);
    let python = runner::has_python();
    if let Err(error) = run(&student, &teacher, python, STEP) {
        panic!("lab {name}\n{error}");
    }
}

fn run(student: &str, teacher: &str, python: bool, timeout: Duration) -> Result<Summary, String> {
    let lab = Lab::parse(student, teacher)?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    runner::run(&lab, folder.path(), python, timeout)
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_01_first_echo() {
    run_lab("01-first-echo");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_02_tcp_or_udp() {
    run_lab("02-tcp-or-udp");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_03_bytes() {
    run_lab("03-bytes");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_04_sticky_packets() {
    run_lab("04-sticky-packets");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_05_framing() {
    run_lab("05-framing");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_06_many_clients() {
    run_lab("06-many-clients");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_07_races() {
    run_lab("07-races");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_08_closing_and_errors() {
    run_lab("08-closing-and-errors");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_09_on_the_wire() {
    run_lab("09-on-the-wire");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_10_rooms() {
    run_lab("10-rooms");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_11_authentication() {
    run_lab("11-authentication");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_12_records() {
    run_lab("12-records");
}

#[test]
#[cfg_attr(windows, ignore = "needs Ctrl-C for one program alone")]
fn lab_13_concurrency_models() {
    run_lab("13-concurrency-models");
}

#[test]
fn every_lab_folder_is_run_and_listed() {
    let folders = std::fs::read_dir(project().join("labs")).unwrap().map(|entry| entry.unwrap());
    let mut found: Vec<String> = folders
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, LABS);
    assert_eq!(
        netlab::lab::LABS.iter().map(|lab| lab.name).collect::<Vec<_>>(),
        LABS,
        "those of `netlab lab`"
    );
    let (index, source) = (read(&project().join("labs/README.md")), read(&project().join("tests/labs.rs")));
    for lab in LABS {
        assert!(index.contains(&format!("]({lab}/README.md)")), "labs/README.md does not list {lab}");
        assert!(source.contains(&format!("    run_lab(\"{lab}\");")), "no test runs {lab}");
    }
}

#[test]
fn every_lab_has_its_parts() {
    for lab in LABS {
        let (student, teacher) = pages(lab);
        assert_eq!(structure_faults(&student, &teacher), [""; 0], "{lab}");
    }
}

/// What a lab lacks: its parts, its rounds, a misconception by name in each prediction.
fn structure_faults(student: &str, teacher: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let rounds: Vec<&str> = student.split("\n## Round ").skip(1).collect();
    if !(1..=4).contains(&rounds.len()) {
        faults.push(format!("{} rounds, not 1 to 4", rounds.len()));
    }
    for part in ["Goal", "Build", "Extend"] {
        if !student.contains(&format!("\n## {part}\n")) {
            faults.push(format!("no {part}"));
        }
    }
    for (at, round) in rounds.iter().enumerate() {
        let n = at + 1;
        let round = round.split("\n## ").next().unwrap_or_default();
        let mut rest = round;
        for part in ["Predict", "Run", "Observe", "Explain"] {
            match rest.split_once(&format!("\n### {part}\n")) {
                Some((_, after)) => rest = after,
                None => faults.push(format!("round {n}: no {part} in its place")),
            }
        }
        let options: Vec<&str> = round.lines().filter_map(option_name).collect();
        if !(2..=4).contains(&options.len()) {
            faults.push(format!("round {n}: {} options, not 2 to 4", options.len()));
        }
        let misconception = teacher.split(&format!("\n## Round {n}")).nth(1).and_then(named_misconception);
        if misconception.is_none_or(|name| !options.contains(&name)) {
            faults.push(format!("round {n}: teacher.md names no option as the misconception"));
        }
    }
    faults
}

/// `NAME` of `- **A. NAME.** What is predicted.`
fn option_name(line: &str) -> Option<&str> {
    let (letter, rest) = line.strip_prefix("- **")?.split_once(". ")?;
    (letter.len() == 1).then_some(rest.split_once(".**")?.0)
}

/// `NAME` of `Misconception: **NAME**`, if it stands in this round.
fn named_misconception(teacher: &str) -> Option<&str> {
    let round = teacher.split("\n## ").next()?;
    Some(round.split_once("Misconception: **")?.1.split_once("**")?.0)
}

#[test]
fn every_claim_of_the_coverage_table_leads_somewhere() {
    let table = read(&project().join("labs/COVERAGE.md"));
    let files = |path: &str| std::fs::read_to_string(project().join(path)).ok();
    assert_eq!(coverage::faults(&table, &files), [""; 0]);
}

// From here on: broken labs, and what catches them.

/// A lab with an iterative server and two clients, right in all its parts.
const STUDENT: &str = "# Lab\n\n## Round 1\n
```sh step=1 terminal=1 keeps-running
netlab tcp-echo server :0 --model iterative
```
```sh step=2 terminal=2
netlab tcp-echo client 127.0.0.1:PORT Hello
```
```keys step=3 terminal=1
Ctrl-C
```
";
const TEACHER: &str = "## Round 1\n
```text step=1
listening on 127.0.0.1:PORT (tcp)
```
```text step=2
Hello
```
```text step=2 terminal=1
connected 127.0.0.1:…
disconnected 127.0.0.1:…: received 5 B, sent 5 B
```
```text step=3
stopped: 1 connection, received 5 B, sent 5 B
```
";

/// Runs the lab with one thing changed in its pages; returns what is wrong with it.
#[cfg(unix)]
fn fault_of(student: (&str, &str), teacher: (&str, &str), timeout: Duration) -> String {
    assert!(STUDENT.contains(student.0) && TEACHER.contains(teacher.0), "nothing would be changed");
    let (student, teacher) = (STUDENT.replace(student.0, student.1), TEACHER.replace(teacher.0, teacher.1));
    run(&student, &teacher, false, timeout).expect_err("the broken lab passes")
}

#[cfg(unix)]
const SAME: (&str, &str) = ("", "");

#[test]
#[cfg(unix)]
fn the_right_lab_passes() {
    assert_eq!(run(STUDENT, TEACHER, false, STEP).map(|summary| summary.steps), Ok(3));
}

#[test]
#[cfg(unix)]
fn a_wrong_expectation_is_caught() {
    let wrong_reply = fault_of(SAME, ("\nHello\n", "\nhello\n"), STEP);
    assert!(wrong_reply.contains("README.md:8 (step 2)") && wrong_reply.contains("shown:\n  Hello"));
    let too_much = fault_of(SAME, ("\nHello\n", "\nHello\nWorld\n"), STEP);
    assert!(too_much.contains("it ended"), "{too_much}");
    let wrong_order = fault_of(SAME, ("connected 127.0.0.1:…\ndis", "dis"), SHORT);
    assert!(wrong_order.contains("step 2") && wrong_order.contains("time is up"), "{wrong_order}");
    let wrong_total = fault_of(SAME, ("stopped: 1 connection,", "stopped: 2 connections,"), STEP);
    assert!(wrong_total.contains("step 3"), "{wrong_total}");
}

#[test]
#[cfg(unix)]
fn output_that_nobody_expects_is_caught() {
    let block = "```text step=2 terminal=1\nconnected 127.0.0.1:…\n\
                 disconnected 127.0.0.1:…: received 5 B, sent 5 B\n```\n";
    let unexpected = fault_of(SAME, (block, ""), STEP);
    assert!(unexpected.contains("step 3") && unexpected.contains("disconnected"), "{unexpected}");
}

#[test]
#[cfg(unix)]
fn a_wrong_exit_code_is_caught() {
    let wrong = fault_of(SAME, ("```text step=2\n", "```text step=2 exit=1\n"), STEP);
    assert!(wrong.contains("exit Some(0), expected 1"), "{wrong}");
}

#[test]
#[cfg(unix)]
fn a_program_left_running_is_caught() {
    let stop = ("```keys step=3 terminal=1\nCtrl-C\n```\n", "");
    let stopped = "```text step=3\nstopped: 1 connection, received 5 B, sent 5 B\n```\n";
    let left = fault_of(stop, (stopped, ""), SHORT);
    assert!(left.contains("at the end of the round") && left.contains("still runs"), "{left}");
}

#[test]
#[cfg(unix)]
fn steps_and_expectations_that_do_not_fit_are_caught() {
    let fault = |teacher: (&str, &str)| fault_of(SAME, teacher, STEP);
    assert!(fault(("```text step=3\n", "```text\n")).contains("step 3 has no expectation"));
    let step_4 = "```text step=4\nHello\n```\n```text step=3\n";
    assert!(fault(("```text step=3\n", step_4)).contains("there is no step 4"));
    for anything in ["…", "… : …", "…:PORT", ""] {
        assert!(fault(("\nHello\n", &format!("\n{anything}\n"))).contains("accepts anything"), "{anything}");
    }
    let student = |student: (&str, &str)| fault_of(student, SAME, STEP);
    assert!(student(("step=2 terminal=2", "step=1 terminal=2")).contains("out of order"));
    assert!(student(("sh step=2 terminal=2", "sh")).contains("needs step=N"));
    assert!(student(("PORT Hello", "PORT Hello > reply.txt")).contains("not every shell"));
    assert!(
        student(("netlab tcp-echo server :0", "netlab tcp-echo server :PORT"))
            .contains("PORT is used before")
    );
    assert!(student(("netlab tcp-echo client", "nc")).contains("netlab and python3 alone"));
}

#[test]
#[cfg(unix)]
fn what_asks_first_may_be_typed_into_and_nothing_else_goes_without_an_expectation() {
    let (client, reply) = ("```sh step=2 terminal=2\n", "```text step=2\nHello\n```\n");
    let keeps = "```sh step=2 terminal=2 keeps-running\n";
    let typed = |student: &str| student.replace(client, keeps).replace("PORT Hello", "PORT");
    let keys = "```keys step=3 terminal=2\nport PORT\nCtrl-D\n```\n";
    let student = typed(STUDENT)
        .replace("step=3", "step=4")
        .replace("```keys step=4", &format!("{keys}```keys step=4"));
    let teacher =
        TEACHER.replace("step=3", "step=4").replace("step=2", "step=3").replace("\nHello\n", "\nport PORT\n");
    let teacher = teacher.replace(" 5 B", " … B");
    assert_eq!(run(&student, &teacher, false, STEP).map(|summary| summary.steps), Ok(4));
    // Nothing is typed into it: it needs an expectation.
    let silent = run(&typed(STUDENT), &TEACHER.replace(reply, "").replace("step=2", "step=3"), false, STEP);
    assert!(silent.unwrap_err().contains("step 2 has no expectation"));
}

#[test]
fn a_lab_sees_its_own_files_and_no_settings_of_the_machine() {
    let student = "## A self-test\n```ini file=.env\nMAX_CONNECTION=7\n```\n\
                   ```sh step=1 terminal=1\nnetlab config\n```\n";
    let setting = |line: &str| format!("```text step=1\n…\n{line}\n…\n```\n");
    assert!(run(student, &setting(" MAX_CONNECTION   7 … .env:1"), false, STEP).is_ok());
    assert!(run(student, &setting(" MAX_CONNECTION   8 … .env:1"), false, STEP).is_err());
}

#[test]
fn rounds_that_need_python_are_skipped_where_it_is_missing() {
    let student = "## A self-test\n```sh step=1 terminal=1\npython3 hello.py\n```\n";
    let teacher = "```text step=1\nHello\n```\n";
    let summary = run(student, teacher, false, STEP).unwrap();
    assert_eq!((summary.steps, summary.skipped.as_slice()), (0, &["A self-test".to_owned()][..]));
    // Where it is there, the round is run: the file is missing.
    assert!(!runner::has_python() || run(student, teacher, true, STEP).is_err());
}

#[test]
fn rounds_about_another_system_are_skipped() {
    let student = "## A self-test\n```sh step=1 terminal=1 system=plan9\nnetlab --version\n```\n";
    let summary = run(student, "```text step=1\nnetlab\n```\n", false, STEP).unwrap();
    assert_eq!((summary.steps, summary.skipped.len()), (0, 1));
}

#[test]
fn patterns_match_line_by_line() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let of = |expected, output, whole| matched(&lines(expected), &lines(output), whole);
    assert_eq!(of("a…c", "abc", true), Some(1));
    assert_eq!(of("a…c…e", "abcde", true), Some(1));
    assert_eq!(of("…", "", true), Some(0));
    assert_eq!(of("…\nb", "a\na\nb\nc", false), Some(3));
    assert_eq!(of("…\nb\n…", "a\nb\nc", true), Some(3));
    assert_eq!(of("", "a", false), Some(0));
    for (expected, output) in
        [("a…c", "abd"), ("a", "ab"), ("a", "ba"), ("a", "a\nb"), ("a\nb", "a"), ("", "a")]
    {
        assert_eq!(of(expected, output, true), None, "{expected} {output}");
    }
    assert_eq!(of("a\nc", "a\nb\nc", false), None, "nothing is passed over without a mark");
}

#[test]
fn a_lab_without_its_parts_is_caught() {
    let student = "# Lab\n\n## Goal\n\n## Round 1\n\n### Predict\n\n- **A. One send, one recv.** Yes.\n\
                   - **B. A stream.** No.\n\n### Run\n\n### Observe\n\n### Explain\n\n## Build\n\n## Extend\n";
    let teacher = "# Lab\n\n## Round 1\n\nMisconception: **One send, one recv**\n";
    assert_eq!(structure_faults(student, teacher), [""; 0]);
    for (from, to) in [
        ("## Goal", "## Aim"),
        ("### Observe", "### Look"),
        ("## Build", "## Make"),
        ("- **B. A stream.**", "- B."),
        ("One send, one recv", "Magic"),
        ("## Round 1", "## First"),
    ] {
        assert_ne!(structure_faults(&student.replace(from, to), teacher), [""; 0], "{from} -> {to}");
    }
}

#[test]
fn a_claim_that_leads_nowhere_is_caught() {
    let files = |path: &str| match path {
        "labs/01/README.md" => {
            Some("# Lab\n\n## Round 1: Who speaks?\n```\n## Not a heading\n```\n".to_owned())
        }
        "tests/a.rs" => Some("#[test]\n#[ignore]\nfn real() {\n}\nfn no_test() {}\n".to_owned()),
        _ => None,
    };
    let faults_of = |row: &str| {
        let others = (2..=82).map(|number| format!("\n| {number} | r | not yet: lab 05 | |"));
        coverage::faults(&format!("{row}{}", others.collect::<String>()), &files)
    };
    assert_eq!(faults_of("| 1 | r | [01](01/README.md#round-1-who-speaks) | `tests/a.rs::real` |"), [""; 0]);
    for wrong in [
        "",
        "| 1 | r | [01](02/README.md#round-1-who-speaks) | `tests/a.rs::real` |",
        "| 1 | r | [01](01/README.md#round-2) | `tests/a.rs::real` |",
        "| 1 | r | [01](01/README.md#not-a-heading) | `tests/a.rs::real` |",
        "| 1 | r | [01](01/README.md) | `tests/a.rs::real` |",
        "| 1 | r | [01](01/README.md#round-1-who-speaks) | `tests/b.rs::real` |",
        "| 1 | r | [01](01/README.md#round-1-who-speaks) | `tests/a.rs::gone` |",
        "| 1 | r | [01](01/README.md#round-1-who-speaks) | `tests/a.rs::no_test` |",
        "| 1 | r | [01](01/README.md#round-1-who-speaks) | |",
        "| 1 | r | soon | `tests/a.rs::real` |",
        "| 1 | r | not yet: lab 05 | `tests/a.rs::real` |",
        "| 2 | r | not yet: lab 05 | |",
    ] {
        assert_eq!(faults_of(wrong).len(), 1 + usize::from(wrong.starts_with("| 2")), "{wrong}");
    }
}
