//! What a template computes with, and how it is written as text: as Go's `fmt` does.

use std::borrow::Cow;
use std::rc::Rc;

use super::data::{Data, GroupKey};
use crate::expression;
use crate::labels::Text;

/// A value. Texts are borrowed from the query and the plan as long as nothing is made of them.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// Nothing at all: what is not in a map.
    Nothing,
    /// True or false.
    Truth(bool),
    /// A whole number, and what Go calls its type.
    Number(i128, &'static str),
    /// A text.
    Text(Cow<'a, str>),
    /// What the pattern has matched, and its groups by number.
    Match,
    /// The groups by name.
    Group,
    /// The rule's variables by name.
    Variables,
    /// A list that an expression has made.
    List(Rc<[Value<'a>]>),
    /// All that is known.
    Data,
    /// The message.
    Message,
    /// Its questions: there is one.
    Questions,
    /// The question.
    Question,
}

/// What Go calls the type of constants and lengths.
pub const INT: &str = "int";
/// That of what `parseInt` gives.
pub const UINT64: &str = "uint64";
/// That of types, classes and ids.
pub const UINT16: &str = "uint16";
/// That of an octet of a text.
pub const UINT8: &str = "uint8";

impl<'a> Value<'a> {
    /// A number as constants are.
    pub fn int(number: usize) -> Value<'a> {
        Value::Number(number as i128, INT)
    }

    /// A text of its own.
    pub fn owned(text: String) -> Value<'a> {
        Value::Text(Cow::Owned(text))
    }

    /// What an expression has computed.
    pub fn computed(value: expression::Value<'a>) -> Value<'a> {
        match value {
            expression::Value::Truth(truth) => Value::Truth(truth),
            expression::Value::Number(number) => Value::Number(number.into(), INT),
            expression::Value::Text(Text::Borrowed(text)) => Value::Text(text.into()),
            expression::Value::Text(text) => Value::owned(text.to_string()),
            expression::Value::List(list) => Value::List(list.iter().cloned().map(Value::computed).collect()),
        }
    }

    /// Whether it counts as true: everything but what is empty or zero.
    pub fn is_true(&self, data: &Data<'a>) -> bool {
        match self {
            Value::Nothing => false,
            Value::Truth(truth) => *truth,
            Value::Number(number, _) => *number != 0,
            Value::Text(text) => !text.is_empty(),
            Value::Match | Value::Group => data.matches() > 0,
            Value::Variables => !data.variables.is_empty(),
            Value::List(list) => !list.is_empty(),
            Value::Data | Value::Message | Value::Questions | Value::Question => true,
        }
    }

    /// What Go calls its type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nothing => "<nil>",
            Value::Truth(_) => "bool",
            Value::Number(_, name) => name,
            Value::Text(_) => "string",
            Value::Match => "[]string",
            Value::Group => "map[string]string",
            Value::Variables => "map[string]interface {}",
            Value::List(_) => "[]interface {}",
            Value::Data => "*template.templateData",
            Value::Message => "*dns.Msg",
            Value::Questions => "[]dns.Question",
            Value::Question => "*dns.Question",
        }
    }

    /// The items of what can be gone over, each with its key; none for anything else.
    pub fn items(&self, data: &Data<'a>) -> Option<Vec<(Value<'a>, Value<'a>)>> {
        Some(match self {
            Value::Nothing => Vec::new(),
            Value::Match => (0..data.matches()).map(|number| (Value::int(number), Value::Text(data.group(number).into()))).collect(),
            Value::Group => {
                let text = |key: GroupKey<'a>| Value::Text(data.group(key.number).into());
                data.group_keys().into_iter().map(|key| (Value::Text(key.name.clone()), text(key))).collect()
            }
            Value::Variables => {
                let keys = data.variable_keys().into_iter();
                keys.map(|name| (Value::Text(name.into()), data.variable(name).unwrap_or(Value::Nothing))).collect()
            }
            Value::List(list) => list.iter().enumerate().map(|(number, item)| (Value::int(number), item.clone())).collect(),
            Value::Questions => vec![(Value::int(0), Value::Question)],
            _ => return None,
        })
    }
}
