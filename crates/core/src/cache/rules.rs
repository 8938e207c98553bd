//! What may be kept, as what, and for how long (RFC 2308; where CoreDNS does otherwise, as recorded: `cache-*`).

use crate::answer::{Answer, NameRef, Rdata, Rr};
use crate::plan;
use crate::wire::{rcode, rtype};
use crate::zone::Asked;

/// Seconds for answers without a record that could say it.
const NO_TTL: u32 = 5;
/// The longest chain of aliases that is followed in an answer.
const MAX_CHAIN: usize = 32;
const OPCODE_QUERY: u8 = 0;

/// What an answer counts as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Records, or at least no denial.
    Success,
    /// The name or the type does not exist.
    Denial,
    /// A failure of the server asked.
    Failure,
}

/// What becomes of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// What it counts as.
    pub class: Class,
    /// The one TTL of its records.
    pub ttl: u32,
    /// It may be kept.
    pub keep: bool,
    /// It has records for the question.
    pub answering: bool,
    /// A resolver may put it in the place of stale data (RFC 8767 4).
    pub renews: bool,
}

/// Judges an answer to `asked`.
pub fn judge(op: &plan::CacheOp, asked: &Asked<'_>, qtype: u16, qclass: u16, opcode: u8, answer: &Answer) -> Judgement {
    let soa = answer.authority.iter().any(|rr| rr.rtype == rtype::SOA);
    let answering = answer.rcode == rcode::NOERROR && answers(answer, asked.owner, asked.name, qtype, qclass);
    let is_transfer = opcode != OPCODE_QUERY || matches!(qtype, rtype::AXFR | rtype::IXFR);
    let limits = |class: &plan::CacheClass, ttl: u32| ttl.max(class.min_ttl).min(class.max_ttl);
    let success = |ttl: u32| (Class::Success, limits(&op.success, ttl));
    let denial = |ttl: u32| (Class::Denial, limits(&op.denial, ttl));
    let empty = answer.answer.is_empty();
    let ((class, ttl), keep) = match answer.rcode {
        _ if is_transfer => (success(NO_TTL), false),
        // An alias that leads nowhere is a denial where an SOA bounds it, else an incomplete answer.
        rcode::NOERROR if soa && !answering => (denial(least_ttl(answer, op.denial.max_ttl)), true),
        rcode::NOERROR if !empty => (success(least_ttl(answer, op.success.max_ttl)), answering),
        rcode::NOERROR if answer.authority.iter().any(|rr| rr.rtype == rtype::NS) => (success(NO_TTL), true),
        rcode::NOERROR => (success(least_ttl(answer, op.success.max_ttl)), true),
        rcode::NXDOMAIN if empty => (denial(least_ttl(answer, op.denial.max_ttl)), soa),
        rcode::SERVFAIL | rcode::NOTIMP => ((Class::Failure, op.servfail), true),
        _ => (success(NO_TTL), false),
    };
    let renews = !answer.tc && !is_transfer && (answer.rcode == rcode::NOERROR || answer.rcode == rcode::NXDOMAIN && empty);
    Judgement { class, ttl, keep: keep && ttl > 0 && !answer.tc, answering, renews }
}

/// The lowest TTL of all sections, `most` at the most.
fn least_ttl(answer: &Answer, most: u32) -> u32 {
    let records = || answer.answer.iter().chain(&answer.authority).chain(&answer.additional);
    if records().next().is_none() { NO_TTL } else { records().map(|rr| rr.ttl).fold(most, u32::min) }
}

/// Whether the records answer the question: the type stands at the end of the one chain of aliases that begins at the name.
fn answers(answer: &Answer, owner: NameRef, name: &[u8], qtype: u16, qclass: u16) -> bool {
    let records = &answer.answer;
    let of_class = |rr: &Rr| qclass == rtype::ANY || rr.class == qclass;
    let is_at = |rr: &Rr, at: (NameRef, &[u8])| rr.owner == at.0 || answer.name(rr.owner).eq_ignore_ascii_case(at.1);
    let mut at = (owner, name);
    if qtype == rtype::ANY {
        return records.iter().any(|rr| of_class(rr) && is_at(rr, at));
    }
    for _ in 0..MAX_CHAIN {
        let mut target: Option<NameRef> = None;
        for rr in records.iter().filter(|rr| rr.rtype == rtype::CNAME && of_class(rr) && is_at(rr, at)) {
            let Rdata::Name(alias) = rr.rdata else { continue };
            if target.is_some_and(|other| !answer.name(other).eq_ignore_ascii_case(answer.name(alias))) {
                return false;
            }
            target = Some(alias);
        }
        match target {
            _ if qtype == rtype::CNAME => return target.is_some(),
            Some(alias) => at = (alias, answer.name(alias)),
            None => return records.iter().any(|rr| rr.rtype == qtype && of_class(rr) && is_at(rr, at)),
        }
    }
    false
}
