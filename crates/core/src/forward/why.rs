//! Why this upstream is asked and not that one, in words. Only for those who listen.

use std::sync::atomic::Ordering::Relaxed;

use super::{Asking, ForwardOp, Upstream};
use crate::plan::Policy;

/// Why an upstream is passed over: too many probes have failed.
pub fn down(op: &ForwardOp, upstream: &Upstream) -> String {
    format!("{}: it is down, as {} (max_fails {})", upstream.address, failures(upstream), op.plan.max_fails)
}

/// Where an upstream is asked, and how it was chosen.
pub fn asked(op: &ForwardOp, asking: &Asking, upstream: &Upstream) -> String {
    let target = upstream.target(asking.transport);
    let (number, all) = (asking.upstream + 1, op.upstreams.len());
    let by = if op.is_down(upstream) { "any, as all are down".to_owned() } else { format!("policy {}", word(op.plan.policy)) };
    format!("{} over {}, upstream {number} of {all}: {by}; {}", target.address, target.name(), failures(upstream))
}

/// What has failed since it last answered, tries of queries and probes.
fn failures(upstream: &Upstream) -> String {
    let count = |count: u32, one: &str, more: &str| (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { more }));
    let (tries, probes) = (upstream.losses.load(Relaxed), upstream.fails.load(Relaxed));
    let failed = [count(tries, "try", "tries"), count(probes, "probe", "probes")].into_iter().flatten().collect::<Vec<_>>();
    let probed = if upstream.probing.load(Relaxed) { ", and it is being probed" } else { "" };
    match &failed[..] {
        [] => format!("no failures{probed}"),
        failed => {
            let have = if tries + probes == 1 { "has" } else { "have" };
            format!("{} {have} failed since its last answer{probed}", failed.join(" and "))
        }
    }
}

/// The Corefile's word.
fn word(policy: Policy) -> &'static str {
    match policy {
        Policy::Random => "random",
        Policy::RoundRobin => "round_robin",
        Policy::Sequential => "sequential",
    }
}
