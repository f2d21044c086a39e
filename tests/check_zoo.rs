//! The zoo: `netlab check` against servers that students might have written. Every right one passes everything; every
//! wrong one fails, and is called by the name of its mistake or by none, never by another.
//!
//! A server's head says which exercise it is for, and what is wrong with it (netlab does not see that):
//!
//! ```text
//! """What it does."""
//! # exercise: framed-echo-u16
//! # class: one-recv-one-message      (`none`: the evidence singles nothing out)
//! # args: {host} {port}              (if not `{port}` alone)
//! ```
//!
//! `tests/zoo/verdicts.txt` holds the whole table. `ZOO_UPDATE=1` writes it anew, for the servers that ran.
//! `ZOO=wrong/u16,right/once_plain` runs those alone whose names begin so:
//!
//! ```text
//! ZOO=wrong/u16 cargo test --test check_zoo -- --ignored long::the_whole_zoo
//! ```

#![allow(clippy::print_stderr, reason = "a run of minutes says how far it is")]

mod harness;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A run of a right server is to end within this time on a machine that does nothing else.
const LIMIT: Duration = Duration::from_secs(20);
/// Most of a run is waiting, so some may run beside each other, also where there are two processors.
const AT_ONCE: usize = 4;
/// Runs of a whole exercise repeat what the shorter test has seen of it; the plain test takes these.
const FEW: [&str; 6] = [
    "right/once_plain.py",
    "right/u16_threads.c",
    "right/udp_echo_plain.py",
    "wrong/u16_single_recv.py",
    "wrong/many_write_event_always.py",
    "wrong/hmac_first_bytes.py",
];

/// A server of the zoo, as its head describes it.
#[derive(Debug, Clone)]
struct Animal {
    /// `wrong/u16_single_recv.py`
    name: String,
    path: PathBuf,
    exercise: String,
    /// What is wrong with it; nothing, for a right one.
    class: Option<String>,
    args: Vec<String>,
}

impl Animal {
    fn read(path: PathBuf) -> Animal {
        let text = fs::read_to_string(&path).expect("a readable server");
        let head = |member: &str| {
            let value = text.lines().take(4).find_map(|line| {
                let line = line.strip_prefix("# ").or_else(|| line.strip_prefix("// "))?;
                line.strip_prefix(member)?.strip_prefix(": ")
            });
            value.map(str::to_owned)
        };
        let parts: Vec<_> = path.iter().rev().take(2).map(|part| part.to_string_lossy()).collect();
        let name = format!("{}/{}", parts[1], parts[0]);
        let class = head("class");
        assert_eq!(
            class.is_some(),
            name.starts_with("wrong/"),
            "{name}: the third line of a wrong one names it"
        );
        Animal {
            exercise: head("exercise").unwrap_or_else(|| panic!("{name}: no exercise on its second line")),
            class,
            args: head("args").unwrap_or_else(|| "{port}".to_owned()).split(' ').map(str::to_owned).collect(),
            name,
            path,
        }
    }

    /// The command that starts it, compiled where it has to be; none if there is no compiler.
    fn command(&self) -> Option<Vec<String>> {
        let source = self.path.to_str().expect("a path in UTF-8").to_owned();
        let compiler: &[&str] = match self.path.extension().and_then(|extension| extension.to_str()) {
            Some("c") => &["cc", "-O1", "-pthread"],
            Some("rs") => &["rustc", "-O", "--edition=2021"],
            _ => return Some([vec!["python3".to_owned(), source], self.args.clone()].concat()),
        };
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(self.name.replace('/', "-"));
        let program = program.to_str().expect("a path in UTF-8").to_owned();
        let built = Command::new(compiler[0]).args(&compiler[1..]).args(["-o", &program, &source]).status();
        if built.is_err() {
            eprintln!("skipped: {} needs {}", self.name, compiler[0]);
            return None;
        }
        assert!(built.is_ok_and(|status| status.success()), "{} does not compile", self.name);
        Some([vec![program], self.args.clone()].concat())
    }

