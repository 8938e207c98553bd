//! What a template knows of a query.

use std::borrow::Cow;

use super::value::{INT, UINT16, Value};
use crate::expression;
use crate::labels::Known;
use crate::name;
use crate::pattern::Groups;
use crate::text::{class_name, type_name};
use crate::way::Turn;

/// What a rule without patterns has for one.
const EVERYTHING: &str = ".*";

/// A question, and what a rule has found in it.
pub struct Data<'a> {
    /// The question's turn.
    pub turn: Turn<'a>,
    /// What else is known of it.
    pub known: Known<'a>,
    /// The rule's zone that has the name.
    pub zone: &'a str,
    /// The name in lower case.
    pub name: &'a str,
    /// What the question's class counts as, where it asks for any.
    pub qclass: u16,
    /// The same for its type.
    pub qtype: u16,
    /// What has matched; without it all names do.
    pub found: Option<Found<'a>>,
    /// The names of the rule's variables.
    pub variable_names: &'a [Box<str>],
    /// Their values; less while they are being computed.
    pub variables: Vec<expression::Value<'a>>,
}

/// A pattern, and what it has found in the name.
pub struct Found<'a> {
    /// The pattern's text.
    pub text: &'a str,
    /// The names of its groups from the first on.
    pub names: &'a [Box<str>],
    /// What they have matched.
    pub groups: Groups<'a>,
}

/// A key of the groups, and the group's number.
pub struct GroupKey<'a> {
    /// The group's number or name.
    pub name: Cow<'a, str>,
    /// Its number.
    pub number: usize,
}

impl<'a> Data<'a> {
    /// How many groups there are, the whole match included.
    pub fn matches(&self) -> usize {
        self.found.as_ref().map_or(1, |found| found.groups.len())
    }

    /// What a group has matched.
    pub fn group(&self, number: usize) -> &'a str {
        match &self.found {
            // Names as text are ASCII.
            Some(found) => std::str::from_utf8(found.groups.get(number)).unwrap_or_default(),
            None if number == 0 => self.name,
            None => "",
        }
    }

    /// A group by its number or name.
    pub fn group_of(&self, name: &str) -> Option<&'a str> {
        let numbered = || (0..self.matches()).find(|number| number.to_string() == name);
        let named = self.names().iter().rposition(|known| **known == *name).map(|at| at + 1);
        named.or_else(numbered).map(|number| self.group(number))
    }

    /// All of them, by number and by name, in the order of the alphabet.
    pub fn group_keys(&self) -> Vec<GroupKey<'a>> {
        let numbers = (0..self.matches()).map(|number| GroupKey { name: number.to_string().into(), number });
        let names = self.names().iter().zip(1..).filter(|(name, _)| !name.is_empty());
        let mut keys: Vec<_> = numbers.chain(names.map(|(name, number)| GroupKey { name: Cow::from(&**name), number })).collect();
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        // Of several groups of one name the last counts.
        keys.dedup_by(|later, earlier| {
            later.name == earlier.name && {
                earlier.number = later.number;
                true
            }
        });
        keys
    }

    /// A variable; none where nothing sets it.
    pub fn variable(&self, name: &str) -> Option<Value<'a>> {
        let at = self.variable_names.iter().position(|known| **known == *name)?;
        self.variables.get(at).cloned().map(Value::computed)
    }

    /// The names of the variables, in the order of the alphabet.
    pub fn variable_keys(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> = self.variable_names.iter().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    fn names(&self) -> &'a [Box<str>] {
        self.found.as_ref().map_or(&[], |found| found.names)
    }

    /// The value of a label of the block's metadata; empty where there is none.
    pub fn label(&self, label: &str) -> String {
        let value = self.known.labels.find(label).and_then(|id| self.known.label(id));
        value.map_or_else(String::new, |value| value.to_string())
    }

    /// A part of a value; none where it has no such part.
    pub fn field(&self, of: &Value<'a>, name: &str) -> Option<Value<'a>> {
        let request = self.turn.request;
        Some(match (of, name) {
            (Value::Data, "Zone") => Value::Text(self.zone.into()),
            (Value::Data, "Name") => Value::Text(self.name.into()),
            (Value::Data, "Regex") => Value::Text(self.found.as_ref().map_or(EVERYTHING, |found| found.text).into()),
            (Value::Data, "Class") => Value::owned(class_name(self.qclass)),
            (Value::Data, "Type") => Value::owned(type_name(self.qtype)),
            (Value::Data, "Remote") => Value::owned(self.turn.client.address.ip().to_canonical().to_string()),
            (Value::Data, "Match") => Value::Match,
            (Value::Data, "Group") => Value::Group,
            (Value::Data, "Var") => Value::Variables,
            (Value::Variables, name) => self.variable(name).unwrap_or(Value::Nothing),
            (Value::Data, "Message") => Value::Message,
            (Value::Data, "Question") => Value::Question,
            (Value::Group, name) => self.group_of(name).map_or(Value::Nothing, |text| Value::Text(text.into())),
            (Value::Question, "Name") => Value::owned(name::Display(self.turn.asked.name).to_string()),
            (Value::Question, "Qtype") => Value::Number(request.qtype.into(), UINT16),
            (Value::Question, "Qclass") => Value::Number(request.qclass.into(), UINT16),
            (Value::Message, "Question") => Value::Questions,
            (Value::Message, "Id") => Value::Number(self.known.facts.id.into(), UINT16),
            (Value::Message, "Opcode") => Value::Number(request.opcode.into(), INT),
            (Value::Message, "Rcode") => Value::Number(0, INT),
            (Value::Message, "RecursionDesired") => Value::Truth(request.rd),
            (Value::Message, "AuthenticatedData") => Value::Truth(request.ad),
            (Value::Message, "CheckingDisabled") => Value::Truth(request.cd),
            (Value::Message, "Authoritative") => Value::Truth(request.aa),
            (Value::Message, "RecursionAvailable") => Value::Truth(request.ra),
            // Flags that a question does not have.
            (Value::Message, "Response" | "Truncated" | "Zero") => Value::Truth(false),
            _ => return None,
        })
    }
}
