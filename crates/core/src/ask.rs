//! The op `ask`: somebody outside the engine answers, in their own time, up to a deadline. Who that is and what they know is not known here.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::answer::Answer;
use crate::client::Ticket;
use crate::forward::reply::{self, Expected, Kind};
use crate::mailbox::{Letter, Mailbox};
use crate::metrics::Metrics;
use crate::name::{self, is_under};
use crate::plan::{self, OnFailure};
use crate::text;
use crate::way::{Other, Turn};
use crate::wire::{HEADER, QName, rcode};

/// The op, ready to run.
pub struct AskOp {
    /// The number of its counters.
    pub number: u32,
    plan: plan::AskOp,
    zones: Vec<Box<[u8]>>,
}

/// A question for somebody outside.
#[derive(Serialize)]
struct Asked<'a> {
    function: &'a str,
    name: String,
    #[serde(rename = "type")]
    qtype: String,
    class: u16,
    client: String,
    port: u16,
    transport: &'static str,
    dnssec_ok: bool,
}

/// A question on its way out. Whoever takes it answers once, or lets it fall.
pub struct Task {
    /// The question, as JSON.
    pub body: Vec<u8>,
    /// How long the query waits for it.
    pub patience: Duration,
    mailbox: Arc<Mailbox>,
    ticket: Ticket,
}

/// What was said about a question.
#[derive(Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// The op behind this one is asked.
    Next,
    /// It could not be answered: why.
    Failed(&'a str),
    /// Another question is asked of the ops behind: its type and name, in wire form.
    Ask(u16, &'a [u8]),
    /// A message that answers it; it may be kept for later if the flag says so.
    Answer(bool, &'a [u8]),
}

impl Task {
    /// A task whose answer goes to a query that waits.
    pub fn new(body: Vec<u8>, patience: Duration, mailbox: &Arc<Mailbox>, ticket: Ticket) -> Task {
        Task { body, patience, mailbox: Arc::clone(mailbox), ticket }
    }

    /// Answers; see [`Told`]. Too late an answer is forgotten.
    pub fn reply(self, told: Vec<u8>) {
        self.mailbox.post(Letter::Told(self.ticket, told));
    }
}

impl AskOp {
    /// Compiles the op; the error names what is no domain name.
    pub fn new(plan: &plan::AskOp, metrics: &Metrics) -> Result<AskOp, String> {
        let absolute = |zone: &String| name::absolute_lower(zone).map_err(|why| format!("{zone} {why}"));
        let zones = plan.zones.iter().map(absolute).collect::<Result<_, _>>()?;
        Ok(AskOp { number: metrics.calls.number(plan.function.clone()), plan: plan.clone(), zones })
    }

    /// Whether it is asked about this name.
    pub fn serves(&self, lower: &[u8]) -> bool {
        self.zones.iter().any(|zone| is_under(lower, zone))
    }

    /// Who is asked.
    pub fn function(&self) -> &str {
        &self.plan.function
    }

    /// How long a query waits for the answer.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.plan.timeout_ms.into())
    }

    /// The question as those outside get it.
    pub fn question(&self, turn: &Turn<'_>) -> Vec<u8> {
        let asked = Asked {
            function: &self.plan.function,
            name: name::Display(turn.asked.lower).to_string(),
            qtype: text::type_name(turn.request.qtype),
            class: turn.request.qclass,
            client: turn.client.address.ip().to_canonical().to_string(),
            port: turn.client.address.port(),
            transport: turn.client.transport.name(),
            dnssec_ok: turn.request.edns.is_some_and(|edns| edns.dnssec_ok),
        };
        // Strings and numbers can always be written.
        serde_json::to_vec(&asked).unwrap_or_default()
    }

    /// Whether the op behind is asked when nobody answers.
    pub fn passes_failures_on(&self) -> bool {
        self.plan.on_failure == OnFailure::Next
    }

    /// Says that nobody has answered, and why; the empty text: that is told elsewhere.
    pub fn fail(&self, why: &str, answer: &mut Answer) {
        let told = if why.is_empty() { String::new() } else { format!("plugin/python: {}: {why}", self.plan.function) };
        answer.fail(rcode::SERVFAIL, told);
    }
}

impl<'a> Told<'a> {
    /// Reads what was told: an octet that says what it is, then its contents. None: it makes no sense.
    pub fn read(told: &'a [u8]) -> Option<Told<'a>> {
        match told.split_first()? {
            (0, []) => Some(Told::Next),
            (1, why) => std::str::from_utf8(why).ok().map(Told::Failed),
            (2, rest) => {
                let (qtype, name) = rest.split_first_chunk()?;
                let whole = QName::parse(name).is_some_and(|parsed| parsed.wire().len() == name.len());
                whole.then_some(Told::Ask(u16::from_be_bytes(*qtype), name))
            }
            (flag @ 3..=4, message) if message.len() >= HEADER => Some(Told::Answer(*flag == 4, message)),
            _ => None,
        }
    }
}

/// Takes a message that answers the question of a turn.
pub fn take(message: &[u8], turn: &Turn<'_>, keep: bool, answer: &mut Answer) -> Result<(), &'static str> {
    let expected = Expected { lower: turn.asked.lower.into(), qtype: turn.request.qtype, qclass: turn.request.qclass };
    match reply::kind_of(message, &expected) {
        Kind::Reply(start) => reply::read(message, start, &turn.asked, answer)?,
        Kind::Foreign(_) => return Err("it answers another question"),
        Kind::Garbled(why) => return Err(why),
    }
    (answer.rd_cd, answer.cacheable, answer.foreign) = (None, keep, false);
    Ok(())
}

/// The records of another question's answer become those of the one that was asked.
pub fn come_back(other: &Other, turn: &Turn<'_>, answer: &mut Answer) {
    answer.rename(other.owner(), turn.asked.owner);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_or_refused() {
        assert_eq!(Told::read(&[0]), Some(Told::Next));
        assert_eq!(Told::read(b"\x01why"), Some(Told::Failed("why")));
        assert_eq!(Told::read(b"\x02\x00\x1c\x01a\x00"), Some(Told::Ask(28, b"\x01a\x00")));
        assert_eq!(Told::read(&[3; 13]), Some(Told::Answer(false, &[3; 12])));
        assert_eq!(Told::read(&[4; 13]), Some(Told::Answer(true, &[4; 12])));
        for nonsense in
            [&b""[..], b"\x00x", b"\x01\xff", b"\x02\x00", b"\x02\x00\x01\x01a", b"\x02\x00\x01\x01a\x00x", b"\x03short", b"\x09"]
        {
            assert_eq!(Told::read(nonsense), None, "{nonsense:?}");
        }
    }
}
