//! The ops' turns: on the way in until one answers, on the way out for those that were passed.

use super::{Machine, Question};
use crate::acl::Access;
use crate::answer::Aside;
use crate::ask;
use crate::cache::Found;
use crate::edns::{lower_size, tell_nsid};
use crate::header::{self, change_question};
use crate::labels::Known;
use crate::minimal::minimise;
use crate::name;
use crate::program::{Block, Op, PlacedOp, Program};
use crate::rewrite::{Between, Outcome, RewriteOp};
use crate::text;
use crate::trace::Recorder;
use crate::waiting::{Hold, Purpose};
use crate::way::{Inside, Memory, Other, Way};
use crate::whoami::whoami;
use crate::wire::rcode;
use crate::zone::Said;

impl Machine {
    /// The ops from the one at hand on, until one answers or waits; if none does, it is SERVFAIL.
    pub(super) fn before<R: Recorder>(&mut self, block: &Block, question: &Question<'_>, way: &mut Way, recorder: &mut R) -> Option<Hold> {
        if way.level.at == 0 {
            recorder.block(&block.zone, block.span);
            self.debug |= block.debug;
        }
        if block.is_empty() {
            self.answer.rcode = rcode::REFUSED;
            return None;
        }
        while let Some(PlacedOp { op, span }) = block.ops.get(way.level.at) {
            match op {
                Op::Zone(op) => {
                    recorder.op("zone", *span);
                    let turn = question.turn(way);
                    if op.run(turn.request.qtype, &turn.asked, &mut self.answer, recorder) == Said::Answered {
                        return None;
                    }
                }
                Op::Records(op) => {
                    recorder.op("records", *span);
                    let turn = question.turn(way);
                    if op.run(turn.request.qtype, &turn.asked, &mut self.answer, recorder) == Said::Answered {
                        return None;
                    }
                }
                Op::Cache(op) => {
                    recorder.op("cache", *span);
                    let count = &mut self.counting.of(block, way.level.at, question);
                    match op.before(&question.turn(way), count, &mut self.answer, recorder) {
                        Found::Answer(renew) => {
                            self.renewals.extend(renew.map(|lead| way.renewal(lead)));
                            return None;
                        }
                        Found::Nothing(lead) => way.level.lead = Some(lead),
                        Found::Stale(lead, stale, patience) => return Some(Hold::Renewal { lead, stale, patience }),
                        Found::Next => {}
                    }
                }
                Op::Forward(op) => {
                    let turn = question.turn(way);
                    if op.serves(turn.asked.lower) {
                        recorder.op("forward", *span);
                        // A cache asks for AD, so that it can tell those who want to know (RFC 6840 5.7).
                        return Some(Hold::Ask(op.prepare(&turn, way.level.lead.is_some(), way.level.until)));
                    }
                }
                Op::Ask(op) => {
                    let turn = question.turn(way);
                    if op.serves(turn.asked.lower) {
                        recorder.op("ask", *span);
                        recorder.note("asks", || op.function().to_owned());
                        return Some(Hold::Tell(op.question(&turn), way.patience(op.patience(), question.now)));
                    }
                }
                Op::Cancel(patience) => {
                    recorder.op("cancel", *span);
                    way.level.until = way.level.until.min(question.now + *patience);
                }
                Op::Lookout(lookout) => {
                    if lookout.sees(&question.turn(way)) {
                        recorder.op("lookout", *span);
                        way.alone = true;
                    }
                }
                Op::Bufsize(most) => {
                    if let Some(less) = lower_size(&question.turn(way), *most) {
                        recorder.op("bufsize", *span);
                        recorder.note("changes", || format!("the client takes {} octets at the most", *most));
                        way.size = Some(*most);
                        way.change(less, Memory::new());
                    }
                }
                Op::Rewrite(op) if op.may_be_about(question.asked(way).lower) => {
                    let turn = question.turn(way);
                    let facts = question.facts_at(&turn);
                    match op.before(&turn, Known { facts: &facts, labels: &block.labels, upstream: None }, &mut self.answer, recorder) {
                        Outcome::Same => {}
                        Outcome::Other(other, memory) => way.change(other, memory),
                        Outcome::NoName(text) => {
                            self.answer.fail(rcode::SERVFAIL, format!("invalid name after rewrite: {text}"));
                            return None;
                        }
                    }
                }
                Op::Header(query, _) => {
                    let turn = question.turn(way);
                    if let Some(other) = change_question(query, &turn) {
                        recorder.op("header", *span);
                        recorder.note("changes", || header::tell(turn.request, &other.request));
                        way.change(other, Memory::new());
                    }
                }
                Op::Acl(op) => {
                    let count = &mut self.counting.of(block, way.level.at, question);
                    match op.run(&question.turn(way), count, &mut self.answer, *span, recorder) {
                        Access::Allowed => {}
                        Access::Answered => return None,
                        Access::Dropped => {
                            // Where it is the target of an alias that is not told, the rest of the answer is.
                            self.silent = !way.is_inside();
                            return None;
                        }
                    }
                }
                Op::Fixed(op) => {
                    let count = &mut self.counting.of(block, way.level.at, question);
                    if op.run(&question.turn(way), count, &mut self.answer, *span, recorder) {
                        return None;
                    }
                }
                Op::Template(op) => {
                    let turn = question.turn(way);
                    let facts = question.facts_at(&turn);
                    let known = Known { facts: &facts, labels: &block.labels, upstream: None };
                    let count = &mut self.counting.of(block, way.level.at, question);
                    if op.run(&turn, known, count, &mut self.answer, recorder) {
                        return None;
                    }
                }
                Op::Whoami => {
                    recorder.op("whoami", *span);
                    whoami(&question.turn(way), &mut self.answer);
                    return None;
                }
                Op::Nsid(_) | Op::Shuffle(_) | Op::Errors(_) | Op::Log(_) | Op::Minimal | Op::Rewrite(_) | Op::Dns64(_) => {}
            }
            way.level.at += 1;
        }
        recorder.note("failed", || "no directive of this block answered".to_owned());
        let directive = block.ops.last().map_or("errors", |last| last.op.directive());
        self.answer.fail(rcode::SERVFAIL, format!("plugin/{directive}: no next plugin found"));
        None
    }

