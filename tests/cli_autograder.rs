//! `netlab autograder` from the outside: the folder, and its script run as Gradescope runs it, in a folder that
//! stands for `/autograder`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod harness;

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::run;
use serde_json::Value;
use tempfile::TempDir;

/// Gradescope's folders, with an autograder in them.
fn autograder(flags: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["submission", "results"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let source = folder.path().join("source");
    let made = run(&[&["autograder", "tcp-echo", "-o", source.to_str().unwrap()], flags].concat(), b"");
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let script = source.join("run_autograder");
    let text = fs::read_to_string(&script).unwrap();
    fs::write(&script, text.replace("/autograder", folder.path().to_str().unwrap())).unwrap();
    folder
}

fn grade(folder: &Path) -> Value {
    let output = Command::new("bash").arg(folder.join("source/run_autograder")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&fs::read(folder.join("results/results.json")).unwrap()).unwrap()
}

#[test]
fn what_gradescope_runs_leaves_results_whatever_is_submitted() {
    let folder = autograder(&[]);
    // What lies there already is nobody's result.
    fs::write(folder.path().join("results/results.json"), "{\"score\": 100}").unwrap();
    let empty = grade(folder.path());
    assert_eq!(empty["score"], 0);
    assert!(empty["output"].as_str().unwrap().contains("no file run"), "{empty}");
    // It prints a result of its own, and tries to write one.
    let results = folder.path().join("results/results.json");
    let program =
        format!("#!/bin/sh\necho '{{\"score\": 100}}'\necho '{{\"score\": 100}}' > {}\n", results.display());
    fs::write(folder.path().join("submission/run"), program).unwrap();
    let graded = grade(folder.path());
    assert_eq!(graded["score"], 0, "{graded}");
    let tests = graded["tests"].as_array().unwrap();
    assert!(tests.len() > 3 && tests.iter().all(|test| test["status"] == "failed"), "{graded}");
    // The checker is killed: that is said, and is no verdict.
    let netlab = folder.path().join("source/netlab");
    fs::write(&netlab, "#!/bin/sh\nkill -9 $$\n").unwrap();
    let killed = grade(folder.path());
    assert!(killed["output"].as_str().unwrap().contains("The checker itself failed"), "{killed}");
    fs::remove_dir_all(folder.path().join("submission")).unwrap();
    assert!(grade(folder.path())["output"].as_str().unwrap().contains("no submission"));
    let points: u64 = tests.iter().map(|test| test["max_score"].as_u64().unwrap()).sum();
    assert_eq!(graded["max_score"], points);
}

#[test]
fn the_folder_has_what_is_needed_and_nothing_is_written_over() {
    let folder = autograder(&["--variant", "7"]);
    let source = folder.path().join("source");
    for name in ["setup.sh", "run_autograder", "workflow.yml", "netlab"] {
        assert!(source.join(name).is_file(), "{name}");
    }
    let script = fs::read_to_string(source.join("run_autograder")).unwrap();
    assert!(script.contains("check tcp-echo --variant 7 "), "{script}");
    let again = run(&["autograder", "tcp-echo", "-o", source.to_str().unwrap()], b"");
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.contains("is not empty"), "{}", again.stderr);
    let quoted = ["autograder", "tcp-echo", "-o", "/tmp/nowhere-at-all", "--repository", "x; reboot"];
    assert_eq!(run(&quoted, b"").code, Some(2), "it would stand in a shell's line");
    assert_eq!(run(&["autograder", "no-such", "-o", "/tmp/nowhere-at-all"], b"").code, Some(2));
}

#[test]
fn a_check_is_written_in_each_format() {
    let folder = tempfile::tempdir().unwrap();
    for (format, start) in [
        ("junit", "<?xml"),
        ("tap", "TAP version 14\n"),
        ("markdown", "# tcp-echo"),
        ("json", "{\"schema_version\":1"),
    ] {
        let file = folder.path().join(format);
        let ended =
            run(&["check", "tcp-echo", "--format", format, "-o", file.to_str().unwrap(), "--", "false"], b"");
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stdout.is_empty());
        assert!(fs::read_to_string(&file).unwrap().starts_with(start), "{format}");
    }
}
