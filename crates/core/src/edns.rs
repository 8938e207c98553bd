//! Ops that change the EDNS of a question (RFC 6891).

use crate::way::{Other, Turn};

/// The same question of a client that takes datagrams of `most` octets. None: it takes no more, or said nothing of it.
pub fn lower_size(turn: &Turn<'_>, most: u16) -> Option<Other> {
    turn.request.edns.filter(|edns| edns.size > most)?;
    let mut less = Other::of(turn);
    if let Some(edns) = &mut less.request.edns {
        edns.size = most;
    }
    Some(less)
}
