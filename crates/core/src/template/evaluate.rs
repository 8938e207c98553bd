//! Makes the text of a template for one query. Steps and texts are bounded; what goes wrong is said in one line.

use super::data::Data;
use super::format::{format, print};
use super::functions::{compare, equal, index, length, parse_uint, slice};
use super::value::{INT, Value};
use crate::plan::{IfBranch, Piece, TemplateFunction, Term, TermConstant};

/// The most octets of a text: no record is longer.
pub const MAX_TEXT: usize = u16::MAX as usize;
/// The most steps; making a text counts as steps too.
const MAX_STEPS: usize = 10_000;
/// So many octets of a text are one step.
const OCTETS_PER_STEP: usize = 64;
/// The most variables.
pub const MAX_SLOTS: usize = 32;

/// What goes wrong.
pub type Failure = String;

/// The text of a template.
pub fn evaluate(pieces: &[Piece], data: &Data<'_>) -> Result<String, Failure> {
    let mut evaluation = Evaluation { data, slots: Vec::new(), out: String::new(), steps: 0 };
    evaluation.pieces(pieces, &Value::Data)?;
    Ok(evaluation.out)
}

struct Evaluation<'a> {
    data: &'a Data<'a>,
    slots: Vec<Value<'a>>,
    out: String,
    steps: usize,
}

/// How a part of a template ended.
#[derive(PartialEq, Eq)]
enum End {
    Reached,
    Break,
    Continue,
}

impl<'a> Evaluation<'a> {
    fn pieces(&mut self, pieces: &'a [Piece], dot: &Value<'a>) -> Result<End, Failure> {
        for piece in pieces {
            self.step(1)?;
            let end = match piece {
                Piece::Text { text } => self.write(text),
                Piece::Print { value } => {
                    let value = self.term(value, dot)?;
                    let text = if matches!(value, Value::Nothing) { "<no value>".into() } else { print(&value, self.data)? };
                    self.write(&text)
                }
                Piece::Do { value } => self.term(value, dot).map(|_| End::Reached),
                Piece::If { branches, otherwise } => self.branches(branches, otherwise, dot),
                Piece::With { value, then, otherwise } => {
                    let value = self.term(value, dot)?;
                    if value.is_true(self.data) { self.pieces(then, &value) } else { self.pieces(otherwise, dot) }
                }
                Piece::Range { value, key, item, then, otherwise } => {
                    let value = self.term(value, dot)?;
                    if self.range(&value, (*key, *item), then)? { Ok(End::Reached) } else { self.pieces(otherwise, dot) }
                }
                Piece::Break {} => return Ok(End::Break),
                Piece::Continue {} => return Ok(End::Continue),
            }?;
            if end != End::Reached {
                return Ok(end);
            }
        }
        Ok(End::Reached)
    }

    fn branches(&mut self, branches: &'a [IfBranch], otherwise: &'a [Piece], dot: &Value<'a>) -> Result<End, Failure> {
        for branch in branches {
            if self.term(&branch.value, dot)?.is_true(self.data) {
                return self.pieces(&branch.then, dot);
            }
        }
        self.pieces(otherwise, dot)
    }

    /// Goes over the items of a value. False: there were none.
    fn range(
        &mut self,
        value: &Value<'a>,
        (key_slot, item_slot): (Option<usize>, Option<usize>),
        then: &'a [Piece],
    ) -> Result<bool, Failure> {
        let items = match value {
            // Whoever counts further than that is stopped on the way.
            Value::Number(count, name) if key_slot.is_none() => {
                (0..(*count).min(MAX_STEPS as i128)).map(|number| (Value::Nothing, Value::Number(number, name))).collect()
            }
            value => value.items(self.data).ok_or_else(|| format!("range can't iterate over {}", value.type_name()))?,
        };
        let is_empty = items.is_empty();
        for (key, item) in items {
            self.step(1)?;
            for (slot, value) in [(key_slot, key), (item_slot, item.clone())] {
                if let Some(slot) = slot {
                    self.set(slot, value)?;
                }
            }
            if self.pieces(then, &item)? == End::Break {
                break;
            }
        }
        Ok(!is_empty)
    }

