//! The functions of templates, as Go's text/template has them.

use std::cmp::Ordering;

use super::data::Data;
use super::evaluate::Failure;
use super::value::{UINT8, UINT64, Value};

/// Whether a value is one of others. Numbers are compared whatever their type, nothing is like nothing only.
pub fn equal(first: &Value<'_>, others: &[Value<'_>]) -> Result<bool, Failure> {
    for other in others {
        let same = match (first, other) {
            (Value::Truth(a), Value::Truth(b)) => a == b,
            (Value::Number(a, _), Value::Number(b, _)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Nothing, Value::Nothing) => true,
            (Value::Nothing, _) | (_, Value::Nothing) => false,
            _ => return Err(incompatible(first, other)),
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Which of two values comes first.
pub fn compare(first: &Value<'_>, second: &Value<'_>) -> Result<Ordering, Failure> {
    match (first, second) {
        (Value::Number(a, _), Value::Number(b, _)) => Ok(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        _ => Err(incompatible(first, second)),
    }
}

fn incompatible(first: &Value<'_>, second: &Value<'_>) -> Failure {
    format!("incompatible types for comparison: {} and {}", first.type_name(), second.type_name())
}

/// An item of a value by its number or key; for a key that is not there the empty text.
pub fn index<'a>(of: &Value<'a>, at: &Value<'a>, data: &Data<'a>) -> Result<Value<'a>, Failure> {
    match (of, at) {
        (Value::Match, at) => Ok(Value::Text(data.group(position(at, data.matches())?).into())),
        (Value::Text(text), at) => Ok(Value::Number(text.as_bytes()[position(at, text.len())?].into(), UINT8)),
        (Value::Questions, at) => position(at, 1).map(|_| Value::Question),
        (Value::Group, Value::Text(key)) => Ok(Value::Text(data.group_of(key).unwrap_or_default().into())),
        (Value::List(list), at) => Ok(list[position(at, list.len())?].clone()),
        (Value::Variables, Value::Text(name)) => Ok(data.variable(name).unwrap_or(Value::Nothing)),
        (Value::Group | Value::Variables, key) => Err(format!("error calling index: value has type {}; should be string", key.type_name())),
        _ => Err(format!("error calling index: can't index item of type {}", of.type_name())),
    }
}

/// A number as a place below `end`.
fn position(at: &Value<'_>, end: usize) -> Result<usize, Failure> {
    let Value::Number(number, _) = at else { return Err(format!("cannot index slice/array with type {}", at.type_name())) };
    usize::try_from(*number).ok().filter(|at| *at < end).ok_or_else(|| format!("error calling index: index out of range: {number}"))
}

/// A part of a text.
pub fn slice<'a>(of: &Value<'a>, bounds: &[Value<'a>]) -> Result<Value<'a>, Failure> {
    let Value::Text(text) = of else { return Err(format!("error calling slice: can't slice item of type {}", of.type_name())) };
    let mut ends = [0, text.len()];
    for (end, bound) in ends.iter_mut().zip(bounds) {
        *end = position(bound, text.len() + 1)?;
    }
    let part = text.get(ends[0]..ends[1]);
    part.map(|part| Value::owned(part.to_owned())).ok_or_else(|| format!("invalid slice index: {} > {}", ends[0], ends[1]))
}

/// How many octets or items a value has.
pub fn length<'a>(of: &Value<'a>, data: &Data<'a>) -> Result<Value<'a>, Failure> {
    match of {
        Value::Text(text) => Ok(Value::int(text.len())),
        Value::Match => Ok(Value::int(data.matches())),
        Value::Group => Ok(Value::int(data.group_keys().len())),
        Value::Variables => Ok(Value::int(data.variables.len())),
        Value::List(list) => Ok(Value::int(list.len())),
        Value::Questions => Ok(Value::int(1)),
        _ => Err(format!("error calling len: len of type {}", of.type_name())),
    }
}

/// A number without a sign from its text, in a base, that fits into so many bits (Go's `strconv.ParseUint`).
pub fn parse_uint<'a>(text: &Value<'a>, base: &Value<'a>, bits: &Value<'a>) -> Result<Value<'a>, Failure> {
    let (Value::Text(text), Value::Number(base, _), Value::Number(bits, _)) = (text, base, bits) else {
        return Err(format!("parseInt takes a text and two numbers, not {} {} {}", text.type_name(), base.type_name(), bits.type_name()));
    };
    let wrong = |what: &str| format!("error calling parseInt: strconv.ParseUint: parsing {text:?}: {what}");
    let (base, digits) = match (*base, &**text) {
        (0, text) => prefixed(text),
        (base @ 2..=36, text) => (base as u32, text.to_owned()),
        (base, _) => return Err(wrong(&format!("invalid base {base}"))),
    };
    let bits = match *bits {
        0 => 64,
        bits @ 1..=64 => bits as u32,
        bits => return Err(wrong(&format!("invalid bit size {bits}"))),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
        return Err(wrong("invalid syntax"));
    }
    let number = u64::from_str_radix(&digits, base).ok().filter(|number| bits == 64 || number >> bits == 0);
    number.map(|number| Value::Number(number.into(), UINT64)).ok_or_else(|| wrong("value out of range"))
}

/// The base that a text tells, and its digits.
fn prefixed(text: &str) -> (u32, String) {
    let lower = text.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    (base, digits.replace('_', ""))
}
