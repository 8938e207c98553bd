//! What may be kept, as what, and for how long (RFC 2308; where CoreDNS does otherwise, as recorded: `cache-*`).

use crate::answer::{Answer, NameRef, Rr};
use crate::chain::{Chain, End, is, is_of_class};
use crate::name::is_under;
use crate::plan;
use crate::wire::{Request, rcode, rtype};

/// Seconds for answers without a record that could say it.
const NO_TTL: u32 = 5;
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

/// Judges an answer to a question, whose chain of aliases this is.
pub fn judge(op: &plan::CacheOp, request: &Request, chain: &Chain, answer: &Answer) -> Judgement {
    let Request { qtype, qclass, opcode, .. } = *request;
    let has = |rtype: u16| answer.authority.iter().any(|rr| rr.rtype == rtype);
    // An upstream denies only what is in the zone whose SOA it shows (RFC 2308 2.2): at the end of the chain.
    let may_deny = |rr: &Rr| !answer.foreign || is_under(answer.name(chain.last()), answer.name(rr.owner));
    let soa = answer.authority.iter().any(|rr| rr.rtype == rtype::SOA && may_deny(rr));
    let answering = answer.rcode == rcode::NOERROR && answers(answer, chain, qtype, qclass);
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
        // The SOA of another zone says nothing of how long.
        rcode::NOERROR if has(rtype::NS) || has(rtype::SOA) => (success(NO_TTL), true),
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
fn answers(answer: &Answer, chain: &Chain, qtype: u16, qclass: u16) -> bool {
    let records_at = |name: NameRef| answer.answer.iter().filter(move |rr| is_of_class(rr, qclass) && is(answer, rr.owner, name));
    match qtype {
        rtype::ANY => records_at(chain.names[0]).next().is_some(),
        rtype::CNAME => chain.names.len() > 1 || chain.end == End::Circle,
        _ => chain.end == End::Name && records_at(chain.last()).any(|rr| rr.rtype == qtype),
    }
}
