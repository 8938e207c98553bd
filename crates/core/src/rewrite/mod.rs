//! The op `rewrite`: rules change the question on its way in, in their order, and the answer on its way out, in the other order.
//!
//! What a rule does to a question depends on that question alone. So a query that waits remembers only which rules applied; what they
//! did is found out again when the answer comes.

mod names;
mod options;
mod records;

use std::borrow::Cow;

use hashbrown::HashMap as FastMap;
use smallvec::SmallVec;

use crate::answer::{Answer, NameRef, Rdata, ReplyEdns, Rr};
use crate::edns;
use crate::labels::{Known, Labels};
use crate::name::Display;
use crate::pattern::Pattern;
use crate::plan::{self, AnswerPart};
use crate::text;
use crate::trace::{Off, Recorder};
use crate::way::{Memory, Other, Turn};
use crate::wire::{CLASS_IN, Request, rtype};

use names::{Matcher, Name, Replacement};
use options::OptionRule;
use records::{Place, Rename, rename};

/// The op, ready to run.
pub struct RewriteOp {
    rules: Vec<Rule>,
    /// The rules about one name alone, by that name.
    about: FastMap<Box<[u8]>, Vec<u32>, foldhash::fast::RandomState>,
    /// The other rules.
    others: Vec<u32>,
    /// There are rules that change the answer and not the question.
    changes_answers: bool,
}

struct Rule {
    change: Change,
    /// No rule behind this one has its turn, if it applies.
    stop: bool,
    span: u32,
}

enum Change {
    Name(NameRule),
    Type(u16, u16),
    Class(u16, u16),
    Option(OptionRule),
    /// The TTLs of the answer are between these.
    Ttl(Matcher, u32, u32),
    Rcode(Matcher, u16, u16),
    /// An alias that leads there leads elsewhere.
    Cname(Matcher, Replacement),
}

struct NameRule {
    matcher: Matcher,
    to: Replacement,
    back: Back,
    answers: Vec<AnswerRule>,
}

/// How an answer gets back the name that was asked for.
enum Back {
    /// Not by itself.
    No,
    /// The name and those below it.
    Whole,
    /// All names that end so, to this end.
    Suffix(String, String),
}

struct AnswerRule {
    place: Place,
    pattern: Pattern,
    to: Replacement,
}

/// The question while rules change it.
pub struct Draft<'a> {
    turn: &'a Turn<'a>,
    known: Known<'a>,
    name: Name<'a>,
    request: Request,
    options: Cow<'a, [u8]>,
}

/// What was asked before a rule changed it.
struct Before<'a> {
    /// The name, if it is another one now.
    name: Option<Name<'a>>,
    /// The options, if the rule is about one.
    options: Option<Cow<'a, [u8]>>,
}

/// What becomes of a question.
pub enum Outcome {
    /// It stays as it is.
    Same,
    /// This is asked instead, and that is remembered.
    Other(Other, Memory),
    /// Its name is this text, which is no name.
    NoName(String),
}

/// The answer to what was asked in between.
#[derive(Default)]
pub struct Between {
    /// The records of its answer section.
    pub answers: Vec<Rr>,
    /// It is cut.
    pub tc: bool,
}

/// The rules that applied, by number.
type Applied = SmallVec<[u32; 8]>;

impl RewriteOp {
    /// Compiles what the plan says, `labels` are those of the block; the error says what is wrong.
    pub fn new(plan: &[plan::RewriteRule], labels: &Labels) -> Result<RewriteOp, String> {
        let mut op = RewriteOp { rules: Vec::new(), about: FastMap::default(), others: Vec::new(), changes_answers: false };
        for (number, rule) in (0..).zip(plan) {
            let change = Change::new(&rule.change, labels).map_err(|why| format!("a rule of rewrite: {why}"))?;
            match change.matcher().and_then(Matcher::exact) {
                Some(name) => op.about.entry(name.into()).or_default().push(number),
                None => op.others.push(number),
            }
            op.changes_answers |= matches!(change, Change::Ttl(..) | Change::Rcode(..) | Change::Cname(..));
            op.rules.push(Rule { change, stop: rule.stop, span: rule.span });
        }
        Ok(op)
    }

    /// Whether a rule may be about a name: most questions pass here.
    #[inline]
    pub fn may_be_about(&self, name: &[u8]) -> bool {
        self.next(0, name).is_some()
    }

    /// Whether answers may change to questions that went on as they came.
    #[inline]
    pub fn changes_answers(&self) -> bool {
        self.changes_answers
    }

