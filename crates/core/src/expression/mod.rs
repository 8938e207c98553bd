//! Expressions of a query's facts and labels: the conditions of views and templates, and the variables of templates. Evaluating one does
//! bounded work and cannot fail loudly.

mod functions;
mod scope;

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;
use std::net::IpAddr;
use std::rc::Rc;

pub use scope::{Groups, Scope};

use memchr::memmem;

use crate::facts::{Fact, Facts, name_of};
use crate::labels::{Known, LabelId, Labels, Text};
use crate::network::Network;
use crate::pattern::Pattern;
use crate::plan::{self, Comparison, Constant, EachBy, ExpressionFunction, FactName};

/// Ready to be evaluated.
pub enum Expression {
    /// The same for all queries.
    Constant(Constant),
    /// A fact of the query.
    Fact(FactName),
    /// The value of a label; None: it is always empty.
    Label(Box<str>, Option<LabelId>),
    /// Whether a text is an address in a network.
    InNetwork(Box<Expression>, Network),
    /// The contrary.
    Not(Box<Expression>),
    /// All of them.
    All(Box<[Expression]>),
    /// Any of them.
    Any(Box<[Expression]>),
    /// Two values of one type.
    Compare(Comparison, Box<[Expression; 2]>),
    /// Whether a value, the first, is among others.
    OneOf(Box<Expression>, Box<[Expression]>),
    /// Whether a pattern occurs in a text.
    Matches(Box<Expression>, Box<Pattern>),
    /// If the first is true the second, else the third.
    Choice(Box<[Expression; 3]>),
    /// What a function gives for its arguments.
    Call(ExpressionFunction, Box<[Expression]>),
    /// Values of one type.
    List(Box<[Expression]>),
    /// What comes of asking the second of each item of the first.
    Each(EachBy, Box<[Expression; 2]>),
    /// The item of the innermost list that is gone over.
    Item,
    /// A variable, and its place among those of its template.
    Variable(Box<str>, usize),
}

