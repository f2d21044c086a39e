//! Settings from every layer, without touching the process's own environment.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    config: ConfigArgs,
}

/// The settings of these arguments, environment and file.
fn settings(args: &[&str], environment: &[(&str, &str)], file: &str) -> Result<Settings, String> {
    let Command { config } =
        Command::try_parse_from([&["config"], args].concat()).map_err(|e| e.to_string())?;
    let environment =
        |name: &str| environment.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into());
    let file = EnvFile::parse(".env", file.as_bytes()).map_err(|e| e.to_string())?;
    let mut layers = Layers { environment: &environment, file, origins: Vec::new() };
    config.settings.choose(&config.addr, &config.address, &mut layers).map_err(|e| e.to_string())
}

fn source(settings: &Settings, name: &str) -> String {
    settings.origins.iter().find(|origin| origin.name == name).unwrap().source.clone()
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let file = "# course\nMAX_CONNECTION=7\n";
    let environment = [("MAX_CONNECTION", "8")];
    let cases = [
        (settings(&["--max-connections", "9"], &environment, file), 9, "flag"),
        (settings(&[], &environment, file), 8, "environment"),
        (settings(&[], &[], file), 7, ".env:2"),
        (settings(&[], &[], ""), 256, "default"),
    ];
    for (settings, expected, from) in cases {
        let settings = settings.unwrap();
        assert_eq!(
            (settings.max_connections, source(&settings, "MAX_CONNECTION").as_str()),
            (expected, from)
        );
    }
}

#[test]
fn the_address_is_host_and_port_each_with_its_source() {
    let file = "SERVER_HOST=0.0.0.0\nSERVER_PORT=13000";
    let cases: [(&[&str], &str, &str, &str); 5] = [
        (&[], "0.0.0.0:13000", ".env:1", ".env:2"),
        (&[":0"], "0.0.0.0:0", ".env:1", "flag"),
        (&["localhost"], "localhost:13000", "flag", ".env:2"),
        (&["[::1]:5"], "[::1]:5", "flag", "flag"),
        (&["-p", "6"], "0.0.0.0:6", ".env:1", "flag"),
    ];
    for (args, address, host, port) in cases {
        let settings = settings(args, &[], file).unwrap();
        assert_eq!(settings.address.to_string(), address);
        assert_eq!([source(&settings, "SERVER_HOST"), source(&settings, "SERVER_PORT")], [host, port]);
    }
}

#[test]
fn an_ipv6_host_may_stand_in_brackets() {
    for host in ["::1", "[::1]"] {
        let settings = settings(&[], &[("SERVER_HOST", host)], "").unwrap();
        assert_eq!(settings.address, Address::new("::1", 12_000));
    }
}

#[test]
fn both_spellings_of_the_threshold_are_one_setting() {
    let both = |text| settings(&[], &[], text).map(|settings| settings.update_threshold.as_secs());
    assert_eq!(both("UPDATE_TRESH=5"), Ok(5));
    assert_eq!(both("UPDATE_THRESHOLD=5"), Ok(5));
    assert_eq!(both("UPDATE_THRESHOLD=5\nUPDATE_TRESH=5"), Ok(5));
    let error = both("UPDATE_THRESHOLD=5\n\nUPDATE_TRESH=6").unwrap_err();
    assert!(
        error.contains("UPDATE_TRESH (.env:3)") && error.contains("UPDATE_THRESHOLD (.env:1)"),
        "{error}"
    );
    assert!(both("UPDATE_TRESH=5\nUPDATE_TRESH=6").is_err(), "the same name twice");
    // A higher layer wins whatever its spelling.
    let settings = settings(&[], &[("UPDATE_THRESHOLD", "7")], "UPDATE_TRESH=5").unwrap();
    assert_eq!(settings.update_threshold, Duration::from_secs(7));
}

#[test]
fn a_bad_value_names_file_line_and_what_is_allowed() {
    let cases = [
        ("SERVER_PORT", "65536", "from 0 to 65535"),
        ("SERVER_PORT", "+1", "from 0 to 65535"),
        ("SERVER_PORT", "", "from 0 to 65535"),
        ("SERVER_HOST", "'a b'", "host name"),
        ("MAX_CONNECTION", "0", "from 1 to"),
        ("UPDATE_TIMER", "0", "seconds"),
        ("UPDATE_TIMER", "soon", "seconds"),
        ("UPDATE_TRESH", "9999999999", "a year"),
        ("FILE_PATH", "", "a folder"),
        ("RECORD_FILE", "../x.json", "without a folder"),
        ("RECORD_FILE", "s1.TXT", ".txt"),
    ];
    for (name, value, allowed) in cases {
        let error = settings(&[], &[], &format!("\n{name}={value}\n")).unwrap_err();
        assert!(error.starts_with(&format!(".env:2: {name} is `")) && error.contains(allowed), "{error}");
    }
    let error = settings(&[], &[("SERVER_PORT", "x")], "").unwrap_err();
    assert!(error.starts_with("environment: SERVER_PORT is `x`"), "{error}");
}