    /// The ops before the one at hand, backwards. True: one of them asks something in between, and is at hand.
    pub(super) fn after<R: Recorder>(&mut self, program: &Program, question: &Question<'_>, way: &mut Way, recorder: &mut R) -> bool {
        let block = program.block(way.level.block);
        while way.level.at > way.level.first {
            way.level.at -= 1;
            let at = way.level.at;
            let PlacedOp { op, span } = &block.ops[at];
            match op {
                Op::Cache(op) => {
                    if let Some(lead) = way.level.lead.take_if(|lead| lead.at == at) {
                        let before = recorder.way_out("cache", *span, &self.answer);
                        let count = &mut self.counting.of(block, at, question);
                        op.after(&question.turn(way), lead, count, &mut self.answer, recorder);
                        recorder.changed(before, &self.answer);
                    }
                }
                Op::Shuffle(shuffle) if self.answer.rcode == rcode::NOERROR => {
                    let before = recorder.way_out("loadbalance", *span, &self.answer);
                    shuffle.apply(&mut self.answer, &mut self.random);
                    recorder.changed(before, &self.answer);
                }
                Op::Errors(errors) => {
                    let why = self.answer.failure.as_ref().or(self.answer.remark.as_ref());
                    if let Some(why) = why.filter(|why| !why.is_empty() && question.purpose == Purpose::Client) {
                        let turn = question.turn(way);
                        let (name, qtype) = (name::Display(turn.asked.lower), text::TypeName(turn.request.qtype));
                        let counted = errors.take(format_args!("{} {name} {qtype}", self.answer.rcode), why);
                        self.tell_failure(question.now, counted);
                    }
                }
                Op::Ask(_) => {
                    if let Some((other, _)) = way.undo() {
                        let before = recorder.way_out("ask", *span, &self.answer);
                        ask::come_back(&other, &question.turn(way), &mut self.answer);
                        recorder.changed(before, &self.answer);
                    }
                }
                Op::Nsid(data) if self.answer.failure.is_none() => {
                    let before = recorder.way_out("nsid", *span, &self.answer);
                    tell_nsid(&question.turn(way), data, &mut self.answer);
                    recorder.changed_or_not_told(before, &self.answer);
                }
                Op::Bufsize(_) => {
                    way.undo();
                }
                Op::Rewrite(op) if op.changes_answers() || way.is_changed() => {
                    if self.undo_rewrite(op, None, program, question, way, recorder) {
                        return true;
                    }
                }
                Op::Header(_, response) => {
                    let before = recorder.way_out("header", *span, &self.answer);
                    if let Some((asked, _)) = way.undo() {
                        header::come_back(&asked, &mut self.answer);
                    }
                    header::change_answer(response, &question.turn(way), &mut self.answer);
                    recorder.changed_or_not_told(before, &self.answer);
                }
                Op::Minimal => {
                    let before = recorder.way_out("minimal", *span, &self.answer);
                    minimise(question.turn(way).request, &mut self.answer);
                    recorder.changed_or_not_told(before, &self.answer);
                }
                Op::Dns64(op) if !self.silent => {
                    if let Some(other) = op.wants(&question.turn(way), &self.answer) {
                        recorder.way_out("dns64", *span, &self.answer);
                        recorder.note("asks", || "no IPv6 address is there to stay, so it asks for IPv4 addresses".to_owned());
                        if self.ask_between(program, question, way, other, recorder) {
                            return true;
                        }
                    }
                }
                Op::Zone(_)
                | Op::Records(_)
                | Op::Forward(_)
                | Op::Cancel(_)
                | Op::Lookout(_)
                | Op::Acl(_)
                | Op::Fixed(_)
                | Op::Template(_)
                | Op::Nsid(_)
                | Op::Whoami
                | Op::Shuffle(_)
                | Op::Rewrite(_)
                | Op::Dns64(_)
                | Op::Log(_) => {}
            }
        }
        false
    }

