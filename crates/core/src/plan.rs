//! The plan as the document says it: the mirror of `src/clusterdns/plan.py`, which describes each field. Unknown fields are refused.

#![allow(missing_docs, reason = "plan.py describes the fields; a second description would drift")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::CLASS_IN;

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
    #[serde(default)]
    pub http: Vec<HttpListener>,
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
    #[serde(default)]
    pub timeouts: Timeouts,
    #[serde(default)]
    pub tls: Option<TlsServer>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct TlsServer {
    pub cert: String,
    pub key: String,
    pub ca: String,
    pub client_auth: ClientAuth,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    Nocert,
    Request,
    Require,
    VerifyIfGiven,
    RequireAndVerify,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    pub read_ms: Option<u32>,
    pub write_ms: Option<u32>,
    pub idle_ms: Option<u32>,
    pub most_queries: Option<u32>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct HttpListener {
    pub address: String,
    pub serves: Serves,
    pub required: bool,
    pub zones: Vec<String>,
    pub latched: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsServer>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Serves {
    Health,
    Metrics,
    Ready,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Block {
    pub zone: String,
    pub listeners: Vec<String>,
    pub program: Vec<Op>,
    pub span: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub view: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Condition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

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

impl Block {
    /// Whether it leaves no query to further blocks for its zone.
    pub(crate) fn takes_all(&self) -> bool {
        self.view.is_empty() && self.when.is_empty()
    }

    /// The identity of its cache, and the ops that make what it keeps: those behind it, and those before it that make upstreams see what
    /// the cache does not tell apart.
    pub(crate) fn cache_and_its_ops(&self) -> Option<(&str, Vec<&Op>)> {
        let at = self.program.iter().position(|op| matches!(op, Op::Cache(_)))?;
        let (before, [Op::Cache(cache), behind @ ..]) = self.program.split_at(at) else { return None };
        Some((&cache.id, before.iter().filter(|op| op.changes_options()).chain(behind).collect()))
    }
}

/// The zones whose names two programs answer differently.
pub(crate) fn zones_that_differ<'a>(before: &[&'a Op], now: &[&'a Op]) -> Vec<&'a str> {
    let unplaced = |ops: &[&Op]| ops.iter().map(|op| op.without_place()).collect::<Vec<_>>();
    let (old, new) = (unplaced(before), unplaced(now));
    if old == new {
        return Vec::new();
    }
    let mut zones = Vec::new();
    let changed =
        before.iter().zip(&old).filter(|(_, op)| !new.contains(op)).chain(now.iter().zip(&new).filter(|(_, op)| !old.contains(op)));
    for (op, _) in changed {
        match op {
            Op::Forward(forward) => zones.push(forward.from_zone.as_str()),
            _ => return vec!["."],
        }
    }
    // The same ops in another order.
    if zones.is_empty() { vec!["."] } else { zones }
}

impl Op {
    /// Whether it may ask with other EDNS options than the client's.
    fn changes_options(&self) -> bool {
        matches!(self, Op::Rewrite { rules, .. } if rules.iter().any(|rule| matches!(rule.change, Rewrite::Option(_))))
    }

    /// Whether it is there for questions of other classes than the Internet's too.
    pub(crate) fn wants_all_classes(&self) -> bool {
        match self {
            Op::Forward(_) => true,
            Op::Fixed(fixed) => {
                fixed.names.iter().flat_map(|names| &names.replies).any(|reply| reply.qclass.is_some_and(|class| class != CLASS_IN))
            }
            _ => false,
        }
    }

    /// What it says, wherever it stands in the Corefile.
    fn without_place(&self) -> Value {
        // A plan that was read can be written.
        let mut said = serde_json::to_value(self).unwrap_or_default();
        drop_spans(&mut said);
        said
    }
}

fn drop_spans(said: &mut Value) {
    match said {
        Value::Object(fields) => {
            fields.remove("span");
            fields.values_mut().for_each(drop_spans);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_spans),
        _ => {}
    }
}
