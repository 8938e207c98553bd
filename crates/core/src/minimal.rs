//! The op `minimal`: answers without what nobody asked for.

use crate::answer::Answer;
use crate::wire::{Request, rcode, rtype};

const OPCODE_QUERY: u8 = 0;

/// Leaves out the authority and additional sections of an answer that is neither a denial, a failure nor a delegation. False: it is.
pub fn minimise(request: &Request, answer: &mut Answer) -> bool {
    let is_meta = request.opcode != OPCODE_QUERY || matches!(request.qtype, rtype::AXFR | rtype::IXFR);
    let says_why = answer.authority.iter().any(|rr| matches!(rr.rtype, rtype::SOA | rtype::NS));
    if is_meta || answer.rcode != rcode::NOERROR || answer.answer.is_empty() && says_why {
        return false;
    }
    answer.authority.clear();
    answer.additional.clear();
    answer.edns = None;
    true
}
