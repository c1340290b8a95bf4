//! The number of workers that this process may keep busy.

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the number of usable CPUs: the CPUs of the affinity mask, or the cgroup's quota (rounded
/// up) if that is less.
pub fn usable() -> usize {
    let affinity = affinity().unwrap_or(1);
    quota().map_or(affinity, |quota| affinity.min(quota)).max(1)
}

fn affinity() -> Option<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).ok()?;
    Some((0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).count())
}

/// Returns the smallest quota of this process's cgroup and of the cgroups above it, in whole CPUs.
fn quota() -> Option<usize> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = Path::new("/sys/fs/cgroup");
    let mut group: PathBuf = root.join(path);
    let mut least = None;
    while group.starts_with(root) {
        if let Some(cpus) = fs::read_to_string(group.join("cpu.max")).ok().and_then(|s| parse(&s)) {
            least = Some(least.map_or(cpus, |least: usize| least.min(cpus)));
        }
        group.pop();
    }
    least
}

/// Reads `cpu.max`: `QUOTA PERIOD` in microseconds, or `max PERIOD` where there is no quota.
fn parse(cpu_max: &str) -> Option<usize> {
    let mut words = cpu_max.split_whitespace();
    let quota: u64 = words.next()?.parse().ok()?;
    let period: u64 = words.next()?.parse().ok()?;
    (period > 0).then(|| quota.div_ceil(period).max(1) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_rounded_up_to_whole_cpus_and_max_is_none() {
        assert_eq!(parse("150000 100000\n"), Some(2));
        assert_eq!(parse("5000 100000\n"), Some(1));
        assert_eq!(parse("max 100000\n"), None);
        assert_eq!(parse("garbage"), None);
    }

    #[test]
    fn at_least_one_cpu_is_usable() {
        assert!(usable() >= 1);
    }
}