    /// Changes the answer as `rewrite` does. True: it asks something in between.
    fn undo_rewrite<R: Recorder>(
        &mut self,
        op: &RewriteOp,
        between: Option<Between>,
        program: &Program,
        question: &Question<'_>,
        way: &mut Way,
        recorder: &mut R,
    ) -> bool {
        let (asked, memory) = way.undo().unzip();
        let turn = question.turn(way);
        let facts = question.facts_at(&turn);
        let known = Known { facts: &facts, labels: &program.block(way.level.block).labels, upstream: None };
        let asks = op.after(asked.as_deref().zip(memory), between, &turn, known, &mut self.answer, recorder);
        let Some((other, memory)) = asks else { return false };
        let asked = asked.map_or_else(|| Other::of(&turn), |asked| *asked);
        way.change(asked, memory);
        // Where nobody answers there are no records.
        self.ask_between(program, question, way, other, recorder)
            || self.undo_rewrite(op, Some(Between::default()), program, question, way, recorder)
    }

    /// Enters the block of a question that the op at hand asks in between. False: there is none, or it would be one too many.
    fn ask_between<R: Recorder>(
        &mut self,
        program: &Program,
        question: &Question<'_>,
        way: &mut Way,
        other: Other,
        recorder: &mut R,
    ) -> bool {
        let block = program.block_for(&question.facts_of(&other), recorder);
        let Some(block) = block.filter(|_| way.has_room_inside()) else {
            recorder.note("refused", || "no server block has this name, or too many questions are inside each other".to_owned());
            return false;
        };
        way.enter(block.index, 0, other, Inside::Op, &mut self.answer);
        true
    }

    /// The op at hand asked something in between: it gets that answer, and the one that is aside. True: it asks once more.
    pub(super) fn take_both<R: Recorder>(
        &mut self,
        program: &Program,
        question: &Question<'_>,
        way: &mut Way,
        aside: Aside,
        recorder: &mut R,
    ) -> bool {
        let block = program.block(way.level.block);
        let PlacedOp { op, span } = &block.ops[way.level.at];
        match op {
            Op::Dns64(op) => {
                let before = recorder.way_out("dns64", *span, &self.answer);
                op.synthesise(&aside, &mut self.counting.of(block, way.level.at, question), &mut self.answer);
                recorder.changed(before, &self.answer);
                false
            }
            Op::Rewrite(op) => {
                let between = Between { answers: std::mem::take(&mut self.answer.answer), tc: self.answer.tc };
                self.answer.resume(aside);
                self.undo_rewrite(op, Some(between), program, question, way, recorder)
            }
            // No other op asks in between.
            _ => false,
        }
    }
}
