//! The layer table, read from the imports: each file of `src` is reduced to its code, its paths are resolved,
//! and each is held against the table. [`breaks`] is pure, so that every rule is shown to catch its break.
//!
//! Test code (`#[cfg(test)]` modules and `tests.rs` files) may use anything.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

use std::fs;
use std::path::Path;

/// The modules of each layer. A module imports from lower layers, and from itself.
const LAYERS: [&[&str]; 7] = [
    &["text", "report", "framing"],
    &["protocol"],
    &["service"],
    &["net", "store", "process"],
    &["server", "client", "echo", "demo", "diag", "bench", "check", "lab"],
    &["render", "tui"],
    &["cli", "main"],
];

/// Exceptions inside a layer: who may use whom beside itself.
const WITHIN_A_LAYER: [(&[&str], &[&str]); 4] = [
    (&["report", "framing"], &["text"]),
    (&["process"], &["net"]),
    (&["bench", "demo", "diag", "check"], &["client", "echo", "server"]),
    (&["main"], &["cli"]),
];

/// Crates that only some modules may use.
const HOMES: [(&[&str], &[&str]); 7] = [
    (
        &["socket2", "mio", "netlink_sys", "netlink_packet_core", "netlink_packet_sock_diag", "quinn_udp"],
        &["net"],
    ),
    (&["landlock", "seccompiler"], &["process"]),
    (&["nix"], &["net", "process"]),
    (&["rustix"], &["net", "store", "process", "tui"]),
    (&["clap", "clap_complete", "clap_mangen"], &["cli"]),
    (&["comfy_table", "indicatif", "ratatui", "ratatui_textarea"], &["render", "tui"]),
    (&["anyhow"], &["cli", "main"]),
];

/// What modules may not use although the standard library offers it: bytes and time come in as arguments.
const BANNED: [(&[&str], &[&str]); 3] = [
    (&["framing"], &["std::io", "std::net", "std::time", "std::fs"]),
    (&["protocol"], &["std::net", "std::fs", "Instant::now", "SystemTime::now"]),
    (&["service"], &["std::net", "std::fs", "Instant::now", "SystemTime::now", "tracing", "log"]),
];

/// Names that say nothing.
const FORBIDDEN_NAMES: [&str; 7] = ["utils", "helpers", "common", "shared", "manager", "types", "misc"];

/// Every break of the rules in one file, in words. `path` is relative to `src`.
fn breaks(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let stem = path.trim_end_matches(".rs");
    if let Some(name) = stem.split('/').find(|name| FORBIDDEN_NAMES.contains(name)) {
        found.push(format!("`{name}` says nothing about what is in it"));
    }
    if !text.starts_with("//!") {
        found.push("does not open with `//!`".into());
    }
    let own = module_of(stem);
    let Some(top) = own.first().copied() else { return found };
    if layer(top).is_none() {
        found.push(format!("`{top}` stands in no layer"));
    }
    if stem.ends_with("/tests") {
        return found;
    }
    for path in paths(&without_tests(&tokens(text))) {
        let broken = match resolve(&path, &own).as_deref() {
            Some([used, ..]) => import_break(top, used),
            Some([]) => None,
            None => external_break(top, &path),
        };
        found.extend(broken);
    }
    found.dedup();
    found
}

/// The module path of a file; empty for `lib.rs`, which only declares.
fn module_of(stem: &str) -> Vec<&str> {
    stem.split('/').filter(|name| !matches!(*name, "lib" | "mod")).collect()
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// The path inside this crate that `path` means, or `None` if it leads to another one.
fn resolve<'a>(path: &'a [String], own: &[&'a str]) -> Option<Vec<&'a str>> {
    let supers = path.iter().take_while(|name| *name == "super").count();
    let (base, rest) = match path[0].as_str() {
        "crate" | "netlab" => (0, &path[1..]),
        "self" => (own.len(), &path[1..]),
        "super" => (own.len().saturating_sub(supers), &path[supers..]),
        _ => return None,
    };
    Some(own[..base].iter().copied().chain(rest.iter().map(String::as_str)).collect())
}

fn import_break(top: &str, used: &str) -> Option<String> {
    // What is no module of the table is an item of the crate's root.
    let (from, to) = (layer(top)?, layer(used)?);
    let excepted = WITHIN_A_LAYER.iter().any(|(who, whom)| who.contains(&top) && whom.contains(&used));
    let fine = used == top || to < from || excepted;
    (!fine).then(|| format!("`{top}` (layer {from}) imports `{used}` (layer {to})"))
}

fn external_break(top: &str, path: &[String]) -> Option<String> {
    let krate = path[0].as_str();
    if let Some((_, homes)) = HOMES.iter().find(|(crates, _)| crates.contains(&krate))
        && !homes.contains(&top)
    {
        return Some(format!("`{krate}` is used outside of {}", homes.join(", ")));
    }
    let whole = path.join("::");
    let begins = |banned: &&&str| whole == **banned || whole.starts_with(&format!("{banned}::"));
    let ends = |banned: &&&str| whole.ends_with(&format!("::{banned}"));
    let banned = BANNED.iter().filter(|(modules, _)| modules.contains(&top)).flat_map(|(_, banned)| *banned);
    banned.into_iter().find(|b| begins(b) || ends(b)).map(|banned| format!("`{banned}` is used in {top}"))
}

/// Identifiers, `::`, and single signs; comments, strings and characters are left out.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, behind) = rest.split_at(length);
        if token == "::" || token.starts_with(|c: char| c.is_alphanumeric() || "_{}();,*#[]".contains(c)) {
            tokens.push(token.to_owned());
        }
        rest = behind;
    }
    tokens
}

