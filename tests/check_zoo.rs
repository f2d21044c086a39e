//! The zoo: `netlab check` against servers that students might have written (tests/zoo; harness/zoo.rs says how).

mod harness;
#[path = "harness/zoo.rs"]
mod zoo;

use zoo::{Animal, Zoo};

const SERVERS: Zoo = Zoo {
    folder: "zoo",
    flags: &[],
    few: &[
        "right/once_plain.py",
        "right/u16_threads.c",
        "right/udp_echo_plain.py",
        "wrong/u16_single_recv.py",
        "wrong/many_write_event_always.py",
        "wrong/hmac_first_bytes.py",
    ],
};

#[test]
fn the_zoo_is_complete() {
    let animals = SERVERS.animals();
    assert!(animals.iter().filter(|animal| animal.class.is_some()).count() >= 30);
    let exercises = harness::run(&["exercises", "-J"], b"").json();
    for exercise in exercises["exercises"].as_array().expect("exercises") {
        let right = |animal: &&Animal| animal.class.is_none() && exercise["name"] == animal.exercise.as_str();
        assert!(animals.iter().filter(right).count() >= 3, "{exercise}: three right servers");
    }
}

#[test]
fn a_few_of_the_zoo() {
    SERVERS.check_few();
}

/// Every fourth one: what `.ci/run` has time for.
#[test]
#[ignore = "needs python3"]
fn a_quarter_of_the_zoo() {
    let animals: Vec<Animal> = SERVERS.animals().into_iter().step_by(4).collect();
    SERVERS.check(&animals);
}

mod long {
    use super::SERVERS;

    #[test]
    #[ignore = "needs python3"]
    fn the_whole_zoo() {
        SERVERS.check_all();
    }
}
