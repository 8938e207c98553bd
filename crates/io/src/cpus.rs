//! How many workers: as many as the CPUs that this process may really use.
//!
//! Pure but for one function; the texts are the kernel's (cgroups(7)).

use std::fs;

use crate::sys;

/// The CPUs that we may run on, or fewer where a cgroup gives us less time than that.
pub fn worker_count() -> usize {
    let read = |path: &str| fs::read_to_string(path).ok();
    let cgroups = read("/proc/self/cgroup").unwrap_or_default();
    workers_for(sys::allowed_cpus(), &cgroups, read)
}

/// `cgroups` is the text of /proc/self/cgroup, `read` gives the text of a file, if there is one.
fn workers_for(allowed: usize, cgroups: &str, read: impl Fn(&str) -> Option<String>) -> usize {
    let quotas = folders(cgroups).into_iter().filter_map(|folder| quota(&folder, &read));
    quotas.fold(allowed, usize::min).max(1)
}

/// Where the quotas of our cgroup and its parents may be, for both versions. The top is always among them: inside a container,
/// it is the container's own, whatever the path in /proc says.
fn folders(cgroups: &str) -> Vec<String> {
    let mut folders = Vec::new();
    for line in cgroups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let roots: &[&str] = match controllers {
            "" => &["/sys/fs/cgroup"],
            _ if controllers.split(',').any(|controller| controller == "cpu") => &["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"],
            _ => continue,
        };
        let parents = path.match_indices('/').map(|(end, _)| &path[..end]).chain([path.trim_end_matches('/')]);
        let parents: Vec<&str> = parents.collect();
        folders.extend(roots.iter().flat_map(|root| parents.iter().map(move |parent| format!("{root}{parent}"))));
    }
    folders
}

/// CPUs of time that one cgroup gives, rounded up: half a CPU more is worth a thread more.
fn quota(folder: &str, read: impl Fn(&str) -> Option<String>) -> Option<usize> {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let (time, period) = match read(&format!("{folder}/cpu.max")) {
        Some(limit) => {
            let (time, period) = limit.trim().split_once(' ')?;
            (number(time)?, number(period)?)
        }
        // Version 1; -1 is no limit, and no number.
        None => (number(&read(&format!("{folder}/cpu.cfs_quota_us"))?)?, number(&read(&format!("{folder}/cpu.cfs_period_us"))?)?),
    };
    if period == 0 { None } else { Some(time.div_ceil(period)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers(allowed: usize, cgroups: &str, files: &[(&str, &str)]) -> usize {
        let read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        workers_for(allowed, cgroups, read)
    }

    #[test]
    fn without_a_quota_every_allowed_cpu_has_a_worker() {
        assert_eq!(workers(8, "0::/\n", &[("/sys/fs/cgroup/cpu.max", "max 100000\n")]), 8);
        assert_eq!(workers(8, "", &[]), 8);
        assert_eq!(workers(8, "3:cpu,cpuacct:/\n", &[("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")]), 8);
    }

    #[test]
    fn a_quota_is_rounded_up() {
        for (limit, count) in [("5000 100000", 1), ("100000 100000", 1), ("150000 100000", 2), ("900000 100000", 8)] {
            assert_eq!(workers(8, "0::/\n", &[("/sys/fs/cgroup/cpu.max", limit)]), count);
        }
    }

    #[test]
    fn the_smallest_quota_of_all_parents_counts() {
        let files = [("/sys/fs/cgroup/pods/cpu.max", "200000 100000"), ("/sys/fs/cgroup/pods/one/cpu.max", "max 100000")];
        assert_eq!(workers(8, "0::/pods/one\n", &files), 2);
    }

    #[test]
    fn version_1_is_read_from_the_path_or_from_the_top_of_a_container() {
        let cgroups = "4:memory:/\n3:cpu,cpuacct:/kubepods/pod1\n";
        for folder in ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct/kubepods/pod1"] {
            let (quota, period) = (format!("{folder}/cpu.cfs_quota_us"), format!("{folder}/cpu.cfs_period_us"));
            assert_eq!(workers(8, cgroups, &[(&quota, "250000\n"), (&period, "100000\n")]), 3);
        }
    }
}