/// The length of the string or character that `rest` begins with, its prefix included.
fn literal(rest: &str) -> Option<usize> {
    let unprefixed = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - unprefixed.len();
    if let Some(raw) = unprefixed.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let inner = &raw[hashes + 1..];
            return Some(prefix + 2 + hashes + inner.find(&end)? + end.len());
        }
    }
    let quote = unprefixed.chars().next().filter(|c| "\"'".contains(*c))?;
    // A lifetime: a quote and a letter, with no quote behind it.
    let mut chars = unprefixed.char_indices().skip(1);
    if quote == '\'' && !unprefixed[1..].starts_with('\\') && chars.clone().nth(1)?.1 != '\'' {
        return None;
    }
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            c if c == quote => return Some(prefix + at + 1),
            _ => {}
        }
    }
    None
}

/// The tokens without `#[cfg(test)] mod ... { ... }`.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..].iter().take(mark.len()).eq(mark.iter()) {
            at += mark.len();
            let mut depth = 0;
            while at < tokens.len() {
                depth += i32::from(tokens[at] == "{") - i32::from(tokens[at] == "}");
                at += 1;
                if depth == 0 && (tokens[at - 1] == "}" || tokens[at - 1] == ";") {
                    break;
                }
            }
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Every path of the code: each leaf of a `use` tree, and what is written out with `::`.
fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            at += 1;
            use_tree(tokens, &mut at, &[], &mut found);
        } else if is_name(&tokens[at]) {
            let path = one_path(tokens, &mut at);
            if path.len() > 1 {
                found.push(path);
            }
        } else {
            at += 1;
        }
    }
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// `a::b::c`, as far as it goes.
fn one_path(tokens: &[String], at: &mut usize) -> Vec<String> {
    let mut path = Vec::new();
    while let Some(name) = tokens.get(*at).filter(|token| is_name(token)) {
        path.push(name.clone());
        *at += 1;
        if tokens.get(*at).is_none_or(|token| token != "::") {
            break;
        }
        *at += 1;
    }
    path
}

/// `a::{b, c::d}`: a path for each leaf, with `before` in front.
fn use_tree(tokens: &[String], at: &mut usize, before: &[String], found: &mut Vec<Vec<String>>) {
    let mut path = before.to_vec();
    path.extend(one_path(tokens, at));
    if tokens.get(*at).is_none_or(|token| token != "{") {
        if !path.is_empty() {
            found.push(path);
        }
        return;
    }
    while tokens.get(*at).is_some_and(|token| token != "}") {
        *at += 1;
        use_tree(tokens, at, &path, found);
        // ` as name`, or a glob.
        while tokens.get(*at).is_some_and(|token| token != "," && token != "}") {
            *at += 1;
        }
    }
    *at += 1;
}