    fn verdict(&self) -> Option<Verdict> {
        let command = self.command()?;
        let begun = Instant::now();
        let mut netlab = harness::netlab();
        // What is passed here is nobody's progress.
        netlab.env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"));
        // The same messages each time: the table is compared.
        netlab.args(["check", &self.exercise, "-J", "--seed", "7", "--"]).args(command);
        let ended = harness::finish(&mut netlab, b"");
        let took = begun.elapsed();
        assert!(
            matches!(ended.code, Some(0 | 1)),
            "{}: the checker itself failed ({:?}): {}",
            self.name,
            ended.code,
            ended.stderr
        );
        let report = ended.json();
        let cases = report["cases"].as_array().expect("cases");
        let failed = cases.iter().filter(|case| case["status"] == "failed" || case["status"] == "error");
        let classes = cases.iter().filter_map(|case| case["diagnosis"]["class"].as_str());
        let verdict = Verdict {
            animal: self.clone(),
            passed: ended.code == Some(0),
            failed: failed.map(|case| text(&case["name"])).collect(),
            classes: classes.map(str::to_owned).collect(),
            took,
        };
        assert_eq!(verdict.passed, verdict.failed.is_empty(), "{}: exit code and cases agree", self.name);
        assert_eq!(verdict.passed, report["score"] == report["max_score"], "{}: and the score", self.name);
        Some(verdict)
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What `netlab check` says of a server.
#[derive(Debug)]
struct Verdict {
    animal: Animal,
    passed: bool,
    failed: Vec<String>,
    classes: Vec<String>,
    took: Duration,
}

impl Verdict {
    /// The class of the first diagnosis: the others may be consequences.
    fn named(&self) -> Option<&str> {
        self.classes.first().map(String::as_str)
    }

    /// What must not be, if it is.
    fn fault(&self) -> Option<String> {
        let name = &self.animal.name;
        match &self.animal.class {
            None if !self.passed => {
                Some(format!("{name} is right, and failed {:?} {:?}", self.failed, self.classes))
            }
            None if self.took > LIMIT * 2 => Some(format!("{name} is right, and took {:?}", self.took)),
            None => None,
            Some(_) if self.passed => Some(format!("{name} is wrong, and passed")),
            Some(class) => {
                let wrongly = self.named().filter(|named| named != class)?;
                Some(format!("{name} is {class}, and was called {wrongly} ({:?})", self.failed))
            }
        }
    }

    /// A line of the table.
    fn row(&self) -> String {
        let verdict = if self.passed {
            "passed".to_owned()
        } else {
            self.classes.first().cloned().unwrap_or_else(|| "failed, unnamed".to_owned())
        };
        let class = self.animal.class.as_deref().unwrap_or("(right)");
        format!("{:<38} {:<19} {:<26} {}", self.animal.name, self.animal.exercise, class, verdict)
    }
}

/// All servers, by name.
fn zoo() -> Vec<Animal> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zoo");
    let files = ["right", "wrong"].map(|side| fs::read_dir(root.join(side)).expect("a folder of the zoo"));
    let paths = files.into_iter().flatten().map(|entry| entry.expect("an entry").path());
    let mut animals: Vec<Animal> = paths
        .filter(|path| {
            path.extension().is_some_and(|ext| ["py", "c", "rs"].iter().any(|known| ext == *known))
        })
        .map(Animal::read)
        .collect();
    animals.sort_by(|a, b| a.name.cmp(&b.name));
    animals
}

/// Those that `ZOO` asks for by the beginnings of their names; all, if it is not set.
fn wanted(animals: Vec<Animal>) -> Vec<Animal> {
    let Ok(names) = std::env::var("ZOO") else { return animals };
    let begins = |animal: &Animal| names.split(',').any(|begin| animal.name.starts_with(begin));
    let wanted: Vec<Animal> = animals.into_iter().filter(begins).collect();
    assert!(!wanted.is_empty(), "no server's name begins with {names:?} (`wrong/u16`, for example)");
    wanted
}

/// Checks them, some beside each other.
fn verdicts(animals: &[Animal]) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(animal) = animals.get(next.fetch_add(1, Ordering::SeqCst)) {
            if let Some(verdict) = animal.verdict() {
                eprintln!("{}  {:.1} s  {:?}", verdict.row(), verdict.took.as_secs_f64(), verdict.failed);
                done.push(verdict);
            }
        }
        done
    };
    let mut all: Vec<Verdict> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker ends")).collect()
    });
    all.sort_by(|a, b| a.animal.name.cmp(&b.animal.name));
    all
}

