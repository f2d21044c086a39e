//! The reproductions of `netlab check`, run as a student runs them: the wrong server is started by the report's own
//! line, then the lines of Python, then the netlab command. What they print must be what the report promises: not what
//! is expected from the wrong server, and just that from a right one.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "a run of minutes says how far it is")]

mod harness;

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What the plain test takes: a cut, a second client, and a challenge.
/// How many run beside each other.
const AT_ONCE: usize = 3;
const FEW: [&str; 3] = ["u16_single_recv.py", "lines_stops_with_first_client.py", "hmac_single_recv.py"];

/// A server of the zoo: its file and its exercise.
struct Animal {
    path: PathBuf,
    exercise: String,
    args: String,
}

fn animals(side: &str) -> Vec<Animal> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zoo").join(side);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("the zoo").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "py"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a server");
        let head = |name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        Animal {
            exercise: head("# exercise: ").expect("its exercise"),
            args: head("# args: ").unwrap_or_else(|| "{port}".to_owned()),
            path,
        }
    };
    paths.into_iter().map(read).collect()
}

/// A server started by hand; its whole group ends with it.
struct Running {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is the shell's group, which this test made.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Running {
    /// Starts a server by the line of a report, and waits until the system's table has its port.
    fn start(line: &str, name: &str) -> Running {
        let port =
            TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reproduce-{name}-{port}"));
        fs::create_dir_all(&folder).expect("a folder");
        let child = Command::new("sh")
            .args([
                "-c",
                &line.replace("PORT", &port.to_string()).replace(&format!("NETLAB_{port}"), "NETLAB_PORT"),
            ])
            .env("TMPDIR", &folder)
            .env("NETLAB_PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell");
        // Whatever happens from here on, it is ended.
        let running = Running { child, port, folder };
        let wanted = format!(":{port:04X} ");
        let begun = Instant::now();
        loop {
            let tables = ["tcp", "tcp6", "udp", "udp6"].map(|table| format!("/proc/net/{table}"));
            let known = tables.iter().filter_map(|table| fs::read_to_string(table).ok());
            let bound = |table: String| {
                table.lines().any(|line| {
                    line.split_whitespace().nth(1).is_some_and(|l| format!("{l} ").ends_with(&wanted))
                })
            };
            if known.into_iter().any(bound) {
                return running;
            }
            assert!(begun.elapsed() < harness::PATIENCE, "{name} does not listen: {line}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs lines of Python against it: what they print, and the error that ends them.
    fn python(&self, code: &str) -> String {
        let code = code.replace("PORT", &self.port.to_string());
        let ended = harness::finish(Command::new("python3").args(["-c", &code]), b"");
        let error = ended.stderr.lines().last().unwrap_or_default();
        format!("{}{error}", ended.text())
    }

    /// Runs a netlab command against it.
    fn command(&self, line: &str) -> (Option<i32>, String) {
        let binary = Path::new(env!("CARGO_BIN_EXE_netlab")).parent().expect("its folder");
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
        let line = line.replace("PORT", &self.port.to_string());
        let ended = harness::finish(Command::new("sh").args(["-c", &line]).env("PATH", path), b"");
        (ended.code, format!("{}{}", ended.text(), ended.stderr))
    }

    /// Processor time of the group so far, in ticks.
    fn ticks(&self) -> u64 {
        let group = self.child.id().to_string();
        let stats = fs::read_dir("/proc").expect("processes").flatten();
        let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        let ticks = stats.filter_map(|stat| {
            let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
            let number = |at: usize| fields[at].parse::<u64>().ok();
            (fields[2] == group).then(|| number(11).zip(number(12)).map(|(user, system)| user + system))?
        });
        ticks.sum()
    }

    /// Files beside the folder that the server may use.
    fn strays(&self) -> Vec<String> {
        let folders = fs::read_dir(&self.folder).expect("the folder").flatten();
        let inner = folders.filter_map(|entry| fs::read_dir(entry.path()).ok()).flatten().flatten();
        let names = inner.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name != "files" && name != "out.txt").collect()
    }
}

/// A reproduction in its parts.
struct Lines {
    start: String,
    python: String,
    command: Option<String>,
    /// What stands behind `# expected` on the last line.
    expected: String,
}

impl Lines {
    fn of(text: &str) -> Lines {
        let line = |mark: &str| text.lines().find_map(|line| line.strip_prefix(mark).map(str::to_owned));
        let python: Vec<&str> = text.lines().filter(|line| !line.starts_with("# ")).collect();
        let last = python.last().expect("lines");
        let (_, expected) = last.split_once("# expected").unwrap_or_else(|| panic!("no expectation: {text}"));
        Lines {
            start: line("# start it: ").expect("a line that starts it"),
            command: line("# or: "),
            expected: expected.trim_start_matches([':', ' ']).to_owned(),
            python: python.join("\n"),
        }
    }
}

/// What the lines show of one server: true if that is what is expected of a right one.
fn shows_right(running: &Running, lines: &Lines, observed: Option<&str>) -> (bool, String) {
    let expected = lines.expected.as_str();
    if expected.contains("`top`") {
        let code = lines.python.replace("time.sleep(30)", "time.sleep(2)");
        let before = running.ticks();
        let said = running.python(&code);
        let ticks = running.ticks() - before;
        return (ticks < 20, format!("{ticks} ticks, {said}"));
    }
    let said = running.python(&lines.python);
    let right = if expected.contains("no new file") {
        running.strays().is_empty()
    } else if expected.starts_with("the answer, then") {
        said.lines().count() == 2 && said.lines().last() == Some("b''")
    } else if let Some((_, not)) = expected.split_once("a time-out, not ") {
        !said.starts_with(evaluated(not).trim_end_matches('\''))
    } else if let Some(members) = expected.strip_prefix("a message like ") {
        like(members, &said)
    } else if expected.starts_with("a message with the content ") {
        let content = expected.trim_start_matches("a message with the content ").trim_matches('`');
        said.contains(&content.escape_default().to_string())
            || said.contains(&evaluated(&format!("'{content}'.encode()")[..])[2..])
    } else if expected.starts_with("b\"") || expected.starts_with("b'") {
        let wanted = evaluated(expected);
        if let Some(observed) = observed.filter(|_| said.trim_end() != wanted) {
            as_observed(observed, &wanted, &said);
        }
        said.trim_end() == wanted
    } else if expected.ends_with(" bytes") {
        // Too long to be said: it is compared with the right server's.
        true
    } else {
        said.trim_end() == expected
    };
    (right, said)
}

/// A Python expression, printed.
fn evaluated(expression: &str) -> String {
    let ended = harness::finish(Command::new("python3").args(["-c", &format!("print({expression})")]), b"");
    ended.text().trim_end().to_owned()
}

/// True if the texts that the members ask for are in what was said.
fn like(members: &str, said: &str) -> bool {
    let texts = members.split('"').skip(1).step_by(2).filter(|text| text.is_ascii() && !text.contains('\\'));
    let mut numbers =
        members.split(':').filter_map(|part| part.split(['}', ',', ']']).next()?.parse::<u32>().ok());
    let squeezed = said.replace(' ', "");
    texts.into_iter().all(|text| said.contains(text)) && numbers.all(|n| squeezed.contains(&format!(":{n}")))
}

/// What the sentence says that was observed is what the lines have shown.
fn as_observed(observed: &str, wanted: &str, said: &str) {
    let silent = observed.contains("no answer in time") || observed.contains("No answer in time");
    // What was answered before may be printed with it.
    if silent && !observed.contains("of which") {
        assert!(said.contains("TimeoutError") || said.trim_end() != wanted, "{observed}: {said}");
    }
    if observed.contains("ended the connection instead") {
        let short = said.len() < wanted.len() + 1;
        assert!(short || said.contains("Error"), "{observed}: {said}");
    }
}

/// Runs what the report of a wrong server says, against that and against a right one.
fn proves(wrong: &Animal, rights: &[Animal]) -> Result<(), String> {
    let name = wrong.path.file_name().expect("a name").to_string_lossy().into_owned();
    let file = wrong.path.to_str().expect("a path in UTF-8");
    let mut netlab = harness::netlab();
    netlab.env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"));
    netlab
        .args(["check", &wrong.exercise, "-J", "--seed", "7", "--", "python3", file])
        .args(wrong.args.split(' '));
    let report = harness::finish(&mut netlab, b"").json();
    let cases = report["cases"].as_array().expect("cases");
    let Some(case) = cases.iter().find(|case| case["reproduce"].is_string()) else {
        return Ok(()); // It never listened.
    };
    let text = case["reproduce"].as_str().expect("a text");
    let lines = Lines::of(text);
    let observed = case["observed"].as_str();
    let right = rights.iter().find(|right| right.exercise == wrong.exercise && right.args == "{port}");
    let right = right.ok_or_else(|| format!("{name}: no right server for {}", wrong.exercise))?;
    let start_right = lines.start.replace(file, right.path.to_str().expect("a path in UTF-8"));

    // A server whose threads race is wrong at times only.
    let (mut seems_right, mut wrong_said) = (true, String::new());
    for _ in 0..3 {
        (seems_right, wrong_said) = shows_right(&Running::start(&lines.start, &name), &lines, observed);
        if !seems_right {
            break;
        }
    }
    let (is_right, right_said) = shows_right(&Running::start(&start_right, &name), &lines, None);
    let differ = wrong_said != right_said;
    let told = format!("{name} ({})\n{text}\nwrong: {wrong_said}\nright: {right_said}\n", case["name"]);
    eprintln!("{name}: {}", if is_right && differ { "shown" } else { "NOT SHOWN" });
    if !is_right {
        return Err(format!("a right server is not shown to be right: {told}"));
    }
    // Where many answers are right, and where one is too long to be said, the right server's own is the measure.
    let compared = lines.expected.ends_with(" bytes") || lines.expected.starts_with("a message like ");
    if !differ || (seems_right && !compared) {
        return Err(format!("the fault does not show: {told}"));
    }
    let Some(command) = &lines.command else { return Ok(()) };
    let by_wrong = Running::start(&lines.start, &name).command(command);
    let by_right = Running::start(&start_right, &name).command(command);
    if by_right.0 == Some(2) || by_wrong.0 == Some(2) {
        return Err(format!("the command is refused: {told}{by_right:?}"));
    }
    if by_wrong == by_right {
        return Err(format!("the command shows nothing: {told}{by_right:?}"));
    }
    Ok(())
}

fn python_is_there() -> bool {
    Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn prove(chosen: impl Fn(&str) -> bool) {
    let rights = animals("right");
    let wrong = animals("wrong");
    let wrong =
        wrong.iter().filter(|animal| chosen(&animal.path.file_name().expect("a name").to_string_lossy()));
    let wrong: Vec<&Animal> = wrong.collect();
    // Most of each is waiting.
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(animal) = wrong.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(fault) = proves(animal, &rights) {
                        faults.lock().expect("nobody panicked").push(fault);
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().expect("nobody panicked");
    assert!(faults.is_empty(), "{} do not hold:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_few_reproductions_show_the_fault() {
    if !python_is_there() {
        eprintln!("skipped: needs python3");
        return;
    }
    prove(|name| FEW.contains(&name));
}

mod long {
    /// Every wrong server of the zoo; `REPRODUCE=NAME` takes those whose name begins so.
    #[test]
    #[ignore = "needs python3"]
    fn every_reproduction_shows_the_fault() {
        let only = std::env::var("REPRODUCE").unwrap_or_default();
        super::prove(|name| only.split(',').any(|part| name.starts_with(part)));
    }
}

/// The members that other programs read, and no others.
#[test]
fn the_document_has_its_members() {
    if !python_is_there() {
        eprintln!("skipped: needs python3");
        return;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zoo/wrong/echo_buffers_until_end.py");
    let mut netlab = harness::netlab();
    netlab.args(["check", "tcp-echo", "-J", "--seed", "7", "--", "python3"]).arg(file).arg("{port}");
    let ended = harness::finish(&mut netlab, b"");
    assert_eq!(ended.code, Some(1));
    let report = ended.json();
    let names = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let mut members = names(&report);
    members.sort();
    let known = ["cases", "exercise", "failed", "max_score", "passed", "schema_version", "score", "seed"];
    assert_eq!(members, known);
    for number in ["passed", "failed", "score", "max_score", "seed"] {
        assert!(report[number].is_u64(), "{number}");
    }
    for case in report["cases"].as_array().expect("cases") {
        let mut members = names(case);
        members.sort();
        assert_eq!(members, ["diagnosis", "expected", "name", "observed", "reproduce", "status"]);
        assert!(["passed", "failed", "skipped", "error"].iter().any(|status| case["status"] == *status));
        assert!(case["expected"].is_string() && case["observed"].is_string());
        assert!(case["reproduce"].is_string() || case["reproduce"].is_null());
        let diagnosis = &case["diagnosis"];
        assert!(
            diagnosis.is_null() || (diagnosis["class"].is_string() && diagnosis["explanation"].is_string())
        );
    }
}
