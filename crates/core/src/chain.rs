//! The chain of aliases in an answer: from the name that was asked for to where its records should be (RFC 1034 3.6.2).

use smallvec::SmallVec;

use crate::answer::{Answer, NameRef, Rdata, Rr};
use crate::wire::rtype;
use crate::zone::Asked;

/// The longest chain that is followed.
const MOST_ALIASES: usize = 32;

/// The names on the chain, the asked one first; each is the alias of the next.
pub struct Chain {
    /// There is always one.
    pub names: SmallVec<[NameRef; 4]>,
    /// How it ends.
    pub end: End,
}

/// How a chain ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// At a name that is no alias.
    Name,
    /// At an alias of a name that is on it already; what is behind is never reached.
    Circle,
    /// At a name that is the alias of several (RFC 2181 10.1), or after too many.
    Nowhere,
}

impl Chain {
    /// Follows the aliases of the answer section. In the worst case every owner is compared with each name.
    pub fn of(answer: &Answer, asked: &Asked<'_>, qclass: u16) -> Chain {
        let mut names: SmallVec<[NameRef; 4]> = SmallVec::new();
        names.push(asked.owner);
        while names.len() <= MOST_ALIASES {
            let at = names[names.len() - 1];
            let mut target: Option<NameRef> = None;
            let mut is_here = in_a_row(|owner| is(answer, owner, at));
            for rr in answer.answer.iter().filter(|rr| rr.rtype == rtype::CNAME && is_of_class(rr, qclass) && is_here(rr.owner)) {
                let Rdata::Name(alias) = rr.rdata else { continue };
                if target.is_some_and(|other| !is(answer, other, alias)) {
                    return Chain { names, end: End::Nowhere };
                }
                target = Some(alias);
            }
            let Some(next) = target else { return Chain { names, end: End::Name } };
            if names.iter().any(|name| is(answer, *name, next)) {
                return Chain { names, end: End::Circle };
            }
            names.push(next);
        }
        Chain { names, end: End::Nowhere }
    }

    /// Where it ends.
    pub fn last(&self) -> NameRef {
        *self.names.last().expect("it begins with a name")
    }
}

/// Whether two names are the same.
pub fn is(answer: &Answer, one: NameRef, other: NameRef) -> bool {
    one == other || answer.name(one).eq_ignore_ascii_case(answer.name(other))
}

/// The same test of owners, made once for records in a row that share theirs: a reply has room for thousands of these.
pub fn in_a_row(is_so: impl Fn(NameRef) -> bool) -> impl FnMut(NameRef) -> bool {
    let mut last = None;
    move |owner| match last {
        Some((known, so)) if known == owner => so,
        _ => {
            let so = is_so(owner);
            last = Some((owner, so));
            so
        }
    }
}

/// Whether a question of this class is about such a record.
pub fn is_of_class(rr: &Rr, qclass: u16) -> bool {
    qclass == rtype::ANY || rr.class == qclass
}
