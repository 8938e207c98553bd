//! What the system knows of this process, as metrics. The names are those of Prometheus's own clients.

use std::fs;
use std::path::Path;

use core_dns::metrics::{Family, Kind};

/// Ticks of the processor's time in a second: the same on every Linux that programs see (USER_HZ).
const TICKS: f64 = 100.0;

/// The families. What cannot be read is left out.
pub fn families() -> Vec<Family> {
    let counter = |name, help, read: Read| family(name, help, Kind::Counter, read);
    let gauge = |name, help, read: Read| family(name, help, Kind::Gauge, read);
    vec![
        counter("process_cpu_seconds_total", "Processor time of this process, in seconds.", || Some((stat(14)? + stat(15)?) / TICKS)),
        gauge("process_start_time_seconds", "When this process started, in seconds since 1970.", || {
            let boot = number_after(&read("/proc/stat")?, "btime")?;
            Some(boot + stat(22)? / TICKS)
        }),
        gauge("process_resident_memory_bytes", "Memory of this process that is really there, in octets.", || status("VmRSS:")),
        gauge("process_virtual_memory_bytes", "Addresses that this process has taken, in octets.", || status("VmSize:")),
        gauge("process_virtual_memory_max_bytes", "Addresses that this process may take, in octets.", || limit("Max address space")),
        gauge("process_max_fds", "Files that this process may have open.", || limit("Max open files")),
        gauge("process_open_fds", "Files that this process has open.", || {
            // One of them is the folder that is read.
            fs::read_dir("/proc/self/fd").ok().map(|open| open.count().saturating_sub(1) as f64)
        }),
    ]
}

type Read = fn() -> Option<f64>;

fn family(name: &'static str, help: &'static str, kind: Kind, read: Read) -> Family {
    Family::new(name, help, kind, move |samples| {
        if let Some(value) = read() {
            samples.add(&[], value);
        }
    })
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// A field of `/proc/self/stat`, counted from 1 (proc_pid_stat(5)). The second one is a name that may have spaces.
fn stat(field: usize) -> Option<f64> {
    let text = read("/proc/self/stat")?;
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(field - 3)?.parse().ok()
}

/// A size of `/proc/self/status`, which are in KiB.
fn status(name: &str) -> Option<f64> {
    number_after(&read("/proc/self/status")?, name).map(|kibibytes| kibibytes * 1024.0)
}

/// The soft limit of this name.
fn limit(name: &str) -> Option<f64> {
    let limits = read("/proc/self/limits")?;
    let word = words_after(&limits, name)?.next()?;
    // As in Prometheus's Go client.
    if word == "unlimited" { Some(u64::MAX as f64) } else { word.parse().ok() }
}

fn number_after(text: &str, name: &str) -> Option<f64> {
    words_after(text, name)?.next()?.parse().ok()
}

fn words_after<'a>(text: &'a str, name: &str) -> Option<impl Iterator<Item = &'a str>> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_files_and_a_past() {
        let value = |name: &str| {
            let text: String = families().iter().map(Family::text).collect();
            words_after(&text, &format!("{name} ")).and_then(|mut words| words.next()?.parse::<f64>().ok()).expect(name)
        };
        assert!(value("process_resident_memory_bytes") > 100_000.0);
        assert!(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
        assert!((3.0..=value("process_max_fds")).contains(&value("process_open_fds")));
        let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs_f64();
        assert!((now - 3600.0..=now + 1.0).contains(&value("process_start_time_seconds")));
        let before = value("process_cpu_seconds_total");
        while value("process_cpu_seconds_total") <= before {}
    }
}
