//! The op `header`: flags that are set or cleared in questions on their way in and in answers on their way out.

use crate::answer::Answer;
use crate::plan::Flags;
use crate::way::{Other, Turn};
use crate::wire::Request;

/// The same question with other flags. None: it has them.
pub fn change_question(flags: &Flags, turn: &Turn<'_>) -> Option<Other> {
    let mut request = *turn.request;
    request.aa = flags.aa.unwrap_or(request.aa);
    request.ra = flags.ra.unwrap_or(request.ra);
    request.rd = flags.rd.unwrap_or(request.rd);
    let mut other = (request != *turn.request).then(|| Other::of(turn))?;
    other.request = request;
    Some(other)
}

/// Which flags of a question are others now, for people.
pub fn tell(before: &Request, after: &Request) -> String {
    let flags = [("aa", before.aa, after.aa), ("ra", before.ra, after.ra), ("rd", before.rd, after.rd)];
    let changed = flags.into_iter().filter(|(_, before, after)| before != after);
    changed.map(|(flag, before, after)| format!("{flag} {} → {}", u8::from(before), u8::from(after))).collect::<Vec<_>>().join("; ")
}

/// An answer has the RD of the question that it answers, even where that was changed (RFC 1035 4.1.1; recorded: `header-plugin`).
pub fn come_back(asked: &Other, answer: &mut Answer) {
    answer.rd_cd.get_or_insert((asked.request.rd, asked.request.cd));
}

/// Changes the flags of an answer. What nobody could answer has none.
pub fn change_answer(flags: &Flags, turn: &Turn<'_>, answer: &mut Answer) {
    if answer.failure.is_some() {
        return;
    }
    answer.aa = flags.aa.unwrap_or(answer.aa);
    answer.ra = flags.ra.unwrap_or(answer.ra);
    if let Some(rd) = flags.rd {
        let (_, cd) = answer.rd_cd.unwrap_or((turn.request.rd, turn.request.cd));
        answer.rd_cd = Some((rd, cd));
    }
}