/// Nothing right failed, nothing wrong passed, nothing has a wrong name, and nine of ten have their right one.
fn judge(verdicts: &[Verdict]) {
    let faults: Vec<String> = verdicts.iter().filter_map(Verdict::fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let classed = |verdict: &&Verdict| verdict.animal.class.as_deref().is_some_and(|class| class != "none");
    let unnamed: Vec<&Verdict> =
        verdicts.iter().filter(classed).filter(|verdict| verdict.named().is_none()).collect();
    let all = verdicts.iter().filter(classed).count();
    let names: Vec<&str> = unnamed.iter().map(|verdict| verdict.animal.name.as_str()).collect();
    assert!(unnamed.len() * 10 <= all, "{} of {all} are not named: {names:?}", unnamed.len());
}

/// Compares the table with the file, line by line: a verdict that changes is looked at, then taken with `ZOO_UPDATE=1`.
fn compare(verdicts: &[Verdict]) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zoo/verdicts.txt");
    let known = fs::read_to_string(&file).unwrap_or_default();
    if std::env::var_os("ZOO_UPDATE").is_some() {
        let mut rows: Vec<String> = verdicts.iter().map(Verdict::row).collect();
        let kept = |line: &&str| {
            let name = line.split(' ').next().unwrap_or_default();
            file.with_file_name(name).exists() && verdicts.iter().all(|verdict| verdict.animal.name != name)
        };
        rows.extend(known.lines().filter(kept).map(str::to_owned));
        rows.sort();
        fs::write(&file, rows.join("\n") + "\n").expect("the table is written");
        return;
    }
    let rows = verdicts.iter().map(Verdict::row);
    let new: Vec<String> = rows.filter(|row| known.lines().all(|line| line != row)).collect();
    assert!(
        new.is_empty(),
        "tests/zoo/verdicts.txt says otherwise (ZOO_UPDATE=1 takes it):\n{}",
        new.join("\n")
    );
}

fn python_is_there() -> bool {
    Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn the_zoo_is_complete() {
    let animals = zoo();
    assert!(animals.iter().filter(|animal| animal.class.is_some()).count() >= 30);
    let exercises = harness::run(&["exercises", "-J"], b"").json();
    for exercise in exercises["exercises"].as_array().expect("exercises") {
        let right = |animal: &&Animal| animal.class.is_none() && exercise["name"] == animal.exercise.as_str();
        assert!(animals.iter().filter(right).count() >= 3, "{exercise}: three right servers");
    }
}

#[test]
fn a_few_of_the_zoo() {
    if !python_is_there() {
        eprintln!("skipped: needs python3");
        return;
    }
    let animals: Vec<Animal> =
        zoo().into_iter().filter(|animal| FEW.contains(&animal.name.as_str())).collect();
    assert_eq!(animals.len(), FEW.len());
    let verdicts = verdicts(&animals);
    judge(&verdicts);
    compare(&verdicts);
}

/// Every second one: what `.ci/run` has time for.
#[test]
#[ignore = "needs python3"]
fn half_of_the_zoo() {
    let animals: Vec<Animal> = zoo().into_iter().step_by(2).collect();
    let verdicts = verdicts(&animals);
    judge(&verdicts);
    compare(&verdicts);
}

mod long {
    use super::{compare, judge, verdicts, wanted, zoo};

    #[test]
    #[ignore = "needs python3"]
    fn the_whole_zoo() {
        let verdicts = verdicts(&wanted(zoo()));
        // The table first, so that it can be looked at when something is wrong.
        if std::env::var_os("ZOO_UPDATE").is_some() {
            compare(&verdicts);
        }
        judge(&verdicts);
        compare(&verdicts);
    }
}
