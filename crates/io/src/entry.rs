//! Lines of the log as JSON objects, for programs that read them: time, level, plugin, message, and of a query every field.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use core_dns::log::Fields;
use serde::Serialize;

/// How the log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// As CoreDNS does: `[LEVEL] plugin/NAME: MESSAGE`.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Serialize)]
struct Entry<'a> {
    time: String,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<&'a str>,
    msg: &'a str,
    #[serde(flatten)]
    query: Option<Fields>,
}

/// A line as an object. `query`: it is that of a query.
pub fn json_of(line: &str, query: Option<Fields>, now: SystemTime) -> String {
    let (level, rest) = level_of(line);
    let named = rest.strip_prefix("plugin/").and_then(|named| named.split_once(": ")).filter(|_| query.is_none());
    let (plugin, msg) = named.map_or((query.is_some().then_some("log"), rest), |(plugin, msg)| (Some(plugin), msg));
    // What consists of texts and numbers can be written.
    serde_json::to_string(&Entry { time: rfc3339(now), level, plugin, msg, query }).unwrap_or_default()
}

/// The level that a line begins with, in the words of structured logs; lines without one are the banner's.
fn level_of(line: &str) -> (&'static str, &str) {
    let levels = [("[INFO] ", "INFO"), ("[WARNING] ", "WARN"), ("[ERROR] ", "ERROR"), ("[DEBUG] ", "DEBUG"), ("[FATAL] ", "FATAL")];
    levels.into_iter().find_map(|(word, level)| Some((level, line.strip_prefix(word)?))).unwrap_or(("INFO", line))
}

/// A time in UTC with milliseconds (RFC 3339).
fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Years are counted from March, so that the leap day is the last one; 400 of them have 146,097 days.
    let day = days + 719_468;
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second, millis) = (second / 3600, second / 60 % 60, second % 60, since.subsec_millis());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_object_with_its_level_and_plugin() {
        let read = |line: &str| serde_json::from_str::<serde_json::Value>(&json_of(line, None, UNIX_EPOCH)).unwrap();
        let time = "1970-01-01T00:00:00.000Z";
        for (line, expected) in [
            (
                "[ERROR] plugin/errors: 2 a. A: \"x\"",
                serde_json::json!({"time": time, "level": "ERROR", "plugin": "errors", "msg": "2 a. A: \"x\""}),
            ),
            ("[INFO] Reloading", serde_json::json!({"time": time, "level": "INFO", "msg": "Reloading"})),
            ("[WARNING] plugin/x", serde_json::json!({"time": time, "level": "WARN", "msg": "plugin/x"})),
            (".:53", serde_json::json!({"time": time, "level": "INFO", "msg": ".:53"})),
        ] {
            assert_eq!(read(line), expected);
        }
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (951_782_399, "2000-02-28T23:59:59.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (1_709_251_199, "2024-02-29T23:59:59.007Z"),
            (1_735_689_599, "2024-12-31T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 7)), text);
        }
    }
}