fn files_below(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_code_keeps_the_layers() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    files_below(&src, &mut files);
    assert!(files.len() > 40, "{} files are not the whole of src", files.len());
    let mut found = Vec::new();
    for file in files {
        let path = file.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
        let breaks = breaks(&path, &fs::read_to_string(&file).unwrap());
        found.extend(breaks.into_iter().map(|broken| format!("{path}: {broken}")));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_rule_catches_its_break() {
    let samples = [
        ("framing/mod.rs", "use crate::net::Stop;", "`framing` (layer 0) imports `net` (layer 3)"),
        ("framing/mod.rs", "use crate::report::Table;", "`framing` (layer 0) imports `report` (layer 0)"),
        ("text.rs", "use super::framing::Frame;", "`text` (layer 0) imports `framing` (layer 0)"),
        ("net/addr.rs", "use crate::{text, echo::Event};", "`net` (layer 3) imports `echo` (layer 4)"),
        ("net/os/unix.rs", "use super::super::super::cli::x;", "`net` (layer 3) imports `cli` (layer 6)"),
        ("net/mod.rs", "fn f() { crate::store::open() }", "`net` (layer 3) imports `store` (layer 3)"),
        ("net/mod.rs", "use crate::store::{self};", "`net` (layer 3) imports `store` (layer 3)"),
        ("echo/mod.rs", "use crate::demo::run;", "`echo` (layer 4) imports `demo` (layer 4)"),
        ("demo/x.rs", "use crate::bench::run;", "`demo` (layer 4) imports `bench` (layer 4)"),
        ("demo/x.rs", "fn f(s: &crate::render::Style) {}", "`demo` (layer 4) imports `render` (layer 5)"),
        ("render/x.rs", "use netlab::tui;", "`render` (layer 5) imports `tui` (layer 5)"),
        ("echo/x.rs", "use socket2::{Socket, Type};", "`socket2` is used outside of net"),
        ("cli/x.rs", "fn f() -> mio::Token {}", "`mio` is used outside of net"),
        ("service/x.rs", "use quinn_udp as udp;", "`quinn_udp` is used outside of net"),
        ("demo/x.rs", "use netlink_sys::Socket;", "`netlink_sys` is used outside of net"),
        ("demo/x.rs", "use nix::sys;", "`nix` is used outside of net, process"),
        ("echo/x.rs", "use rustix::net;", "`rustix` is used outside of net, store, process, tui"),
        ("echo/x.rs", "#[derive(clap::Args)] struct A;", "`clap` is used outside of cli"),
        ("cli/x.rs", "use comfy_table::Table;", "`comfy_table` is used outside of render, tui"),
        ("net/x.rs", "fn f() -> anyhow::Result<()> {}", "`anyhow` is used outside of cli, main"),
        ("framing/x.rs", "use std::{fmt, io::{self, Read}};", "`std::io` is used in framing"),
        ("framing/x.rs", "fn f(a: std::net::IpAddr) {}", "`std::net` is used in framing"),
        ("framing/x.rs", "use std::time::Duration;", "`std::time` is used in framing"),
        ("protocol/x.rs", "fn f() { Instant::now(); }", "`Instant::now` is used in protocol"),
        ("service/x.rs", "fn f() { std::time::Instant::now(); }", "`Instant::now` is used in service"),
        ("service/x.rs", "fn f() { tracing::info!(\"x\"); }", "`tracing` is used in service"),
        ("widgets/x.rs", "", "`widgets` stands in no layer"),
        ("net/utils.rs", "", "`utils` says nothing about what is in it"),
        ("net/common/mod.rs", "", "`common` says nothing about what is in it"),
    ];
    for (path, code, expected) in samples {
        assert_eq!(breaks(path, &format!("//! A sample.\n{code}\n")), [expected], "{path}: {code}");
    }
    assert_eq!(breaks("net/x.rs", "use std::io;"), ["does not open with `//!`"]);
}

#[test]
fn what_is_allowed_is_no_break() {
    let samples = [
        ("lib.rs", "pub mod cli; pub mod text;"),
        ("main.rs", "fn main() -> ExitCode { netlab::cli::main() }"),
        ("framing/error.rs", "use crate::text::Grouped; use super::{Part, line};"),
        (
            "net/reactor/io.rs",
            "use super::{Limits, tap::Seen}; use crate::net::{NetError, os}; use mio::Poll;",
        ),
        ("demo/x.rs", "use crate::{echo::Event, framing, net::reactor::*, report::Table};"),
        (
            "cli/x.rs",
            "use super::output; use clap::Args; fn f() -> anyhow::Result<()> { crate::render::x() }",
        ),
        ("framing/tests.rs", "use std::io; use proptest::prelude::*; use crate::cli;"),
        ("text.rs", "#[cfg(test)]\nmod tests { fn f() { if true { crate::cli::x() } } }\nfn g() {}"),
        ("text.rs", "/// See [`crate::cli`] and `use crate::net`.\nfn f() { \"use crate::cli;\" }"),
        ("text.rs", "fn f<'a>(x: &'a str) -> char { ('\"', b'\\'', r#\"use crate::cli::\"x\";\"#) }"),
        ("text.rs", "/* use crate::cli; */"),
    ];
    for (path, code) in samples {
        assert_eq!(breaks(path, &format!("//! A sample.\n{code}\n")), [""; 0], "{path}: {code}");
    }
    let after_tests = "//! A sample.\n#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::cli;\n";
    assert_eq!(breaks("text.rs", after_tests).len(), 1, "code behind the tests is read");
}
