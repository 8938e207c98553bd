//! The plan as the document says it: the mirror of `src/clusterdns/plan.py`, which describes each field. Unknown fields are refused.

#![allow(missing_docs, reason = "plan.py describes the fields; a second description would drift")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the document that this engine reads.
pub const VERSION: u32 = 1;

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub version: u32,
    pub listeners: Vec<Listener>,
    pub zones: Vec<String>,
    pub blocks: Vec<Block>,
    pub spans: Vec<Span>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Span {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub text: String,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    pub id: String,
    pub host: String,
    pub port: u16,
    pub server: String,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Block {
    pub zone: String,
    pub listeners: Vec<String>,
    pub program: Vec<Op>,
    pub span: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub enum Op {
    Zone {
        zone: String,
        origins: Vec<Origin>,
        primary: i32,
        soa: Soa,
        fallthrough: Vec<String>,
        exists: Vec<String>,
        soa_nodata: bool,
        name: String,
        span: u32,
    },
    Whoami {
        span: u32,
    },
    Shuffle {
        prefer: Vec<String>,
        weights: BTreeMap<String, BTreeMap<String, u32>>,
        span: u32,
    },
    Errors {
        span: u32,
    },
    Debug {
        span: u32,
    },
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    pub name: String,
    pub reverse: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Soa {
    pub mname: String,
    pub rname: String,
    pub refresh: u32,
    pub retry: u32,
    pub expire: u32,
    pub minimum: u32,
    pub ttl: u32,
}
