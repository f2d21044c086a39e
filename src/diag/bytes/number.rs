//! A number in bytes: how many it needs, in which order they may stand, and what the wrong order makes of it.

use serde::Serialize;

use crate::text::hex;

/// A number in every width that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NumberFacts {
    /// Its value. JSON readers that know doubles alone lose digits above 2^53: hence as text.
    pub value: String,
    /// In hexadecimal digits; a negative number as its two's complement in 64 bits.
    pub hex: String,
    /// 16, 32 and 64 bits, as far as it fits.
    pub widths: Vec<Width>,
}

/// A number in one width.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Width {
    /// `u16`, `u32`, `u64`, or `i16` and so on for a negative number.
    pub name: &'static str,
    /// Highest byte first: network byte order.
    pub big_endian: String,
    /// Lowest byte first.
    pub little_endian: String,
    /// What the bytes of one order mean in the other.
    pub read_in_the_other_order: String,
}

impl NumberFacts {
    /// Reads a decimal number, or one in hexadecimal digits behind `0x`; `None` if it is none of 64 bits.
    pub(super) fn of(text: &str) -> Option<NumberFacts> {
        let value: i128 = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) if !digits.starts_with(['+', '-']) => i128::from_str_radix(digits, 16).ok()?,
            Some(_) => return None,
            None if text.starts_with('+') => return None,
            None => text.parse().ok()?,
        };
        let widths: Vec<Width> = [2, 4, 8].into_iter().filter_map(|bytes| Width::of(value, bytes)).collect();
        let last = widths.last()?;
        let digits = last.big_endian.replace(' ', "");
        let digits = digits.trim_start_matches('0');
        let hex = format!("0x{}", if digits.is_empty() { "0" } else { digits });
        Some(NumberFacts { value: value.to_string(), hex, widths })
    }
}

impl Width {
    /// The number in so many bytes, if it fits.
    fn of(value: i128, bytes: usize) -> Option<Width> {
        let (unsigned, signed, low, high) = match bytes {
            2 => ("u16", "i16", i128::from(i16::MIN), i128::from(u16::MAX)),
            4 => ("u32", "i32", i128::from(i32::MIN), i128::from(u32::MAX)),
            _ => ("u64", "i64", i128::from(i64::MIN), i128::from(u64::MAX)),
        };
        if !(low..=high).contains(&value) {
            return None;
        }
        let negative = value < 0;
        let big = value.to_be_bytes()[16 - bytes..].to_vec();
        let little: Vec<u8> = big.iter().rev().copied().collect();
        // The sign stands in the first byte of what is read.
        let start = if negative && little[0] >= 0x80 { -1 } else { 0 };
        let other = little.iter().fold(start, |number: i128, byte| number << 8 | i128::from(*byte));
        Some(Width {
            name: if negative { signed } else { unsigned },
            big_endian: hex(&big),
            little_endian: hex(&little),
            read_in_the_other_order: other.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(&'static str, String, String, String)> {
        let facts = NumberFacts::of(text).unwrap();
        let row = |w: Width| (w.name, w.big_endian, w.little_endian, w.read_in_the_other_order);
        facts.widths.into_iter().map(row).collect()
    }

    #[test]
    fn a_number_stands_in_both_orders() {
        let rows = read("1280");
        assert_eq!(rows[0], ("u16", "05 00".into(), "00 05".into(), "5".into()));
        assert_eq!(rows[1], ("u32", "00 00 05 00".into(), "00 05 00 00".into(), "327680".into()));
        assert_eq!(rows.len(), 3);
        assert_eq!(read("0x500"), rows);
        assert_eq!(read("70000").len(), 2, "too large for 16 bits");
        assert_eq!(read("18446744073709551615").len(), 1);
        assert_eq!(NumberFacts::of("70000").unwrap().hex, "0x11170");
        assert_eq!(NumberFacts::of("0").unwrap().hex, "0x0");
    }

    #[test]
    fn negative_numbers_are_twos_complements() {
        assert_eq!(read("-2")[0], ("i16", "ff fe".into(), "fe ff".into(), "-257".into()));
        assert_eq!(read("-129")[0].3, "32767");
        assert_eq!(NumberFacts::of("-1").unwrap().hex, "0xffffffffffffffff");
    }

    #[test]
    fn what_is_no_number_of_64_bits_is_text() {
        for text in
            ["", "abc", "+5", "1.5", "0x", "0x-5", "18446744073709551616", "-9223372036854775809", "1 2"]
        {
            assert_eq!(NumberFacts::of(text), None, "{text}");
        }
    }
}
