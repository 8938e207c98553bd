//! The functions of expressions, as expr-lang has them. What makes no sense has no value.

use std::borrow::Cow;
use std::rc::Rc;

use super::Value;
use super::scope::Scope;
use crate::network::Network;
use crate::plan::ExpressionFunction;

/// What a function gives for its arguments.
pub fn call<'a>(function: ExpressionFunction, arguments: &[Value<'a>], scope: &Scope<'_, 'a>) -> Option<Value<'a>> {
    use ExpressionFunction as F;
    use Value::{List, Number, Text, Truth};
    let made = |text: String| {
        scope.text(text.len())?;
        Some(Value::text(text))
    };
    match (function, arguments) {
        (F::Add, [Number(a), Number(b)]) => Some(Number(a.wrapping_add(*b))),
        (F::Add, [Text(a), Text(b)]) => made(format!("{a}{b}")),
        (F::Subtract, [Number(a), Number(b)]) => Some(Number(a.wrapping_sub(*b))),
        (F::Multiply, [Number(a), Number(b)]) => Some(Number(a.wrapping_mul(*b))),
        (F::Remainder, [Number(_), Number(0)]) => None,
        (F::Remainder, [Number(a), Number(b)]) => Some(Number(a.wrapping_rem(*b))),
        (F::Abs, [Number(number)]) => Some(Number(number.wrapping_abs())),
        (F::Max, numbers) => numbers_of(numbers)?.max().map(Number),
        (F::Min, numbers) => numbers_of(numbers)?.min().map(Number),
        (F::Int, [Number(number)]) => Some(Number(*number)),
        (F::Int, [Text(text)]) => text.to_string().parse().ok().map(Number),
        (F::String, [value]) => made(value.written()),
        (F::Len, [List(list)]) => Some(Value::number(list.len())),
        (F::Len, [Text(text)]) => Some(Value::number(text.as_str().chars().count())),
        (F::Lower, [Text(text)]) => made(text.as_str().to_lowercase()),
        (F::Upper, [Text(text)]) => made(text.as_str().to_uppercase()),
        (F::HasPrefix, [Text(text), Text(part)]) => Some(Truth(text.as_bytes().starts_with(part.as_bytes()))),
        (F::HasSuffix, [Text(text), Text(part)]) => Some(Truth(text.as_bytes().ends_with(part.as_bytes()))),
        (F::IndexOf, [Text(text), Text(part)]) => Some(place(text.as_str().find(&*part.as_str()))),
        (F::LastIndexOf, [Text(text), Text(part)]) => Some(place(text.as_str().rfind(&*part.as_str()))),
        (F::Trim, [Text(text)]) => made(text.as_str().trim().to_owned()),
        (F::Trim, [Text(text), Text(of)]) => made(text.as_str().trim_matches(|letter| of.as_str().contains(letter)).to_owned()),
        (F::TrimPrefix, [Text(text), rest @ ..]) => {
            let text = text.as_str();
            made(text.strip_prefix(&*blank_or(rest)?).unwrap_or(&text).to_owned())
        }
        (F::TrimSuffix, [Text(text), rest @ ..]) => {
            let text = text.as_str();
            made(text.strip_suffix(&*blank_or(rest)?).unwrap_or(&text).to_owned())
        }
        (F::Repeat, [Text(text), Number(count)]) => {
            let count = usize::try_from(*count).ok()?;
            scope.text(text.as_bytes().len().checked_mul(count)?)?;
            Some(Value::text(text.as_str().repeat(count)))
        }
        (F::Replace, [Text(text), Text(old), Text(new), rest @ ..]) => {
            let (text, old, new) = (text.as_str(), old.as_str(), new.as_str());
            let most = most_of(rest)?;
            let found = text.matches(&*old).count().min(most);
            scope.text(text.len().checked_add(found.checked_mul(new.len())?)?)?;
            Some(Value::text(text.replacen(&*old, &new, found)))
        }
        (F::Split, [Text(text), Text(by), rest @ ..]) => split(&text.as_str(), &by.as_str(), most_of(rest)?, scope),
        (F::Join, [List(parts), rest @ ..]) => {
            let glue = match rest {
                [] => Cow::Borrowed(""),
                [Text(glue)] => glue.as_str(),
                _ => return None,
            };
            join(parts, &glue, scope)
        }
        (F::Index, [List(list), Number(at)]) => list.get(position(*at, list.len())?).cloned(),
        (F::Slice, [List(list), bounds @ ..]) => {
            let (from, to) = bounds_of(bounds, list.len())?;
            Some(List(list[from..to].into()))
        }
        (F::Slice, [Text(text), bounds @ ..]) => {
            let (from, to) = bounds_of(bounds, text.as_bytes().len())?;
            made(String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned())
        }
        (F::In, [value, List(list)]) => {
            for item in list.iter() {
                scope.step()?;
                if item == value {
                    return Some(Truth(true));
                }
            }
            Some(Truth(false))
        }
        (F::InCidr, [Text(address), Text(network)]) => {
            let address = address.as_str().parse().ok()?;
            Some(Truth(Network::parse(&network.as_str()).ok()?.contains(address)))
        }
        (F::Group, [Number(number)]) => Some(Value::borrowed(scope.group(&number.to_string()).unwrap_or_default())),
        (F::Group, [Text(name)]) => Some(Value::borrowed(scope.group(&name.as_str()).unwrap_or_default())),
        _ => None,
    }
}