    /// Changes a question on its way in.
    pub fn before<R: Recorder>(&self, turn: &Turn<'_>, known: Known<'_>, answer: &mut Answer, recorder: &mut R) -> Outcome {
        let Some(first) = self.next(0, turn.asked.lower) else { return Outcome::Same };
        let (mut draft, mut applied) = (Draft::new(turn, known), Applied::new());
        if let Err(text) = self.walk(first, &mut draft, &mut applied, recorder) {
            return Outcome::NoName(text);
        }
        // A name may become itself, so that its answer is changed.
        let is_named = |number: &u32| matches!(self.rules[*number as usize].change, Change::Name(_));
        if draft.is_unchanged() && !applied.iter().any(is_named) {
            return Outcome::Same;
        }
        Outcome::Other(draft.finish(answer), remember(applied.len() as u32, &applied))
    }

    /// Changes an answer on its way out. `changed` is what the rules made of the turn's question, and what [`RewriteOp::before`] or an earlier
    /// call has left in memory; `between` is the answer to what that call wanted to ask. What comes back is to be asked in between.
    pub fn after<R: Recorder>(
        &self,
        changed: Option<(&Other, Memory)>,
        mut between: Option<Between>,
        turn: &Turn<'_>,
        known: Known<'_>,
        answer: &mut Answer,
        recorder: &mut R,
    ) -> Option<(Other, Memory)> {
        let mut draft = Draft::new(turn, known);
        let mut befores = Vec::new();
        let (asked, left, applied) = match changed {
            Some((asked, memory)) => {
                let (left, applied) = (memory[0], Applied::from(&memory[1..]));
                for number in &applied[..left as usize] {
                    // It applied before, and does now, unless a label of the metadata has lost its value since.
                    befores.push(self.rules[*number as usize].change.apply(&mut draft).ok().flatten());
                }
                if between.is_none() {
                    let mut rules = applied.iter().rev().map(|number| &self.rules[*number as usize]);
                    let was = rules
                        .find(|rule| matches!(rule.change, Change::Option(_)))
                        .map(|rule| recorder.way_out("rewrite", rule.span, answer));
                    self.tell_options(asked, &applied, &befores, answer);
                    if let Some(was) = was {
                        recorder.changed_or_not_told(was, answer);
                    }
                }
                (Some(asked), left, applied)
            }
            None => {
                // The question went on as it came: then the same rules apply now.
                let first = self.next(0, turn.asked.lower)?;
                let mut applied = Applied::new();
                self.walk(first, &mut draft, &mut applied, &mut Off).ok()?;
                (None, applied.len() as u32, applied)
            }
        };
        let mut name = draft.name;
        for at in (0..left as usize).rev() {
            let rule = &self.rules[applied[at] as usize];
            let before = befores.pop().flatten();
            let was = recorder.way_out("rewrite", rule.span, answer);
            match &rule.change {
                Change::Name(names) => {
                    if let Some(before) = before.and_then(|before| before.name) {
                        let after = std::mem::replace(&mut name, before);
                        if names.changes_answers() {
                            let known = asked.filter(|asked| *asked.lower() == *after.wire()).map(Other::owner);
                            names.change_answer(&name, &after, known, turn, answer);
                        }
                    }
                }
                Change::Cname(matcher, to) => match (between.take(), find_alias(matcher, to, answer)) {
                    (Some(between), Some((at, target))) => follow_alias(at, &target, between, answer),
                    (None, Some((_, target))) => {
                        recorder.note("asks", || format!("{} in place of the alias's target", Display(&target)));
                        let mut other = asked.cloned().unwrap_or_else(|| Other::of(turn)).about(&target, answer);
                        other.request.qclass = CLASS_IN;
                        return Some((other, remember(at as u32 + 1, &applied)));
                    }
                    (_, None) => {}
                },
                Change::Ttl(_, least, most) => {
                    for rr in answer.answer.iter_mut().chain(&mut answer.authority).chain(&mut answer.additional) {
                        rr.ttl = rr.ttl.clamp(*least, *most);
                    }
                }
                Change::Rcode(_, from, to) if answer.rcode == *from => answer.rcode = *to,
                Change::Rcode(..) | Change::Type(..) | Change::Class(..) | Change::Option(_) => {}
            }
            recorder.changed_or_not_told(was, answer);
        }
        None
    }

