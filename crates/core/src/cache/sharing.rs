//! Which EDNS options of a question let others wait for its answer: those that are about the exchange with the next server, not about
//! what is asked. What that server says to them is not kept, and no client gets it.

use crate::edns::options;

/// RFC 5001: which server is it? Empty in questions.
const NSID: u16 = 3;
/// RFC 7873: a client's part of eight octets, then what the server once gave for it.
const COOKIE: u16 = 10;
const CLIENT_COOKIE: usize = 8;
/// RFC 7828: how long may the connection be idle? Empty in questions.
const KEEPALIVE: u16 = 11;
/// RFC 7830: octets without a meaning.
const PADDING: u16 = 12;

/// Which of these options there are, as bits. None: there is another one, whose answer may be the client's own; or one of them is not as
/// it should be, to which a server may object. A server that does not take one at all does so for all who sent it, and only for these:
/// the bits belong to what tells questions apart.
pub fn shared_options(data: &[u8]) -> Option<u32> {
    options(data).try_fold(0, |known, (code, data)| {
        let bit = match (code, data.len()) {
            (NSID, 0) => 1,
            // With a server's part it may be answered that it is not the right one (5.2.3).
            (COOKIE, CLIENT_COOKIE) => 2,
            (KEEPALIVE, 0) => 4,
            (PADDING, _) => 8,
            _ => return None,
        };
        (known & bit == 0).then_some(known | bit)
    })
}