fn numbers_of<'v>(values: &'v [Value<'_>]) -> Option<impl Iterator<Item = i64> + 'v> {
    let number = |value: &Value<'_>| if let Value::Number(number) = value { Some(*number) } else { None };
    values.iter().all(|value| number(value).is_some()).then(|| values.iter().filter_map(number as fn(&Value<'_>) -> Option<i64>))
}

/// A place in a text; -1: it is not there.
fn place<'a>(at: Option<usize>) -> Value<'a> {
    at.map_or(Value::Number(-1), Value::number)
}

/// The text that is told, or a blank.
fn blank_or<'v>(told: &'v [Value<'_>]) -> Option<Cow<'v, str>> {
    match told {
        [] => Some(Cow::Borrowed(" ")),
        [Value::Text(text)] => Some(text.as_str()),
        _ => None,
    }
}

/// How many at most; a number below zero, or none, means all.
fn most_of(told: &[Value<'_>]) -> Option<usize> {
    match told {
        [] => Some(usize::MAX),
        [Value::Number(most)] => Some(usize::try_from(*most).unwrap_or(usize::MAX)),
        _ => None,
    }
}

/// The parts of a text, not more than so many; without anything between them its characters.
fn split<'a>(text: &str, by: &str, most: usize, scope: &Scope<'_, 'a>) -> Option<Value<'a>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while most > 0 && !(by.is_empty() && rest.is_empty()) {
        scope.step()?;
        let cut =
            if by.is_empty() { rest.chars().next().map(|letter| (letter.len_utf8(), 0)) } else { rest.find(by).map(|at| (at, by.len())) };
        match cut.filter(|_| parts.len() + 1 < most) {
            Some((end, between)) => {
                parts.push(Value::text(rest[..end].to_owned()));
                rest = &rest[end + between..];
            }
            None => {
                parts.push(Value::text(rest.to_owned()));
                break;
            }
        }
    }
    scope.text(text.len())?;
    Some(Value::List(parts.into()))
}

/// Texts one after the other.
fn join<'a>(parts: &Rc<[Value<'a>]>, glue: &str, scope: &Scope<'_, 'a>) -> Option<Value<'a>> {
    let texts = parts.iter().map(|part| if let Value::Text(text) = part { Some(text.as_str()) } else { None });
    let texts = texts.collect::<Option<Vec<_>>>()?;
    let between = glue.len().checked_mul(texts.len().saturating_sub(1))?;
    scope.text(texts.iter().map(|text| text.len()).sum::<usize>().checked_add(between)?)?;
    Some(Value::text(texts.join(glue)))
}

/// An item's place; below zero it is counted from the end.
fn position(at: i64, length: usize) -> Option<usize> {
    let at = if at < 0 { at.checked_add_unsigned(length as u64)? } else { at };
    usize::try_from(at).ok().filter(|at| *at < length)
}

/// From where to where a part is; it is cut where there is no more.
fn bounds_of(bounds: &[Value<'_>], length: usize) -> Option<(usize, usize)> {
    let bound = |at: i64| {
        let at = if at < 0 { at.saturating_add_unsigned(length as u64) } else { at };
        usize::try_from(at.max(0)).unwrap_or(length).min(length)
    };
    let (from, to) = match bounds {
        [Value::Number(from)] => (bound(*from), length),
        [Value::Number(from), Value::Number(to)] => (bound(*from), bound(*to)),
        _ => return None,
    };
    Some((from.min(to), to))
}
