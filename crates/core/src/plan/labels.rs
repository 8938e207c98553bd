//! Labels of a query's metadata, and where their values come from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    pub zones: Vec<String>,
    pub labels: BTreeMap<String, LabelSource>,
    pub names: Vec<NameGrammar>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum LabelSource {
    Text { text: String },
    Upstream {},
    Address { zone: String, at: usize },
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct NameGrammar {
    pub origins: Vec<String>,
    pub shapes: Vec<Vec<NamePart>>,
    pub error: String,
    pub message: String,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct NamePart {
    pub label: String,
    pub words: Vec<String>,
    pub prefix: String,
    pub prefixed: bool,
    pub rest: bool,
}