    /// The rules in their order from `first` on, each on what the ones before have made of the question.
    fn walk<'a, R: Recorder>(&'a self, first: u32, draft: &mut Draft<'a>, applied: &mut Applied, recorder: &mut R) -> Result<(), String> {
        let mut next = Some(first);
        while let Some(number) = next {
            let rule = &self.rules[number as usize];
            if let Some(before) = rule.change.apply(draft)? {
                recorder.op("rewrite", rule.span);
                recorder.note("changes", || rule.change.tell(&before, draft));
                applied.push(number);
                if rule.stop {
                    break;
                }
            }
            next = self.next(number + 1, draft.name.wire());
        }
        Ok(())
    }

    /// The first rule from `at` on that may be about a name.
    fn next(&self, at: u32, name: &[u8]) -> Option<u32> {
        let first = |rules: &[u32]| rules.get(rules.partition_point(|rule| *rule < at)).copied();
        let about = if self.about.is_empty() { None } else { self.about.get(name).and_then(|rules| first(rules)) };
        [about, first(&self.others)].into_iter().flatten().min()
    }

    /// Makes the EDNS of an answer what CoreDNS makes of it: with the size that was asked with, without the options that rules take back,
    /// and with the question's own options where nobody has said any (recorded: `rewrite-edns0-*`).
    fn tell_options(&self, asked: &Other, applied: &[u32], befores: &[Option<Before<'_>>], answer: &mut Answer) {
        let Some(edns) = asked.request.edns.filter(|_| self.rules.iter().any(|rule| matches!(rule.change, Change::Option(_)))) else {
            return;
        };
        let is_echoed =
            |code| self.rules.iter().any(|rule| matches!(&rule.change, Change::Option(rule) if rule.is_echoed && rule.code == code));
        let mut told = match answer.edns {
            Some(theirs) => answer.bytes(theirs.options).to_vec(),
            None => edns::options(&asked.options)
                .filter(|(code, _)| is_echoed(*code))
                .flat_map(|(code, data)| edns::option(code, &[data]))
                .collect(),
        };
        for (number, before) in applied.iter().zip(befores).rev() {
            let options = before.as_ref().and_then(|before| before.options.as_ref());
            if let (Change::Option(rule), Some(options)) = (&self.rules[*number as usize].change, options) {
                told = rule.take_back(options, told);
            }
        }
        let dnssec_ok = answer.edns.is_some_and(|theirs| theirs.dnssec_ok) || edns.dnssec_ok;
        answer.edns = Some(ReplyEdns { size: edns.size, dnssec_ok, options: answer.keep(&told) });
    }
}

/// The memory of rules that applied: of how many the effects on the answer are still to come, then which they are.
fn remember(left: u32, applied: &[u32]) -> Memory {
    [&[left], applied].concat()
}

impl Change {
    fn new(plan: &plan::Rewrite, labels: &Labels) -> Result<Change, String> {
        Ok(match plan {
            plan::Rewrite::Name { name, to, auto, answers } => Change::Name(NameRule::new(name, to, *auto, answers)?),
            plan::Rewrite::Type { from, to } => Change::Type(*from, *to),
            plan::Rewrite::Class { from, to } => Change::Class(*from, *to),
            plan::Rewrite::Option(change) => Change::Option(OptionRule::new(change, labels)?),
            plan::Rewrite::Ttl { least, most, .. } if least > most => return Err(format!("{least} is more than {most}")),
            plan::Rewrite::Ttl { name, least, most } => Change::Ttl(Matcher::new(name)?, *least, *most),
            plan::Rewrite::Rcode { name, from, to } => Change::Rcode(Matcher::new(name)?, *from, *to),
            plan::Rewrite::Cname { name, to } => Change::Cname(Matcher::new(name)?, Replacement::new(to)),
        })
    }

    /// Which questions it is about, if that depends on their names.
    fn matcher(&self) -> Option<&Matcher> {
        match self {
            Change::Name(NameRule { matcher, .. }) | Change::Ttl(matcher, ..) | Change::Rcode(matcher, ..) => Some(matcher),
            Change::Type(..) | Change::Class(..) | Change::Option(_) | Change::Cname(..) => None,
        }
    }

    /// Changes the question. None: it is not about it. The error is a text that is no name.
    fn apply<'a>(&'a self, draft: &mut Draft<'a>) -> Result<Option<Before<'a>>, String> {
        let mut before = Before { name: None, options: None };
        let applies = match self {
            Change::Name(rule) => match rule.matcher.replace(&draft.name, &rule.to) {
                Some(name) => {
                    before.name = Some(std::mem::replace(&mut draft.name, name?));
                    true
                }
                None => false,
            },
            Change::Type(from, to) => replace(&mut draft.request.qtype, *from, *to),
            Change::Class(from, to) => replace(&mut draft.request.qclass, *from, *to),
            Change::Option(rule) => {
                before.options = Some(draft.options.clone());
                rule.apply(draft)
            }
            Change::Ttl(matcher, ..) | Change::Rcode(matcher, ..) => matcher.matches(&draft.name),
            Change::Cname(..) => true,
        };
        Ok(applies.then_some(before))
    }

