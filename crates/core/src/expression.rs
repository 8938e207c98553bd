//! Expressions of a query's facts and labels: the conditions of views. Evaluating one does bounded work and cannot fail loudly.

use std::cmp::Ordering;
use std::net::IpAddr;

use memchr::memmem;

use crate::facts::{Fact, Facts, name_of};
use crate::labels::{Known, LabelId, Labels, Text};
use crate::network::Network;
use crate::pattern::Pattern;
use crate::plan::{self, Comparison, Constant, FactName};

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
}

/// What an expression, or a part of it, is for a query.
#[derive(PartialEq)]
pub enum Value<'a> {
    /// True or false.
    Truth(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(Text<'a>),
}

impl Expression {
    /// Compiles an expression of a plan; `labels` are those of its block.
    pub fn new(expression: &plan::Expression, labels: &Labels) -> Result<Expression, String> {
        let one = |of: &plan::Expression| Expression::new(of, labels);
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
        })
    }

    /// Whether it is true of a query. What makes no sense, like the network of what is no address, is not.
    pub fn is_true(&self, facts: &Facts<'_>, labels: &Labels) -> bool {
        self.truth(&Known { facts, labels, upstream: None }).unwrap_or(false)
    }

    /// Its value; None: it has none.
    fn value<'a>(&'a self, known: &Known<'a>) -> Option<Value<'a>> {
        match self {
            Expression::Constant(Constant::Number(number)) => Some(Value::Number(*number)),
            Expression::Constant(Constant::Text(text)) => Some(Value::Text(Text::Borrowed(text))),
            Expression::Fact(fact) => Some(match known.facts.get(*fact) {
                Fact::Truth(truth) => Value::Truth(truth),
                Fact::Number(number) => Value::Number(number),
                Fact::Text => Value::Text(Text::written(|out| known.facts.write(*fact, out))),
            }),
            Expression::Label(_, id) => Some(Value::Text(id.and_then(|id| known.label(id)).unwrap_or(Text::Borrowed("")))),
            Expression::Choice(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                if condition.truth(known)? { then.value(known) } else { otherwise.value(known) }
            }
            truth => truth.truth(known).map(Value::Truth),
        }
    }

    fn truth(&self, known: &Known<'_>) -> Option<bool> {
        match self {
            Expression::Constant(Constant::Truth(truth)) => Some(*truth),
            Expression::Not(of) => of.truth(known).map(|truth| !truth),
            Expression::All(of) => {
                for part in of {
                    if !part.truth(known)? {
                        return Some(false);
                    }
                }
                Some(true)
            }
            Expression::Any(of) => {
                for part in of {
                    if part.truth(known)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            Expression::InNetwork(address, network) => Some(network.contains(address.address(known)?)),
            Expression::Compare(by, sides) => compare(*by, &sides[0].value(known)?, &sides[1].value(known)?),
            Expression::OneOf(value, among) => {
                let value = value.value(known)?;
                for other in among {
                    if other.value(known)? == value {
                        return Some(true);
                    }
                }
                Some(false)
            }
            Expression::Matches(text, pattern) => match text.value(known)? {
                Value::Text(text) => Some(pattern.is_match(text.as_bytes())),
                _ => None,
            },
            Expression::Fact(_) | Expression::Choice(_) => match self.value(known)? {
                Value::Truth(truth) => Some(truth),
                _ => None,
            },
            Expression::Constant(_) | Expression::Label(..) => None,
        }
    }

    /// The address that its text is. The client's own need not be written and read for that.
    fn address(&self, known: &Known<'_>) -> Option<IpAddr> {
        match self {
            Expression::Fact(FactName::ClientIp) => Some(known.facts.client_ip()),
            Expression::Fact(FactName::ServerIp) => Some(known.facts.server_ip()),
            _ => match self.value(known)? {
                Value::Text(text) => std::str::from_utf8(text.as_bytes()).ok()?.parse().ok(),
                _ => None,
            },
        }
    }

    /// What it is made of and what that is for a query, each once: `client_ip() is 192.0.2.1`.
    pub fn leaves(&self, facts: &Facts<'_>, labels: &Labels, out: &mut Vec<String>) {
        let mut all = |parts: &[Expression]| parts.iter().for_each(|part| part.leaves(facts, labels, out));
        match self {
            Expression::Constant(_) => {}
            Expression::Fact(_) | Expression::Label(..) => {
                let value = self.value(&Known { facts, labels, upstream: None });
                let told = value.map(|value| format!("{} is {}", self.leaf_name(), value.told())).filter(|told| !out.contains(told));
                out.extend(told);
            }
            Expression::InNetwork(of, _) | Expression::Not(of) | Expression::Matches(of, _) => of.leaves(facts, labels, out),
            Expression::All(of) | Expression::Any(of) => all(of),
            Expression::Compare(_, sides) => all(sides.as_ref()),
            Expression::Choice(parts) => all(parts.as_ref()),
            Expression::OneOf(value, among) => {
                value.leaves(facts, labels, out);
                among.iter().for_each(|other| other.leaves(facts, labels, out));
            }
        }
    }

    fn leaf_name(&self) -> String {
        match self {
            Expression::Label(label, _) => format!("metadata('{label}')"),
            Expression::Fact(fact) => format!("{}()", name_of(*fact)),
            _ => String::new(),
        }
    }
}

impl Value<'_> {
    fn told(&self) -> String {
        match self {
            Value::Truth(truth) => truth.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Text(text) => format!("'{text}'"),
        }
    }
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
