//! What a cache found and what it keeps, in words. Only for those who listen.

use std::time::Duration;

use super::Kept;
use super::rules::{Class, Judgement};
use crate::answer::Answer;
use crate::plan::{CacheOp, Prefetch, StaleMode};
use crate::text;
use crate::wire::rcode;

/// An entry that is used: since when it is there, what is left of its time, and whether it is to be renewed ahead of its end.
pub fn hit(op: &CacheOp, kept: &Kept, left: i64, now: Duration) -> String {
    let prefetch = op.prefetch.as_ref().map_or_else(|| "prefetch is off".to_owned(), |prefetch| renewal(prefetch, kept, left, now));
    let ttl = if op.keepttl { "; keepttl: its TTLs do not sink" } else { "" };
    format!("{}, {left} s left: not stale; {prefetch}{ttl}", since(kept, now))
}

/// An entry past its time that can still be used.
pub fn stale(op: &CacheOp, kept: &Kept, left: i64, now: Duration) -> String {
    let how = op.serve_stale.as_ref().map_or_else(String::new, |stale| {
        let first = match (stale.mode, stale.timeout_ms) {
            (StaleMode::Immediate, _) => "is used at once, and renewed then".to_owned(),
            (StaleMode::Verify, 0) => "is used if nothing better comes".to_owned(),
            (StaleMode::Verify, most) => format!("is used if nothing better comes within {most} ms"),
        };
        format!("; within {} s it {first} (serve_stale)", stale.window)
    });
    format!("{}, over for {} s: stale{how}", since(kept, now), -left)
}

/// There is nothing to be used; `old`: what is there nevertheless, and what is left of its time.
pub fn miss(op: &CacheOp, old: Option<(&Kept, i64)>, now: Duration) -> String {
    match (old, &op.serve_stale) {
        (None, _) => "nothing is kept for this question; the next directive is asked".to_owned(),
        (Some((kept, left)), None) => format!("{}, over for {} s; the next directive is asked", since(kept, now), -left),
        (Some((kept, left)), Some(stale)) => {
            format!("{}, over for {} s, more than {} s (serve_stale); the next directive is asked", since(kept, now), -left, stale.window)
        }
    }
}

/// How long an answer is kept, as what, and without how many of its records.
pub fn time(judgement: &Judgement, dropped: u64) -> String {
    let without = match dropped {
        0 => String::new(),
        1 => ", without 1 record that does not belong to the question".to_owned(),
        more => format!(", without {more} records that do not belong to the question"),
    };
    format!("for {} s as a {}{without}", judgement.ttl, word(judgement.class))
}

/// Why an answer that came from elsewhere is not kept, as far as the answer itself says it.
pub fn refusal(judgement: &Judgement, answer: &Answer) -> String {
    match (answer.rcode, judgement.class) {
        _ if answer.tc => "it is cut".to_owned(),
        (_, Class::Failure) if judgement.ttl == 0 => "failures are not kept (servfail 0)".to_owned(),
        (rcode::NXDOMAIN, _) if answer.answer.is_empty() && judgement.ttl > 0 => "no SOA of its zone says for how long".to_owned(),
        (rcode::NOERROR, _) if judgement.ttl > 0 => "its records do not answer the question".to_owned(),
        (rcode::NOERROR | rcode::NXDOMAIN, _) if judgement.ttl == 0 => "its TTL is 0".to_owned(),
        (other, _) => format!("{} is not kept", text::rcode_name(other)),
    }
}

fn since(kept: &Kept, now: Duration) -> String {
    let age = now.saturating_sub(kept.stored).as_secs();
    format!("{} kept {age} s ago for {} s", word(kept.class), kept.ttl)
}

/// Whether one question more has it renewed.
fn renewal(prefetch: &Prefetch, kept: &Kept, left: i64, now: Duration) -> String {
    let (hits, threshold) = (kept.hits(now, Duration::from_secs(prefetch.duration.into())) + 1, kept.threshold(prefetch.percentage));
    let due = match hits >= prefetch.amount && left <= threshold {
        _ if kept.is_refreshing() => "is under way",
        true => "is due",
        false => "is not due",
    };
    format!("prefetch {due} (wants {} questions, this is number {hits}, and at most {threshold} s left)", prefetch.amount)
}

fn word(class: Class) -> &'static str {
    match class {
        Class::Success => "success",
        Class::Denial => "denial",
        Class::Failure => "failure",
    }
}