    fn term(&mut self, term: &'a Term, dot: &Value<'a>) -> Result<Value<'a>, Failure> {
        self.step(1)?;
        Ok(match term {
            Term::Constant { value } => match value {
                TermConstant::Truth(truth) => Value::Truth(*truth),
                TermConstant::Number(number) => Value::Number((*number).into(), INT),
                TermConstant::Text(text) => Value::Text(text.as_str().into()),
                TermConstant::Nothing(()) => Value::Nothing,
            },
            Term::Data {} => Value::Data,
            Term::Dot {} => dot.clone(),
            Term::Variable { slot } => self.slots.get(*slot).cloned().unwrap_or(Value::Nothing),
            Term::Set { slot, value } => {
                let value = self.term(value, dot)?;
                self.set(*slot, value.clone())?;
                value
            }
            Term::Field { of, name } => {
                let of = self.term(of, dot)?;
                self.data.field(&of, name).ok_or_else(|| format!("can't evaluate field {name} in type {}", of.type_name()))?
            }
            Term::Label { label } => Value::owned(self.data.label(label)),
            Term::Call { function, arguments } => {
                let value = self.call(*function, arguments, dot)?;
                if let Value::Text(text) = &value {
                    self.step(text.len() / OCTETS_PER_STEP)?;
                }
                value
            }
        })
    }

    fn call(&mut self, function: TemplateFunction, terms: &'a [Term], dot: &Value<'a>) -> Result<Value<'a>, Failure> {
        use TemplateFunction as F;
        if let F::And | F::Or = function {
            let mut last = Value::Nothing;
            for term in terms {
                last = self.term(term, dot)?;
                if last.is_true(self.data) == (function == F::Or) {
                    break;
                }
            }
            return Ok(last);
        }
        let values = terms.iter().map(|term| self.term(term, dot)).collect::<Result<Vec<_>, _>>()?;
        match (function, &values[..]) {
            (F::Not, [value]) => Ok(Value::Truth(!value.is_true(self.data))),
            (F::Eq, [first, others @ ..]) => equal(first, others).map(Value::Truth),
            (F::Ne, [first, second]) => equal(first, std::slice::from_ref(second)).map(|truth| Value::Truth(!truth)),
            (F::Lt, [first, second]) => compare(first, second).map(|order| Value::Truth(order.is_lt())),
            (F::Le, [first, second]) => compare(first, second).map(|order| Value::Truth(order.is_le())),
            (F::Gt, [first, second]) => compare(first, second).map(|order| Value::Truth(order.is_gt())),
            (F::Ge, [first, second]) => compare(first, second).map(|order| Value::Truth(order.is_ge())),
            (F::Index, [of, indexes @ ..]) => indexes.iter().try_fold(of.clone(), |of, at| index(&of, at, self.data)),
            (F::Slice, [of, bounds @ ..]) => slice(of, bounds),
            (F::Len, [of]) => length(of, self.data),
            (F::ParseInt, [text, base, bits]) => parse_uint(text, base, bits),
            (F::Print, values) => print_all(values, self.data, false).map(Value::owned),
            (F::Println, values) => print_all(values, self.data, true).map(Value::owned),
            (F::Printf, [Value::Text(text), values @ ..]) => format(text, values, self.data).map(Value::owned),
            _ => Err(format!("wrong arguments for {function:?}")),
        }
    }

    fn set(&mut self, slot: usize, value: Value<'a>) -> Result<(), Failure> {
        if slot >= MAX_SLOTS {
            return Err("there are too many variables".to_owned());
        }
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, Value::Nothing);
        }
        self.slots[slot] = value;
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<End, Failure> {
        self.step(text.len() / OCTETS_PER_STEP)?;
        bounded(self.out.len() + text.len())?;
        self.out.push_str(text);
        Ok(End::Reached)
    }

    fn step(&mut self, steps: usize) -> Result<(), Failure> {
        self.steps += steps;
        if self.steps > MAX_STEPS { Err(format!("the template takes more than {MAX_STEPS} steps")) } else { Ok(()) }
    }
}

/// Refuses texts that are too long.
pub fn bounded(length: usize) -> Result<(), Failure> {
    if length > MAX_TEXT { Err(format!("the text is longer than {MAX_TEXT} octets")) } else { Ok(()) }
}

/// Values one after the other: with blanks between those that are no texts, or between all and a new line at the end.
fn print_all(values: &[Value<'_>], data: &Data<'_>, is_line: bool) -> Result<String, Failure> {
    let mut out = String::new();
    let is_text = |value: &Value<'_>| matches!(value, Value::Text(_));
    for (number, value) in values.iter().enumerate() {
        if number > 0 && (is_line || !is_text(value) && !is_text(&values[number - 1])) {
            out.push(' ');
        }
        out.push_str(&print(value, data)?);
        bounded(out.len())?;
    }
    if is_line {
        out.push('\n');
    }
    Ok(out)
}
