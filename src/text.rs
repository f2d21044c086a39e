//! Text for people: numbers grouped by thousands, and bytes that came from a peer made harmless.
//!
//! It stands apart because every layer shows such text, and an escape that is forgotten once is a hole:
//! a peer could move the cursor, retitle the window or reorder a log line. Pure functions, no I/O.

use std::fmt;

/// A count that displays with a comma every three digits: `346,213`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grouped(pub u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut out = String::with_capacity(digits.len() + digits.len() / 3);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push(',');
            }
            out.push(digit);
        }
        f.pad(&out)
    }
}

/// A byte count with its unit, exact below 10,000 and rounded above: `5 B`, `1.5 MB` (powers of ten).
#[must_use]
pub fn byte_count(n: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(size, _)| n >= 10_000 && n >= *size) {
        #[expect(clippy::cast_precision_loss, reason = "one decimal of a rounded figure")]
        Some((size, unit)) => format!("{:.1} {unit}", n as f64 / *size as f64),
        None => format!("{} B", Grouped(n)),
    }
}

/// `1 client`, `2 clients`: a count with its noun.
#[must_use]
pub fn counted(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", Grouped(n))
}

/// True for characters that can change how a terminal shows what stands around them: C0 and C1
/// controls, and the bidi controls of Unicode's UAX #9. And for the two noncharacters that neither XML nor YAML carries.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Text from a peer on one line: unsafe characters and bytes that are not UTF-8 become escapes
/// (`\n`, `\x1b`, `\u{202e}`), a backslash is doubled so that nothing can imitate an escape.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' | '\0'..='\x1f' | '\x7f' => out.extend((c as u8).escape_ascii().map(char::from)),
                c if is_unsafe(c) => out.extend(c.escape_unicode()),
                c => out.push(c),
            }
        }
        out.extend(chunk.invalid().escape_ascii().map(char::from));
    }
    out
}

/// Text of the user's own, like a path: as it is, unless it holds what a terminal obeys.
#[must_use]
pub fn printable(text: &str) -> String {
    if text.chars().any(is_unsafe) { escape(text.as_bytes()) } else { text.to_owned() }
}

/// JSON whose strings hold nothing that a terminal obeys: what the encoder leaves as it is (DEL, C1, bidi controls)
/// becomes `\\u....`, which means the same.
#[must_use]
pub fn safe_json(json: String) -> String {
    // A line's end stands between members alone.
    let passes = |c: char| c == '\n' || !is_unsafe(c);
    if json.chars().all(passes) {
        return json;
    }
    // None of them is above U+FFFF: one unit of UTF-16.
    let safe = |c: char| if passes(c) { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) };
    json.chars().map(safe).collect()
}

/// [`escape`], shortened to about `limit` bytes of input with the rest counted: `Hello… (+995 B)`.
#[must_use]
pub fn excerpt(bytes: &[u8], limit: usize) -> String {
    if bytes.len() <= limit {
        return escape(bytes);
    }
    let rest = u64::try_from(bytes.len() - limit).unwrap_or(u64::MAX);
    format!("{}… (+{})", escape(&bytes[..limit]), byte_count(rest))
}

/// Bytes as lower-case hex pairs, a space between: `00 05 48`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    pairs.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_from_the_right() {
        let shown: Vec<String> = [0, 999, 1_000, 346_213, 1_000_000].map(|n| Grouped(n).to_string()).into();
        assert_eq!(shown, ["0", "999", "1,000", "346,213", "1,000,000"]);
        assert_eq!(byte_count(9_999), "9,999 B");
        assert_eq!(byte_count(1_500_000), "1.5 MB");
        assert_eq!(counted(1, "client"), "1 client");
        assert_eq!(counted(1_200, "client"), "1,200 clients");
    }

    #[test]
    fn nothing_a_terminal_obeys_passes() {
        assert_eq!(escape(b"\x1b[2J\x07"), "\\x1b[2J\\x07");
        assert_eq!(escape("a\u{9b}b\u{202e}c".as_bytes()), "a\\u{9b}b\\u{202e}c");
        assert_eq!(escape(b"a\xff\r\n\t\\"), "a\\xff\\r\\n\\t\\\\");
        assert_eq!(escape("é漢🙂".as_bytes()), "é漢🙂");
        for code in (0..=0x9f).chain(0x2000..0x2100).chain(0xfffe..=0xffff) {
            let c = char::from_u32(code).unwrap();
            let shown = escape(c.to_string().as_bytes());
            assert!(!shown.chars().any(is_unsafe), "{code:x} came through");
        }
    }

    #[test]
    fn json_says_the_same_with_less_power() {
        let text = "a\u{9b}31m\u{202e}\u{2028}\u{61c}\u{ffff}é漢🙂\u{1b}";
        let json = safe_json(serde_json::to_string(text).unwrap());
        assert!(!json.chars().any(is_unsafe), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        assert!(json.contains("é漢🙂"));
    }

    #[test]
    fn an_excerpt_counts_what_it_leaves_out() {
        assert_eq!(excerpt(b"Hello", 5), "Hello");
        assert_eq!(excerpt(b"Hello, World", 5), "Hello… (+7 B)");
    }
}
