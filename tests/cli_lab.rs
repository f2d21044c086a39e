//! `netlab lab`: the list, and the page without a terminal; the checks of the labs' starters.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::path::Path;

use harness::{Ended, finish, netlab};
use netlab::lab::LABS;
use netlab::lab::page::Section;

/// Runs `netlab lab ARGS...` with this home.
fn lab(home: &Path, args: &[&str]) -> Ended {
    let mut command = netlab();
    command.arg("lab").args(args).env("HOME", home).env("XDG_DATA_HOME", home);
    finish(&mut command, b"")
}

#[test]
fn the_list_says_what_has_been_passed() {
    let home = tempfile::tempdir().unwrap();
    let list = lab(home.path(), &["-J"]).json();
    let labs = list["labs"].as_array().unwrap();
    assert_eq!(labs.len(), LABS.len());
    assert!(labs.iter().all(|lab| lab["passed"] == false && !lab["rounds"].as_array().unwrap().is_empty()));
    let text = lab(home.path(), &[]).text();
    assert!(text.contains("sticky packets") && text.contains("0/4"), "{text}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_progress_file_is_read_and_a_broken_one_is_named() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("netlab")).unwrap();
    let file = home.path().join("netlab/labs.json");
    let round = LABS[3].page().sections.into_iter().find(Section::is_round).unwrap().title;
    let content =
        serde_json::json!({"schema_version": 1, "labs": {"04-sticky-packets": {round: "2026-01-02"}}});
    std::fs::write(&file, content.to_string()).unwrap();
    let list = lab(home.path(), &["-J"]).json();
    assert_eq!(list["labs"][3]["rounds"][0]["passed_on"], "2026-01-02");
    assert_eq!(list["labs"][3]["rounds"][1]["passed_on"], serde_json::Value::Null);
    std::fs::write(&file, "garbage").unwrap();
    let ended = lab(home.path(), &[]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("labs.json") && ended.stderr.contains("remove it"), "{}", ended.stderr);
}

#[test]
fn without_a_terminal_the_page_is_text() {
    let home = tempfile::tempdir().unwrap();
    for page in LABS {
        let number = page.number().to_string();
        let ended = lab(home.path(), &[&number]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let text = ended.text();
        assert!(text.starts_with(&format!("Lab {:02}: ", page.number())) && !text.contains('\x1b'), "{text}");
        assert!(text.contains("\nObserve\n") && !text.contains("```"), "{text}");
    }
    assert!(lab(home.path(), &["9", "--ascii"]).text().is_ascii());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for (args, said) in [
        (&["99"][..], "they go from 1 to 13"),
        (&["0"], "`netlab lab` lists them"),
        (&["x"], "invalid value"),
        (&["4", "-J"], "cannot be used with"),
        (&["4", "--worksheet"], "needs a terminal"),
        (&["4", "-o", "x.md"], "--worksheet"),
        (&["--worksheet"], "<N>"),
    ] {
        let ended = lab(home.path(), args);
        assert_eq!(ended.code, Some(2), "{args:?}");
        assert!(ended.stderr.contains(said), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn what_is_observed_is_not_in_the_binary() {
    let binary = std::fs::read(env!("CARGO_BIN_EXE_netlab")).unwrap();
    let holds = |text: &[u8]| binary.windows(text.len()).any(|window| window == text);
    assert!(holds(b"# Lab 09: on the wire\n"), "the pages are there");
    assert!(!holds(b"# Lab 09 for teachers: on the wire\n"), "and the teacher's are not");
}

mod long {
    use super::*;

    // Catches: a starter that is a solution, one that the checker itself fails on, one whose check says nothing to read.
    #[test]
    #[cfg(target_os = "linux")]
    #[ignore = "needs python3"]
    fn every_starter_fails_its_check_and_is_told_why() {
        for lab in LABS {
            let page = lab.page();
            let build =
                page.sections.iter().find(|section| section.title == "Build").expect("each lab has one");
            let starter = build.blocks().find(|block| block.kind == "python").expect("it has a starter");
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("starter.py"), starter.lines.join("\n")).unwrap();
            for exercise in lab.exercises() {
                let mut check = netlab();
                check.args(["check", exercise, "-J", "--", "python3", "starter.py", "{port}"]);
                check.current_dir(&folder).env("HOME", folder.path()).env("XDG_DATA_HOME", folder.path());
                let ended = finish(&mut check, b"");
                assert_eq!(ended.code, Some(1), "{}: {exercise}: {ended:?}", lab.name);
                let report = ended.json();
                let cases = report["cases"].as_array().unwrap();
                let of =
                    |status: &str| cases.iter().filter(|case| case["status"] == status).collect::<Vec<_>>();
                assert!(
                    !of("passed").is_empty() && of("error").is_empty(),
                    "{}: {exercise}: {report}",
                    lab.name
                );
                let failed = of("failed");
                let said = |member: &str| {
                    failed.iter().all(|case| case[member].as_str().is_some_and(|s| !s.is_empty()))
                };
                assert!(!failed.is_empty() && said("expected") && said("observed"), "{}: {report}", lab.name);
            }
        }
    }
}
