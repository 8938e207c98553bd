//! Ops that change the EDNS of a question or an answer (RFC 6891).

use crate::answer::{Answer, BytesRef, ReplyEdns};
use crate::way::{Other, Turn};

/// What the EDNS of our own making offers to clients that said nothing of it (recorded: `acl-block`).
const SIZE: u16 = 4096;
/// Option codes (RFC 5001, RFC 8914).
const NSID: u16 = 3;
const EXTENDED_ERROR: u16 = 15;

/// The same question of a client that takes datagrams of `most` octets. None: it takes no more, or said nothing of it.
pub fn lower_size(turn: &Turn<'_>, most: u16) -> Option<Other> {
    turn.request.edns.filter(|edns| edns.size > most)?;
    let mut less = Other::of(turn);
    if let Some(edns) = &mut less.request.edns {
        edns.size = most;
    }
    Some(less)
}

/// Says more about why the answer is what it is (RFC 8914). CoreDNS sets DO with it (recorded: `acl-block`).
pub fn extended_error(answer: &mut Answer, code: u16, text: &str) {
    let option = option(EXTENDED_ERROR, &[&code.to_be_bytes(), text.as_bytes()]);
    let options = answer.keep(&option);
    answer.edns = Some(ReplyEdns { size: SIZE, dnssec_ok: true, options });
}

/// Says which server this is to a client that asked for it (RFC 5001). CoreDNS sets DO with it (recorded: `nsid`). False: it did not ask.
pub fn tell_nsid(turn: &Turn<'_>, data: &[u8], answer: &mut Answer) -> bool {
    let Some(edns) = turn.request.edns.filter(|_| options(turn.options).any(|(code, _)| code == NSID)) else { return false };
    let mut told = Vec::new();
    let theirs = answer.edns.map_or(&[][..], |edns| answer.bytes(edns.options));
    // An upstream's own is not the one that was asked for.
    for (code, data) in options(theirs).filter(|(code, _)| *code != NSID) {
        told.extend(option(code, &[data]));
    }
    told.extend(option(NSID, &[data]));
    let kept = answer.edns.unwrap_or(ReplyEdns { size: edns.size, dnssec_ok: true, options: BytesRef::default() });
    answer.edns = Some(ReplyEdns { options: answer.keep(&told), ..kept });
    true
}

/// The options of an EDNS record, each with its code; they were found whole before.
pub fn options(mut data: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (&[c0, c1, l0, l1], tail) = data.split_first_chunk()?;
        let (option, rest) = tail.split_at_checked(u16::from_be_bytes([l0, l1]).into())?;
        data = rest;
        Some((u16::from_be_bytes([c0, c1]), option))
    })
}

/// An option as it is on the wire.
pub fn option(code: u16, data: &[&[u8]]) -> Vec<u8> {
    let length: usize = data.iter().map(|part| part.len()).sum();
    let mut option = Vec::with_capacity(4 + length);
    option.extend_from_slice(&code.to_be_bytes());
    option.extend_from_slice(&(length as u16).to_be_bytes());
    data.iter().for_each(|part| option.extend_from_slice(part));
    option
}
