//! What is computed of a query: conditions of views, variables and conditions of templates.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub text: String,
    pub expression: Expression,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Expression {
    Constant { value: Constant },
    Fact { name: FactName },
    Label { label: String },
    InNetwork { address: Box<Expression>, network: String },
    Not { of: Box<Expression> },
    All { of: Vec<Expression> },
    Any { of: Vec<Expression> },
    Compare { by: Comparison, left: Box<Expression>, right: Box<Expression> },
    OneOf { value: Box<Expression>, among: Vec<Expression> },
    Matches { text: Box<Expression>, pattern: String },
    Choice { condition: Box<Expression>, then: Box<Expression>, otherwise: Box<Expression> },
    Call { function: ExpressionFunction, arguments: Vec<Expression> },
    List { of: Vec<Expression> },
    Each { by: EachBy, list: Box<Expression>, then: Box<Expression> },
    Item {},
    Variable { name: String },
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum ExpressionFunction {
    #[serde(rename = "+")]
    Add,
    #[serde(rename = "-")]
    Subtract,
    #[serde(rename = "*")]
    Multiply,
    #[serde(rename = "%")]
    Remainder,
    In,
    Index,
    Slice,
    #[serde(rename = "incidr")]
    InCidr,
    Group,
    Abs,
    HasPrefix,
    HasSuffix,
    IndexOf,
    Int,
    Join,
    LastIndexOf,
    Len,
    Lower,
    Max,
    Min,
    Repeat,
    Replace,
    Split,
    String,
    Trim,
    TrimPrefix,
    TrimSuffix,
    Upper,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum EachBy {
    All,
    Any,
    None,
    One,
    Count,
    Filter,
    Map,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Constant {
    Truth(bool),
    Number(i64),
    Text(String),
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum FactName {
    Bufsize,
    Class,
    ClientIp,
    Do,
    Id,
    Name,
    Opcode,
    Port,
    Proto,
    ServerIp,
    ServerPort,
    Size,
    Type,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub enum Comparison {
    #[serde(rename = "==")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    LessOrEqual,
    #[serde(rename = ">")]
    Greater,
    #[serde(rename = ">=")]
    GreaterOrEqual,
    #[serde(rename = "startsWith")]
    StartsWith,
    #[serde(rename = "endsWith")]
    EndsWith,
    #[serde(rename = "contains")]
    Contains,
}
