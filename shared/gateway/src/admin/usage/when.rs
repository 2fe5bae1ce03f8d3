//! Times, as people and programs write them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use twinlane_store::{Millis, millis};

/// A day.
pub(super) const DAY: Millis = 24 * 60 * 60 * 1000;

/// The last millisecond that RFC 3339 can write.
const LAST: Millis = 253_402_300_799_999;

/// The fewest milliseconds that are taken for a time: what is less was meant as seconds.
const LEAST: Millis = 100_000_000_000;

/// Reads milliseconds since 1970, a date (its first moment, by UTC) or a time of RFC 3339.
pub(super) fn read(text: &str) -> Option<Millis> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|ms| *ms == 0 || (LEAST..=LAST).contains(ms));
    }
    if text.len() == "2026-11-21".len() {
        return utc(&format!("{text}T00:00:00"));
    }
    let (local, ahead) = zone(text)?;
    let ms = utc(local)?.checked_add_signed(-ahead)?;
    Some(ms).filter(|ms| *ms <= LAST)
}

/// A time as RFC 3339 writes it, by UTC.
pub(super) fn write(ms: Millis) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(ms.min(LAST))).to_string()
}

/// The day that a time is in, by UTC.
pub(super) fn day(ms: Millis) -> String {
    write(ms).chars().take("2026-11-21".len()).collect()
}

fn utc(local: &str) -> Option<Millis> {
    let at: SystemTime = humantime::parse_rfc3339_weak(local).ok().filter(|_| !local.contains(['Z', '+']))?;
    Some(millis(at.duration_since(UNIX_EPOCH).ok()?))
}

/// A time without its zone, and by how many milliseconds that zone is ahead of UTC. A `+` that nobody encoded has become
/// a space.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return Some((local, 0));
    }
    let (local, zone) = text.split_at_checked(text.len().checked_sub("+01:00".len())?)?;
    let sign = match zone.as_bytes() {
        [b'+' | b' ', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    let two = |digits: &str, below: i64| digits.parse::<u8>().ok().map(i64::from).filter(|of| *of < below);
    Some((local, sign * (two(hours, 24)? * 60 + two(minutes, 60)?) * 60_000))
}

#[cfg(test)]
mod tests {
    use super::{day, read, write};

    fn check(text: &str, expected: &str) {
        assert_eq!(read(text).map(write).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn a_time_is_milliseconds_a_date_or_rfc_3339() {
        check("2026-11-21", "2026-11-21T00:00:00.000Z");
        check("2026-11-21T08:30:00Z", "2026-11-21T08:30:00.000Z");
        check("2026-11-21T08:30:00.250Z", "2026-11-21T08:30:00.250Z");
        check("2026-11-21T08:30:00+02:00", "2026-11-21T06:30:00.000Z");
        check("2026-11-21T08:30:00 02:00", "2026-11-21T06:30:00.000Z");
        check("2026-11-21T08:30:00.5-01:30", "2026-11-21T10:00:00.500Z");
        check("1795248000000", "2026-11-21T08:00:00.000Z");
        check("0", "1970-01-01T00:00:00.000Z");
        assert_eq!(day(1_795_305_599_999), "2026-11-21");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for wrong in [
            "1795248000",
            "today",
            "",
            "2026-13-01",
            "2026-11-21T08:30:00",
            "2026-11-21T08:30:00Z+02:00",
            "2026-11-21T08:30:00+2:00",
            "2026-11-21T08:30:00+24:00",
            "1970-01-01T00:00:00+01:00",
            "99999999999999999",
            "é-é-é-é-é",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
