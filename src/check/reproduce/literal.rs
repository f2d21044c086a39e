//! Bytes in Python: short ones as they are, long ones as what makes them.

use crate::text::hex;

/// More bytes than this are written as an expression instead of digits.
pub(super) const LITERAL: usize = 200;
/// The same for text, such as JSON: digits would be longer, and tell nothing.
const TEXT: usize = 600;
/// More bytes than this are not written out at all.
const HEX: usize = 2_000;
/// A number of the checker's texts, with the space behind it.
const GROUP: usize = 7;
/// More runs of numbers than this in one send are written another way.
const PARTS: usize = 40;

/// What writes the checker's large texts in Python: numbers that count up.
pub(in crate::check) const COUNT: &str =
    "count = lambda a, b: b\"\".join(b\"%06d \" % n for n in range(a, b))";

/// Bytes in Python: repeated ones short.
pub(in crate::check) fn literal(bytes: &[u8]) -> String {
    if bytes.len() <= LITERAL {
        return quoted(bytes);
    }
    let same = |at: usize| bytes[at..].windows(2).take_while(|pair| pair[0] == pair[1]).count() + 1;
    if let Some(text) = counting(bytes) {
        return text;
    }
    let letters = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~')).count();
    let tail = (0..bytes.len().min(64)).find(|at| same(*at) + 8 >= bytes.len() - at);
    match tail {
        Some(0) if same(0) == bytes.len() => format!("{} * {}", quoted(&bytes[..1]), bytes.len()),
        Some(at) if same(at) == bytes.len() - at => {
            format!("{} + {} * {}", literal(&bytes[..at]), literal(&bytes[at..=at]), bytes.len() - at)
        }
        _ if bytes.len() <= TEXT && letters * 8 > bytes.len() * 7 => quoted(bytes),
        _ if bytes.len() <= HEX => format!("bytes.fromhex(\"{}\")", hex(bytes).replace(' ', "")),
        _ => format!("{} + b\".\" * {}", literal(&bytes[..LITERAL]), bytes.len() - LITERAL),
    }
}

/// Bytes in which the checker's numbers run, `000000 000001 ...`, as calls of `count` and what stands between them.
/// `None` where they don't, or so little that the expression would be as long.
fn counting(bytes: &[u8]) -> Option<String> {
    let number = |at: usize| -> Option<u32> {
        let group = bytes.get(at..at + GROUP)?;
        let digits = std::str::from_utf8(&group[..GROUP - 1]).ok()?;
        if group[GROUP - 1] == b' ' { digits.parse().ok() } else { None }
    };
    let (mut parts, mut plain, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        let Some(first) = number(at) else {
            at += 1;
            continue;
        };
        let rest = bytes.len() / GROUP;
        let more = (1..rest)
            .take_while(|n| number(at + n * GROUP).is_some_and(|next| next as usize == first as usize + n));
        let more = more.count();
        if more < 8 {
            at += 1;
            continue;
        }
        if plain < at {
            parts.push(literal(&bytes[plain..at]));
        }
        parts.push(format!("count({first}, {})", first as usize + more + 1));
        at += (more + 1) * GROUP;
        plain = at;
    }
    if plain == 0 {
        return None;
    }
    if plain < bytes.len() {
        parts.push(literal(&bytes[plain..]));
    }
    (parts.len() <= PARTS).then(|| parts.join(" + "))
}

/// Between quotes: single ones where the text is full of double ones, as JSON is.
fn quoted(bytes: &[u8]) -> String {
    let text: String = bytes.iter().flat_map(|byte| byte.escape_ascii()).map(char::from).collect();
    // Rust escapes both kinds of quotes; Python needs it for the own kind alone.
    if bytes.contains(&b'"') && !bytes.contains(&b'\'') {
        return format!("b'{}'", text.replace("\\\"", "\""));
    }
    format!("b\"{}\"", text.replace("\\'", "'"))
}

/// Hex in pairs of bytes, as the protocol page writes prefixes.
pub(super) fn grouped(bytes: &[u8]) -> String {
    let group = |pair: &[u8]| hex(pair).replace(' ', "");
    bytes.chunks(2).map(group).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_python() {
        assert_eq!(literal(b"\0\x05He'\"\\"), "b\"\\x00\\x05He'\\\"\\\\\"");
        assert_eq!(literal(b"\0\x07{\"a\":1}"), "b'\\x00\\x07{\"a\":1}'");
        assert_eq!(literal(&[b'x'; 300]), "b\"x\" * 300");
        assert_eq!(
            literal(&[&[1; 4], &[b'x'; 300][..]].concat()),
            "b\"\\x01\\x01\\x01\\x01\" + b\"x\" * 300"
        );
        assert_eq!(grouped(b"\0\x05H"), "0005 48");
        let numbers = (3..60).map(|n| format!("{n:06} ")).collect::<Vec<_>>().concat();
        let message = [b"\x01\x8f", numbers.as_bytes(), b"00"].concat();
        assert_eq!(literal(&message), "b\"\\x01\\x8f\" + count(3, 60) + b\"00\"");
        let odd: Vec<u8> = (0..9_000_u32).map(|n| u8::try_from(n * n % 251).unwrap()).collect();
        assert!(literal(&odd).len() < 2_000, "nobody reads more");
    }
}
