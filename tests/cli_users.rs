//! `netlab users`, end to end: what it keeps, what it refuses, and that secrets stay secret.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod harness;

use std::path::{Path, PathBuf};

use harness::{Ended, finish, netlab, run};

/// A users file of its own, in a folder of its own.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("users.json")
    }

    fn users(&self, args: &[&str], input: &str) -> Ended {
        let mut command = netlab();
        command.current_dir(self.0.path()).arg("users").args(args).arg("--users").arg(self.file());
        finish(&mut command, input.as_bytes())
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }
}

fn is_key(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_key_is_printed_once_and_stands_in_the_file() {
    let place = Place::new();
    let ended = place.users(&["add", "ada"], "");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let key = ended.text().trim_end().to_owned();
    assert!(is_key(&key), "{key}");
    assert!(ended.stderr.contains("added ada (student)"), "{}", ended.stderr);
    assert!(std::fs::read_to_string(place.file()).unwrap().contains(&key));
    assert!(!place.users(&["list"], "").text().contains(&key));
    let other = place.users(&["add", "bob", "--key", "--role", "teacher", "-J"], "").json();
    assert_eq!(other["users"][0]["role"], "teacher");
    assert_ne!(other["users"][0]["key"].as_str(), Some(&*key));
}

#[test]
fn a_key_may_go_to_a_new_file() {
    let place = Place::new();
    let ended = place.users(&["add", "ada", "-o", "ada.key"], "");
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "added ada (student)\n"), "{}", ended.stderr);
    let key = std::fs::read_to_string(place.path("ada.key")).unwrap();
    assert!(is_key(key.trim_end()), "{key}");
    let before = std::fs::read(place.file()).unwrap();
    let again = place.users(&["add", "ada", "--replace", "-o", "ada.key"], "");
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("ada.key"), "{}", again.stderr);
    assert_eq!(std::fs::read(place.file()).unwrap(), before, "nothing was changed");
    assert_eq!(std::fs::read_to_string(place.path("ada.key")).unwrap(), key);
}

#[test]
fn a_password_is_read_from_a_pipe_and_kept_as_a_hash() {
    let place = Place::new();
    let ended = place.users(&["add", "grace", "--password", "--role", "teacher"], "correct horse\n");
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "added grace (teacher)\n"), "{}", ended.stderr);
    let file = std::fs::read_to_string(place.file()).unwrap();
    assert!(file.contains("$argon2id$v=19$m=19456,t=2,p=1$") && !file.contains("correct horse"), "{file}");
    let empty = place.users(&["add", "bob", "--password"], "\n");
    assert_eq!(empty.code, Some(2));
    assert!(empty.stderr.contains("1 to 1024 bytes"), "{}", empty.stderr);
}

#[test]
fn users_are_listed_replaced_and_removed() {
    let place = Place::new();
    place.users(&["add", "zoe"], "");
    place.users(&["add", "Ada", "--password"], "x");
    let listed = place.users(&["list", "-J"], "").json();
    let expected = serde_json::json!([
        {"name": "Ada", "role": "student", "login": "password"},
        {"name": "zoe", "role": "student", "login": "key"},
    ]);
    assert_eq!(listed["users"], expected);
    let table = place.users(&["list"], "").text();
    assert!(table.contains("user") && table.contains("Ada") && table.contains("password"), "{table}");

    let again = place.users(&["add", "ADA"], "");
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("--replace"), "{}", again.stderr);
    assert_eq!(place.users(&["add", "ada", "--replace"], "").code, Some(0));
    let listed = place.users(&["list", "-J"], "").json();
    assert_eq!((&listed["users"][0]["login"], listed["users"].as_array().unwrap().len()), (&"key".into(), 2));

    assert_eq!(place.users(&["remove", "ADA", "-J"], "").json()["removed"], "ada");
    let missing = place.users(&["remove", "ada"], "");
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("there is no user ada"), "{}", missing.stderr);
}

