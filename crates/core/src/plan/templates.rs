//! Records that are made from a text and a question: the parts of a template.

use serde::{Deserialize, Serialize};

use super::{Condition, Expression};

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct TemplateRule {
    pub qclass: u16,
    pub qtype: u16,
    pub zones: Vec<String>,
    pub patterns: Vec<String>,
    pub answer: Vec<RecordTemplate>,
    pub authority: Vec<RecordTemplate>,
    pub additional: Vec<RecordTemplate>,
    pub rcode: u16,
    pub extended_error: Option<ExtendedError>,
    pub fallthrough: Vec<String>,
    pub span: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<TemplateVariable>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct TemplateVariable {
    pub name: String,
    pub text: String,
    pub expression: Expression,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ExtendedError {
    pub code: u16,
    pub text: String,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct RecordTemplate {
    pub source: String,
    pub pieces: Vec<Piece>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(tag = "piece", rename_all = "lowercase", deny_unknown_fields)]
pub enum Piece {
    Text { text: String },
    Print { value: Term },
    Do { value: Term },
    If { branches: Vec<IfBranch>, otherwise: Vec<Piece> },
    With { value: Term, then: Vec<Piece>, otherwise: Vec<Piece> },
    Range { value: Term, key: Option<usize>, item: Option<usize>, then: Vec<Piece>, otherwise: Vec<Piece> },
    Break {},
    Continue {},
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct IfBranch {
    pub value: Term,
    pub then: Vec<Piece>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(tag = "term", rename_all = "lowercase", deny_unknown_fields)]
pub enum Term {
    Constant { value: TermConstant },
    Data {},
    Dot {},
    Variable { slot: usize },
    Set { slot: usize, value: Box<Term> },
    Field { of: Box<Term>, name: String },
    Label { label: String },
    Call { function: TemplateFunction, arguments: Vec<Term> },
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum TermConstant {
    Truth(bool),
    Number(i64),
    Text(String),
    Nothing(()),
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum TemplateFunction {
    And,
    Or,
    Not,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Index,
    Slice,
    Len,
    Print,
    Printf,
    Println,
    ParseInt,
}