/// What an expression, or a part of it, is for a query.
#[derive(Clone, PartialEq)]
pub enum Value<'a> {
    /// True or false.
    Truth(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(Text<'a>),
    /// Values of one type.
    List(Rc<[Value<'a>]>),
}

impl Expression {
    /// Compiles an expression of a plan; `labels` are those of its block, `variables` those that are set before it.
    pub fn new(expression: &plan::Expression, labels: &Labels, variables: &[&str]) -> Result<Expression, String> {
        let one = |of: &plan::Expression| Expression::new(of, labels, variables);
        let boxed = |of: &plan::Expression| one(of).map(Box::new);
        let all = |of: &[plan::Expression]| of.iter().map(one).collect::<Result<_, String>>();
        Ok(match expression {
            plan::Expression::Constant { value } => Expression::Constant(value.clone()),
            plan::Expression::Fact { name } => Expression::Fact(*name),
            plan::Expression::Label { label } => Expression::Label(label.as_str().into(), labels.find(label)),
            plan::Expression::InNetwork { address, network } => Expression::InNetwork(boxed(address)?, Network::parse(network)?),
            plan::Expression::Not { of } => Expression::Not(boxed(of)?),
            plan::Expression::All { of } => Expression::All(all(of)?),
            plan::Expression::Any { of } => Expression::Any(all(of)?),
            plan::Expression::Compare { by, left, right } => Expression::Compare(*by, Box::new([one(left)?, one(right)?])),
            plan::Expression::OneOf { value, among } => Expression::OneOf(boxed(value)?, all(among)?),
            plan::Expression::Matches { text, pattern } => Expression::Matches(boxed(text)?, Box::new(Pattern::parse(pattern)?)),
            plan::Expression::Choice { condition, then, otherwise } => {
                Expression::Choice(Box::new([one(condition)?, one(then)?, one(otherwise)?]))
            }
            plan::Expression::Call { function, arguments } => Expression::Call(*function, all(arguments)?),
            plan::Expression::List { of } => Expression::List(all(of)?),
            plan::Expression::Each { by, list, then } => Expression::Each(*by, Box::new([one(list)?, one(then)?])),
            plan::Expression::Item {} => Expression::Item,
            plan::Expression::Variable { name } => {
                let slot = variables.iter().position(|known| known == name).ok_or_else(|| format!("there is no variable {name}"))?;
                Expression::Variable(name.as_str().into(), slot)
            }
        })
    }

    /// Whether it is true of a query. What makes no sense, like the network of what is no address, is not.
    pub fn is_true(&self, facts: &Facts<'_>, labels: &Labels) -> bool {
        self.truth(&Scope::new(Known { facts, labels, upstream: None }, &Cell::new(0))).unwrap_or(false)
    }

    /// Its value; None: it has none.
    pub fn value<'a>(&'a self, scope: &Scope<'_, 'a>) -> Option<Value<'a>> {
        scope.step()?;
        match self {
            Expression::Constant(Constant::Number(number)) => Some(Value::Number(*number)),
            Expression::Constant(Constant::Text(text)) => Some(Value::borrowed(text)),
            Expression::Fact(fact) => Some(match scope.known.facts.get(*fact) {
                Fact::Truth(truth) => Value::Truth(truth),
                Fact::Number(number) => Value::Number(number),
                Fact::Text => Value::Text(Text::written(|out| scope.known.facts.write(*fact, out))),
            }),
            Expression::Label(_, id) => Some(Value::Text(id.and_then(|id| scope.known.label(id)).unwrap_or(Text::Borrowed("")))),
            Expression::Choice(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                if condition.truth(scope)? { then.value(scope) } else { otherwise.value(scope) }
            }
            Expression::Call(function, arguments) => functions::call(*function, &values(arguments, scope)?, scope),
            Expression::List(of) => Some(Value::List(values(of, scope)?.into())),
            Expression::Each(by, parts) => each(*by, &parts[0].value(scope)?, &parts[1], scope),
            Expression::Item => scope.item(),
            Expression::Variable(_, slot) => scope.variable(*slot),
            truth => truth.truth(scope).map(Value::Truth),
        }
    }

    /// Whether it is true; None: it is neither.
    pub fn truth<'a>(&'a self, scope: &Scope<'_, 'a>) -> Option<bool> {
        match self {
            Expression::Constant(Constant::Truth(truth)) => Some(*truth),
            Expression::Not(of) => of.truth(scope).map(|truth| !truth),
            Expression::All(of) => {
                for part in of {
                    if !part.truth(scope)? {
                        return Some(false);
                    }
                }
                Some(true)
            }
            Expression::Any(of) => {
                for part in of {
                    if part.truth(scope)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            Expression::InNetwork(address, network) => Some(network.contains(address.address(scope)?)),
            Expression::Compare(by, sides) => compare(*by, &sides[0].value(scope)?, &sides[1].value(scope)?),
            Expression::OneOf(value, among) => {
                let value = value.value(scope)?;
                for other in among {
                    if other.value(scope)? == value {
                        return Some(true);
                    }
                }
                Some(false)
            }
            Expression::Matches(text, pattern) => match text.value(scope)? {
                Value::Text(text) => {
                    scope.text(text.as_bytes().len())?;
                    Some(pattern.is_match(text.as_bytes()))
                }
                _ => None,
            },
            Expression::Constant(_) | Expression::Label(..) | Expression::List(_) => None,
            value => match value.value(scope)? {
                Value::Truth(truth) => Some(truth),
                _ => None,
            },
        }
    }

    /// The address that its text is. The client's own need not be written and read for that.
    fn address<'a>(&'a self, scope: &Scope<'_, 'a>) -> Option<IpAddr> {
        match self {
            Expression::Fact(FactName::ClientIp) => Some(scope.known.facts.client_ip()),
            Expression::Fact(FactName::ServerIp) => Some(scope.known.facts.server_ip()),
            _ => match self.value(scope)? {
                Value::Text(text) => std::str::from_utf8(text.as_bytes()).ok()?.parse().ok(),
                _ => None,
            },
        }
    }

    /// What it is made of and what that is for a query: `, as client_ip() is '192.0.2.1' and do() is false`; empty where it is constant.
    pub fn why<'a>(&'a self, scope: &Scope<'_, 'a>) -> String {
        let mut leaves = Vec::new();
        self.leaves(scope, &mut leaves);
        if leaves.is_empty() { String::new() } else { format!(", as {}", leaves.join(" and ")) }
    }

    fn leaves<'a>(&'a self, scope: &Scope<'_, 'a>, out: &mut Vec<String>) {
        let mut all = |parts: &'a [Expression]| parts.iter().for_each(|part| part.leaves(scope, out));
        match self {
            Expression::Constant(_) | Expression::Item => {}
            Expression::Fact(_) | Expression::Label(..) | Expression::Variable(..) => self.leaf(self.leaf_name(), scope, out),
            Expression::Call(ExpressionFunction::Group, of) => match &of[..] {
                [Expression::Constant(of)] => self.leaf(format!("group({})", Value::of(of).told()), scope, out),
                of => all(of),
            },
            Expression::InNetwork(of, _) | Expression::Not(of) | Expression::Matches(of, _) => of.leaves(scope, out),
            Expression::All(of) | Expression::Any(of) | Expression::Call(_, of) | Expression::List(of) => all(of),
            Expression::Compare(_, parts) | Expression::Each(_, parts) => all(parts.as_ref()),
            Expression::Choice(parts) => all(parts.as_ref()),
            Expression::OneOf(value, among) => {
                value.leaves(scope, out);
                among.iter().for_each(|other| other.leaves(scope, out));
            }
        }
    }

    fn leaf<'a>(&'a self, name: String, scope: &Scope<'_, 'a>, out: &mut Vec<String>) {
        let told = self.value(scope).map(|value| format!("{name} is {}", value.told())).filter(|told| !out.contains(told));
        out.extend(told);
    }

    fn leaf_name(&self) -> String {
        match self {
            Expression::Label(label, _) => format!("metadata('{label}')"),
            Expression::Fact(fact) => format!("{}()", name_of(*fact)),
            Expression::Variable(name, _) => name.to_string(),
            _ => String::new(),
        }
    }
}

