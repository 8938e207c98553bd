//! Rules of `rewrite`: what they change in a question, and in its answer.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct RewriteRule {
    pub change: Rewrite,
    pub stop: bool,
    pub span: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(tag = "field", rename_all = "lowercase", deny_unknown_fields)]
pub enum Rewrite {
    Name { name: NameMatch, to: String, auto: bool, answers: Vec<AnswerRewrite> },
    Type { from: u16, to: u16 },
    Class { from: u16, to: u16 },
    Option(OptionChange),
    Ttl { name: NameMatch, least: u32, most: u32 },
    Rcode { name: NameMatch, from: u16, to: u16 },
    Cname { name: NameMatch, to: String },
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct NameMatch {
    pub how: How,
    pub text: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum How {
    Exact,
    Prefix,
    Suffix,
    Substring,
    Regex,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct AnswerRewrite {
    pub part: AnswerPart,
    pub pattern: String,
    pub to: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum AnswerPart {
    Name,
    Value,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct OptionChange {
    pub action: OptionAction,
    pub code: u16,
    pub data: OptionData,
    pub revert: bool,
    pub echo: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OptionAction {
    Set,
    Append,
    Replace,
    Unset,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum OptionData {
    Octets { hex: String },
    Variable { variable: Variable },
    Label { label: String },
    Subnet { ipv4: u8, ipv6: u8 },
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    Qname,
    Qtype,
    ClientIp,
    ClientPort,
    Protocol,
    ServerIp,
    ServerPort,
}
