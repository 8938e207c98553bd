//! The ops: what a query meets on its way through a block.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{RewriteRule, TemplateRule};

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
        bare_ports: bool,
        name: String,
        span: u32,
    },
    Records(RecordsOp),
    Cache(CacheOp),
    Forward(ForwardOp),
    Log {
        rules: Vec<LogRule>,
        span: u32,
    },
    Ask(AskOp),
    Cancel {
        timeout_ms: u32,
        span: u32,
    },
    Lookout {
        id: String,
        span: u32,
    },
    Bufsize {
        size: u16,
        span: u32,
    },
    Header {
        query: Flags,
        response: Flags,
        span: u32,
    },
    Minimal {
        span: u32,
    },
    Rewrite {
        rules: Vec<RewriteRule>,
        span: u32,
    },
    Dns64 {
        prefix: String,
        translate_all: bool,
        allow_ipv4: bool,
        span: u32,
    },
    Acl {
        lists: Vec<AclList>,
        span: u32,
    },
    Fixed(FixedOp),
    Template {
        rules: Vec<TemplateRule>,
        span: u32,
    },
    Nsid {
        data: String,
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
        #[serde(default)]
        id: String,
        #[serde(default)]
        consolidate: Vec<Consolidation>,
        span: u32,
    },
    Debug {
        span: u32,
    },
    Count {
        directive: String,
        directives: Vec<String>,
        zone: String,
        span: u32,
    },
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Flags {
    pub aa: Option<bool>,
    pub ra: Option<bool>,
    pub rd: Option<bool>,
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

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct RecordsOp {
    pub zones: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    pub under: Vec<String>,
    pub types: Vec<u16>,
    pub anywhere: Vec<u16>,
    pub fallthrough: Vec<String>,
    pub fallthrough_types: bool,
    pub name: String,
    pub span: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct CacheOp {
    pub id: String,
    pub zones: Vec<String>,
    pub success: CacheClass,
    pub denial: CacheClass,
    pub servfail: u32,
    pub prefetch: Option<Prefetch>,
    pub serve_stale: Option<ServeStale>,
    pub keepttl: bool,
    pub disable_success: Vec<String>,
    pub disable_denial: Vec<String>,
    pub span: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct CacheClass {
    pub capacity: u32,
    pub max_ttl: u32,
    pub min_ttl: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Prefetch {
    pub amount: u32,
    pub duration: u32,
    pub percentage: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ServeStale {
    pub window: u32,
    pub mode: StaleMode,
    pub timeout_ms: u32,
    pub ttl: u32,
    pub recheck: u32,
    pub prefer_positive: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum StaleMode {
    Immediate,
    Verify,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ForwardOp {
    pub id: String,
    pub from_zone: String,
    pub except_zones: Vec<String>,
    pub upstreams: Vec<Upstream>,
    pub policy: Policy,
    pub max_fails: u32,
    pub expire_ms: u32,
    pub max_age_ms: u32,
    pub max_concurrent: u32,
    pub force_tcp: bool,
    pub prefer_udp: bool,
    pub read_timeout_ms: u32,
    pub max_connect_attempts: u32,
    pub health_check: HealthCheck,
    pub failover: Vec<u16>,
    pub next: Vec<u16>,
    pub next_on_nodata: bool,
    pub failfast_all_unhealthy: bool,
    pub span: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct AskOp {
    pub function: String,
    pub zones: Vec<String>,
    pub timeout_ms: u32,
    pub on_failure: OnFailure,
    pub span: u32,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    Servfail,
    Next,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct AclList {
    pub zones: Vec<String>,
    pub rules: Vec<AclRule>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct AclRule {
    pub action: AclAction,
    pub types: Vec<u16>,
    pub networks: Vec<String>,
    pub span: u32,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum AclAction {
    Allow,
    Block,
    Filter,
    Drop,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct FixedOp {
    pub names: Vec<FixedNames>,
    pub name: String,
    pub span: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct FixedNames {
    pub which: FixedMatch,
    pub name: String,
    pub replies: Vec<FixedReply>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<Counter>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Counter {
    pub name: String,
    pub help: String,
    pub place: Vec<PlaceLabel>,
    pub labels: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum PlaceLabel {
    Server,
    Zone,
    View,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum FixedMatch {
    All,
    Name,
    Below,
    Label,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct FixedReply {
    pub qtype: Option<u16>,
    pub qclass: Option<u16>,
    pub rcode: u16,
    pub answer: Vec<String>,
    pub authority: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct LogRule {
    pub zone: String,
    pub format: Vec<String>,
    pub classes: Vec<LogClass>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct Consolidation {
    pub pattern: String,
    pub period_ms: u32,
    pub period: String,
    pub level: LogLevel,
    pub show_first: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
}

impl LogLevel {
    /// As a line of the log begins.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Debug => "DEBUG",
            LogLevel::Info => "INFO",
            LogLevel::Warning => "WARNING",
            LogLevel::Error => "ERROR",
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogClass {
    Success,
    Denial,
    Error,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    pub address: String,
    pub tls: Option<TlsClient>,
    pub source: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct TlsClient {
    pub server_name: String,
    pub ca: String,
    pub cert: String,
    pub key: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    Random,
    RoundRobin,
    Sequential,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    pub interval_ms: u32,
    pub domain: String,
    pub recursion_desired: bool,
}