impl<'a> Value<'a> {
    /// Somebody else's text.
    pub fn borrowed(text: &'a str) -> Value<'a> {
        Value::Text(Text::Borrowed(text))
    }

    /// A text of its own.
    pub fn text(text: String) -> Value<'a> {
        Value::Text(Cow::<str>::Owned(text).into())
    }

    /// How many there are.
    pub fn number(number: usize) -> Value<'a> {
        Value::Number(number as i64)
    }

    fn of(constant: &'a Constant) -> Value<'a> {
        match constant {
            Constant::Truth(truth) => Value::Truth(*truth),
            Constant::Number(number) => Value::Number(*number),
            Constant::Text(text) => Value::borrowed(text),
        }
    }

    /// As Go prints it.
    pub fn written(&self) -> String {
        self.shown(|text| text.to_string(), " ")
    }

    /// As an expression has it.
    fn told(&self) -> String {
        self.shown(|text| format!("'{text}'"), ", ")
    }

    fn shown(&self, text: fn(&Text<'_>) -> String, between: &str) -> String {
        match self {
            Value::Truth(truth) => truth.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Text(of) => text(of),
            Value::List(list) => format!("[{}]", list.iter().map(|item| item.shown(text, between)).collect::<Vec<_>>().join(between)),
        }
    }
}

/// The values of all; None: one has none.
fn values<'a>(of: &'a [Expression], scope: &Scope<'_, 'a>) -> Option<Vec<Value<'a>>> {
    of.iter().map(|part| part.value(scope)).collect()
}

/// What comes of asking something of each item of a list. The first that decides is the last one asked.
fn each<'a>(by: EachBy, list: &Value<'a>, then: &'a Expression, scope: &Scope<'_, 'a>) -> Option<Value<'a>> {
    let Value::List(list) = list else { return None };
    let mut found = Vec::new();
    for item in list.iter() {
        let inside = scope.with_item(item);
        if by == EachBy::Map {
            found.push(then.value(&inside)?);
            continue;
        }
        let truth = then.truth(&inside)?;
        match (by, truth) {
            (EachBy::All, false) | (EachBy::None, true) => return Some(Value::Truth(false)),
            (EachBy::Any, true) => return Some(Value::Truth(true)),
            (_, true) => found.push(item.clone()),
            (_, false) => {}
        }
        scope.step()?;
    }
    Some(match by {
        EachBy::All | EachBy::None => Value::Truth(true),
        EachBy::Any => Value::Truth(false),
        EachBy::One => Value::Truth(found.len() == 1),
        EachBy::Count => Value::number(found.len()),
        EachBy::Filter | EachBy::Map => Value::List(found.into()),
    })
}

/// Compares two values of one type; nothing comes of two types.
fn compare(by: Comparison, left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    let order = match (left, right) {
        (Value::Truth(left), Value::Truth(right)) if matches!(by, Comparison::Equal | Comparison::NotEqual) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) => {
            let (left, right) = (left.as_bytes(), right.as_bytes());
            match by {
                Comparison::StartsWith => return Some(left.starts_with(right)),
                Comparison::EndsWith => return Some(left.ends_with(right)),
                Comparison::Contains => return Some(memmem::find(left, right).is_some()),
                _ => left.cmp(right),
            }
        }
        (Value::List(left), Value::List(right)) => match by {
            Comparison::Equal => return Some(left == right),
            Comparison::NotEqual => return Some(left != right),
            _ => return None,
        },
        _ => return None,
    };
    match by {
        Comparison::Equal => Some(order == Ordering::Equal),
        Comparison::NotEqual => Some(order != Ordering::Equal),
        Comparison::Less => Some(order == Ordering::Less),
        Comparison::LessOrEqual => Some(order != Ordering::Greater),
        Comparison::Greater => Some(order == Ordering::Greater),
        Comparison::GreaterOrEqual => Some(order != Ordering::Less),
        Comparison::StartsWith | Comparison::EndsWith | Comparison::Contains => None,
    }
}