#[test]
fn a_class_is_added_with_a_key_file_each() {
    let place = Place::new();
    place.write("class.txt", "# section A\nada\n\ngrace, teacher\n");
    let ended = place.users(&["add", "--from", "class.txt", "--keys-dir", "keys", "-J"], "");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = ended.json();
    assert_eq!(report["users"][1]["role"], "teacher");
    let file = std::fs::read_to_string(place.file()).unwrap();
    for name in ["ada", "grace"] {
        let path = place.path("keys").join(format!("{name}.key"));
        let key = std::fs::read_to_string(&path).unwrap();
        assert!(is_key(key.trim_end()) && file.contains(key.trim_end()), "{name}: {key}");
        assert!(!ended.text().contains(key.trim_end()), "keys stay in their files");
        #[cfg(unix)]
        assert_eq!(mode(&path), 0o600);
    }
    // Without --keys-dir they stand beside the list.
    place.write("more.txt", "eve");
    assert!(place.users(&["add", "--from", "more.txt"], "").text().contains("eve.key"));
    assert!(place.path("eve.key").exists());
}

#[test]
fn a_list_with_an_error_adds_nobody() {
    let place = Place::new();
    place.users(&["add", "old"], "");
    let before = std::fs::read(place.file()).unwrap();
    place.write("taken.key", "a key of yesterday");
    let cases = [
        ("ada\na b\n", 2, "line 2: `a b`"),
        ("ada\nbob,boss\n", 2, "line 2: `boss`"),
        ("ada\n\nold\n", 1, "line 3: old exists already"),
        ("ada\ntaken\n", 2, "line 2: taken.key exists"),
        ("ada\nada\n", 2, "line 2: ada stands in line 1"),
    ];
    for (list, code, expected) in cases {
        place.write("class.txt", list);
        let ended = place.users(&["add", "--from", "class.txt"], "");
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains("class.txt, ") && ended.stderr.contains(expected), "{}", ended.stderr);
        assert!(!place.path("ada.key").exists(), "{expected}");
        assert_eq!(std::fs::read(place.file()).unwrap(), before, "{expected}");
    }
    assert_eq!(std::fs::read_to_string(place.path("taken.key")).unwrap(), "a key of yesterday");
}

#[test]
fn usage_errors_are_2() {
    let place = Place::new();
    let wrong: [&[&str]; 6] = [
        &["add"],
        &["add", "a b"],
        &["add", "anon1"],
        &["add", "ada", "--key", "--password"],
        &["add", "ada", "--from", "x"],
        &["add", "--from", "no-such-list"],
    ];
    for args in wrong {
        assert_eq!(place.users(args, "").code, Some(2), "{args:?}");
    }
    let missing = place.users(&["list"], "");
    assert_eq!(missing.code, Some(2));
    assert!(
        missing.stderr.contains("no users file") && missing.stderr.contains("hint:"),
        "{}",
        missing.stderr
    );
}

#[cfg(unix)]
#[test]
fn a_users_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.users(&["add", "ada"], "");
    assert_eq!(mode(&place.file()), 0o600);
    std::fs::set_permissions(place.file(), PermissionsExt::from_mode(0o644)).unwrap();
    for args in [&["list"][..], &["add", "bob"], &["remove", "ada"]] {
        let ended = place.users(args, "");
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains("mode 0644") && ended.stderr.contains("chmod 600"), "{}", ended.stderr);
    }
}

#[test]
fn an_error_in_the_file_names_its_line() {
    let place = Place::new();
    place.users(&["add", "ada"], "");
    let file = std::fs::read_to_string(place.file()).unwrap().replace("student", "boss");
    place.write("users.json", &file);
    let ended = place.users(&["list", "-J"], "");
    assert_eq!(ended.code, Some(2));
    let message = ended.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("line 2") && message.contains("student or teacher"), "{message}");
}

// Catches: reading, changing and writing the file without a lock: the last one to write wins.
#[test]
fn users_added_at_the_same_time_are_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.json");
    let file = file.to_str().unwrap();
    let adding: Vec<_> = (0..8)
        .map(|n| {
            let file = file.to_owned();
            std::thread::spawn(move || run(&["users", "add", &format!("u{n}"), "--users", &file], b"").code)
        })
        .collect();
    for one in adding {
        assert_eq!(one.join().unwrap(), Some(0));
    }
    let listed = run(&["users", "list", "-J", "--users", file], b"").json();
    assert_eq!(listed["users"].as_array().unwrap().len(), 8);
}
