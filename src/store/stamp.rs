//! The time on a record: `2026-03-09 14:05:00`, UTC, to the second.
//!
//! It stands apart so that the rest of the store compares times and never formats one. The clock is read in
//! [`Stamp::now`] alone, and only the worker calls that.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// A moment in UTC, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(DateTime);

impl Stamp {
    /// The length of every stamp's text.
    pub const LENGTH: usize = "YYYY-MM-DD HH:MM:SS".len();

    /// This moment, by the system's clock.
    #[must_use]
    pub fn now() -> Stamp {
        Stamp::from(SystemTime::now())
    }

    /// Reads a stamp; exactly what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Stamp> {
        let stamp = DateTime::strptime(FORMAT, text).ok().map(Stamp)?;
        // strptime is lenient about spaces and leading zeros.
        (stamp.to_string() == text).then_some(stamp)
    }

    /// True if the stamp is more than `threshold` older than `now`. One from the future is not.
    #[must_use]
    pub fn is_older(self, threshold: Duration, now: Stamp) -> bool {
        let age = now.0.duration_since(self.0);
        Duration::try_from(age).is_ok_and(|age| age > threshold)
    }
}

impl From<SystemTime> for Stamp {
    fn from(time: SystemTime) -> Stamp {
        // A clock beyond the year 9999 is wrong anyway.
        let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
        let civil = TimeZone::UTC.to_datetime(time);
        Stamp(civil.with().subsec_nanosecond(0).build().expect("whole seconds are a time of day"))
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime(FORMAT).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_utc_to_the_second() {
        let stamp = Stamp::from(SystemTime::UNIX_EPOCH + Duration::from_millis(1_772_892_300_999));
        assert_eq!(stamp.to_string(), "2026-03-07 14:05:00");
        assert_eq!(Stamp::parse("2026-03-07 14:05:00"), Some(stamp));
        assert_eq!(stamp.to_string().len(), Stamp::LENGTH);
    }

    #[test]
    fn only_the_one_spelling_is_read() {
        for wrong in
            ["", "2026-3-7 14:05:00", "2026-03-07T14:05:00", "2026-02-30 00:00:00", " 2026-03-07 14:05:00"]
        {
            assert_eq!(Stamp::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn age_is_counted_from_the_stamp_to_now() {
        let at = |text| Stamp::parse(text).unwrap();
        let (old, now) = (at("2026-03-07 13:59:59"), at("2026-03-07 14:15:00"));
        assert!(old.is_older(Duration::from_secs(900), now));
        assert!(!old.is_older(Duration::from_secs(901), now), "exactly as old is not older");
        assert!(!now.is_older(Duration::ZERO, old), "a stamp from the future");
    }
}
