//! The comparison of the models, with servers that are not what they were started for.
//!
//! A file of its own: whoever ends a [`Program`] ends every child of this process that is none.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

use std::time::Duration;

use netlab::bench::models::{self, ModelsReport};
use netlab::bench::{BenchError, Course, Load, Until};
use netlab::echo::tcp_server::Model;
use netlab::net::Stop;
use netlab::process::Program;
use netlab::report::Report;

/// Runs the comparison of `asked` while every server that is started is of `started`.
fn compare(asked: Model, started: &'static str) -> Result<ModelsReport, BenchError> {
    let server = |_: Model| {
        let words = ["tcp-echo", "server", ":0", "--end-with-stdin", "--model", started];
        let command = [env!("CARGO_BIN_EXE_netlab")].iter().chain(&words).map(Into::into).collect();
        Program { command, stdin: true, ..Program::default() }
    };
    let until = Until::Time(Duration::from_millis(100));
    let config = models::Config {
        models: vec![asked],
        load: Load { connections: 3, depth: 2, size_bytes: 10, asked_rate_per_s: None },
        course: Course { warm_up: Duration::ZERO, until, wait: Duration::from_millis(500) },
        idle_connections: 5,
        server: &server,
    };
    models::run(&config, &Stop::new(), &mut Vec::new())
}

#[test]
fn a_model_that_leaves_clients_waiting_fails_unless_that_is_its_nature() {
    let succeeds = |asked, started| compare(asked, started).unwrap().succeeded();
    assert!(!succeeds(Model::Threads, "iterative"), "it serves one at a time");
    assert!(succeeds(Model::Iterative, "iterative"));
    assert!(succeeds(Model::EventLoop, "threads"), "both serve all");
}

#[test]
fn a_server_that_can_not_start_is_an_error_that_says_why() {
    let error = compare(Model::Threads, "none").unwrap_err().to_string();
    assert!(error.contains("invalid value 'none'"), "{error}");
}