    /// What it did, for people.
    fn tell(&self, before: &Before<'_>, draft: &Draft<'_>) -> String {
        let name = || draft.name.text();
        match self {
            Change::Name(_) => format!("{} to {}", before.name.as_ref().map_or("", Name::text), name()),
            Change::Type(from, to) => format!("type {} to {}", text::type_name(*from), text::type_name(*to)),
            Change::Class(from, to) => format!("class {} to {}", text::class_name(*from), text::class_name(*to)),
            Change::Option(rule) => rule.tell(&draft.options),
            Change::Ttl(_, least, most) => format!("TTLs of the answer for {}: {least} to {most} s", name()),
            Change::Rcode(_, from, to) => format!("the answer for {}: {} to {}", name(), text::rcode_name(*from), text::rcode_name(*to)),
            Change::Cname(..) => "the answer, if an alias in it leads there".to_owned(),
        }
    }
}

fn replace(number: &mut u16, from: u16, to: u16) -> bool {
    let applies = *number == from;
    if applies {
        *number = to;
    }
    applies
}

impl NameRule {
    fn new(name: &plan::NameMatch, to: &str, auto: bool, answers: &[plan::AnswerRewrite]) -> Result<NameRule, String> {
        let back = match (auto, name.how) {
            (false, _) => Back::No,
            (true, plan::How::Suffix) => Back::Suffix(to.to_owned(), name.text.clone()),
            (true, _) => Back::Whole,
        };
        let answer = |answer: &plan::AnswerRewrite| {
            let pattern = Pattern::parse(&answer.pattern).map_err(|why| format!("{}: {why}", answer.pattern))?;
            let place = match answer.part {
                AnswerPart::Name => Place::Owners,
                AnswerPart::Value => Place::Values,
            };
            Ok(AnswerRule { place, pattern, to: Replacement::new(&answer.to) })
        };
        let answers = answers.iter().map(answer).collect::<Result<_, String>>()?;
        Ok(NameRule { matcher: Matcher::new(name)?, to: Replacement::new(to), back, answers })
    }

    fn changes_answers(&self) -> bool {
        !matches!(self.back, Back::No) || !self.answers.is_empty()
    }

    /// Undoes the change in the records of the answer; `known` is where the changed name is in it, if that is known.
    fn change_answer(&self, before: &Name<'_>, after: &Name<'_>, known: Option<NameRef>, turn: &Turn<'_>, answer: &mut Answer) {
        for AnswerRule { place, pattern, to } in self.answers.iter().rev() {
            rename(answer, *place, &Rename::Pattern(pattern, to), None);
        }
        let to = match *before.wire() == *turn.asked.lower {
            true => turn.asked.owner,
            false => answer.intern(&[before.wire()]),
        };
        let back = match &self.back {
            Back::No => return,
            Back::Suffix(from, to) => Rename::Suffix(from, to),
            Back::Whole => Rename::Whole(after.wire(), to),
        };
        let known = known.map(|known| (known, to));
        rename(answer, Place::Values, &back, known);
        rename(answer, Place::Owners, &back, known);
    }
}

/// The first alias that leads to a name that a rule is about, and where it is to lead.
fn find_alias(matcher: &Matcher, to: &Replacement, answer: &Answer) -> Option<(usize, Box<[u8]>)> {
    answer.answer.iter().enumerate().filter(|(_, rr)| rr.rtype == rtype::CNAME).find_map(|(at, rr)| {
        let Rdata::Name(target) = rr.rdata else { return None };
        let found = matcher.replace(&Name::new(answer.name(target).to_ascii_lowercase()), to)?;
        Some((at, found.ok()?.wire().into()))
    })
}

/// Lets an alias lead elsewhere: the aliases before it stay, and what was found there stands behind it.
fn follow_alias(at: usize, target: &[u8], between: Between, answer: &mut Answer) {
    answer.answer[at].rdata = Rdata::Name(answer.intern(&[target]));
    answer.answer.truncate(at + 1);
    answer.answer.retain(|rr| rr.rtype == rtype::CNAME);
    answer.answer.extend(between.answers);
    answer.tc = between.tc;
}

impl<'a> Draft<'a> {
    fn new(turn: &'a Turn<'a>, known: Known<'a>) -> Draft<'a> {
        Draft { turn, known, name: Name::new(turn.asked.lower), request: *turn.request, options: Cow::Borrowed(turn.options) }
    }

    fn is_unchanged(&self) -> bool {
        self.request == *self.turn.request && *self.name.wire() == *self.turn.asked.lower && *self.options == *self.turn.options
    }

    fn finish(self, answer: &mut Answer) -> Other {
        let mut other = Other::of(self.turn);
        if *self.name.wire() != *self.turn.asked.lower {
            other = other.about(self.name.wire(), answer);
        }
        (other.request, other.options) = (self.request, self.options.into_owned());
        other
    }
}
