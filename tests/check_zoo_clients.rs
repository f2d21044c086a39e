//! The zoo of clients: `netlab check --client` against clients that students might have written (tests/zoo_clients;
//! harness/zoo.rs says how).

mod harness;
#[path = "harness/zoo.rs"]
mod zoo;

use zoo::{Animal, Zoo};

const CLIENTS: Zoo = Zoo {
    folder: "zoo_clients",
    flags: &["--client"],
    few: &[
        "right/hmac_plain.py",
        "wrong/rooms_little.py",
        "wrong/udp_small_buffer.py",
        "wrong/u16_no_length.py",
    ],
};

#[test]
fn the_zoo_is_complete() {
    let animals = CLIENTS.animals();
    assert!(animals.iter().filter(|animal| animal.class.is_some()).count() >= 20);
    let exercises = harness::run(&["exercises", "-J"], b"").json();
    for exercise in exercises["exercises"].as_array().expect("exercises") {
        let right = |animal: &Animal| animal.class.is_none() && exercise["name"] == animal.exercise.as_str();
        assert!(animals.iter().any(right), "{}: a right client", exercise["name"]);
    }
}

#[test]
fn a_few_of_the_zoo() {
    CLIENTS.check_few();
}

mod long {
    use super::CLIENTS;

    #[test]
    #[ignore = "needs python3"]
    fn the_whole_zoo_of_clients() {
        CLIENTS.check_all();
    }
}
