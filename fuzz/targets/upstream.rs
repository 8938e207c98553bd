//! Any octets as the reply of an upstream: an error, or an answer that is a message which fits.
#![no_main]

use core_dns::answer::{Answer, QNAME};
use core_dns::forward::reply::{Expected, Kind, head_of, kind_of, read};
use core_dns::wire::{self, HEADER, Parsed, QName};
use core_dns::zone::Asked;
use domain::base::Message;
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the core's tests use the rest")]
#[path = "../../crates/core/tests/answers/ask.rs"]
mod ask;

/// What clients take: without and with EDNS, over UDP and over TCP.
const LIMITS: [(Option<u16>, usize); 4] = [(None, 512), (Some(512), 512), (Some(1232), 1232), (Some(4096), 65535)];

fuzz_target!(|reply: &[u8]| {
    let Some(name) = reply.get(HEADER..).and_then(QName::parse) else { return };
    let Some(&[_, qtype, _, qclass]) = reply.get(HEADER + name.wire().len()..).and_then(|rest| rest.first_chunk()) else { return };
    let expected = Expected { lower: name.wire().into(), qtype: qtype.into(), qclass: qclass.into() };
    let Kind::Reply(start) = kind_of(reply, &expected) else { return };
    head_of(reply);
    for (edns, limit) in LIMITS {
        let query = query(name.wire(), [0, qtype, 0, qclass], edns);
        let Parsed::Query(parsed) = wire::parse(&query) else { panic!("a good query") };
        let mut answer = Answer::default();
        answer.begin(name.wire());
        if read(reply, start, &Asked { owner: QNAME, name: name.wire(), lower: name.wire() }, &mut answer).is_err() {
            return;
        }
        let (mut written, question) = (Vec::new(), &query[HEADER..parsed.question_end]);
        answer.write(&parsed, question, None, limit, 1480, &mut written);
        assert!(written.len() <= limit);
        ask::check_names(&written);
        let message = Message::from_octets(&written[..]).unwrap();
        let records = answer.answer.len() + answer.authority.len() + answer.additional.len() + usize::from(message.opt().is_some());
        let mut said = 0;
        for record in message.iter() {
            record.unwrap();
            said += 1;
        }
        assert!(said == records || said < records && message.header().tc());
        assert!(edns.is_none() || message.opt().is_some());
    }
});

/// A client's query.
fn query(name: &[u8], type_and_class: [u8; 4], edns: Option<u16>) -> Vec<u8> {
    let opt = edns.map_or_else(Vec::new, |size| [&[0, 0, 41], &size.to_be_bytes()[..], &[0; 6]].concat());
    [b"\x12\x34\x01\0\0\x01\0\0\0\0\0", &[u8::from(edns.is_some())][..], name, &type_and_class, &opt].concat()
}
