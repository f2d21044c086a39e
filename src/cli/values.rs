//! Values on the command line that several commands take: durations, sizes, framings.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::echo::Reply;
use crate::framing::Framing;

/// A duration: a number with `us`, `ms`, `s`, `m` or `h`; a bare number is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, f64); 5] = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3_600.0)];
    let (number, seconds) = UNITS
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)))
        .unwrap_or((text, 1.0));
    let digits = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number = number.parse::<f64>().ok().filter(|_| digits);
    number
        .and_then(|number| Duration::try_from_secs_f64(number * seconds).ok())
        .ok_or_else(|| "a duration is a number with us, ms, s, m or h, like 500ms or 2s".to_owned())
}

/// How many there may be: at least 1.
pub(super) fn count(text: &str) -> Result<usize, String> {
    let count = text.parse::<usize>().ok().filter(|count| *count > 0 && !text.starts_with('+'));
    count.ok_or_else(|| "a whole number above 0".to_owned())
}

/// A duration that is not zero.
pub(super) fn time_out(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("a time-out of 0 would be over before it began".to_owned()),
        time => Ok(time),
    }
}

/// A size of a socket's buffer: the system counts it in 31 bits.
pub(super) fn buffer_size(text: &str) -> Result<usize, String> {
    let size = size(text)?;
    if size > i32::MAX as usize {
        Err("a socket's buffer has at most 2147483647 bytes".to_owned())
    } else {
        Ok(size)
    }
}

/// An idle time for keep-alive: the system counts it in seconds, to 32767.
pub(super) fn keepalive(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let fits = (Duration::from_secs(1)..=Duration::from_secs(32_767)).contains(&time);
    if fits { Ok(time) } else { Err("the idle time is from 1s to 32767s".to_owned()) }
}

/// A size in bytes: a number, `k`/`K` for 1,024 and `m`/`M` for 1,048,576; at least 1.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = match text.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1 << 10),
        None => text.strip_suffix(['m', 'M']).map_or((text, 1), |number| (number, 1 << 20)),
    };
    let number = number.parse::<usize>().ok().filter(|_| !number.starts_with('+'));
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|size| *size > 0)
        .ok_or_else(|| "a size is a number of bytes above 0, like 1024 or 64k".to_owned())
}

/// The parts of a `--hex` message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HexParts(pub(super) Vec<Vec<u8>>);

/// Bytes as hex digits, white space where you like; `|` ends a part.
pub(super) fn hex_parts(text: &str) -> Result<HexParts, String> {
    text.split('|').map(hex).collect::<Result<_, _>>().map(HexParts)
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digit = |c: char| {
        let digit = c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        digit.ok_or_else(|| format!("`{}` is no hex digit", c.escape_debug()))
    };
    let digits: Vec<u8> = text.chars().filter(|c| !c.is_whitespace()).map(digit).collect::<Result<_, _>>()?;
    let (pairs, odd) = digits.as_chunks::<2>();
    if odd.is_empty() {
        Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
    } else {
        Err(format!("`{}` has an odd number of hex digits: a byte takes two", text.trim()))
    }
}

/// Parses a framing by its name, and lists the names in `--help`.
pub(super) fn framing() -> impl TypedValueParser<Value = Framing> {
    named(&Framing::ALL, Framing::name)
}

/// Parses a reply by its name.
pub(super) fn reply() -> impl TypedValueParser<Value = Reply> {
    named(&Reply::ALL, Reply::name)
}

/// Parses one of `all` by its name. The types themselves know nothing of the command line.
pub(super) fn named<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|value| name(*value))).map(move |given| {
        let value = all.iter().find(|value| name(**value) == given);
        *value.expect("only these names are possible")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_suffixes() {
        let ms = |text: &str| duration(text).map(|d| d.as_micros());
        assert_eq!(ms("500ms"), Ok(500_000));
        assert_eq!(ms("2"), Ok(2_000_000));
        assert_eq!(ms("0.5"), Ok(500_000));
        assert_eq!(ms("1.5m"), Ok(90_000_000));
        assert_eq!(ms("10us"), Ok(10));
        assert_eq!(ms("0"), Ok(0));
        for wrong in ["", "s", "-1", "1d", "nan", "inf", "1e3", "1 s", "99999999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hex_is_read_in_parts() {
        let parts = hex_parts("0005 48 | 656c6C6F").unwrap();
        assert_eq!(parts.0, [&b"\x00\x05H"[..], b"ello"]);
        assert_eq!(hex_parts(""), Ok(HexParts(vec![vec![]])));
        assert!(hex_parts("0").unwrap_err().contains("odd"));
        assert!(hex_parts("0g").unwrap_err().contains("`g`"));
    }

    #[test]
    fn sizes_take_binary_suffixes() {
        assert_eq!((size("1024"), size("64k"), size("1M")), (Ok(1_024), Ok(65_536), Ok(1 << 20)));
        for wrong in ["", "0", "-1", "k", "1g", "+5", "99999999999999999999"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
