//! Where to listen, and how: for DNS, and for HTTP.

use serde::{Deserialize, Serialize};

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
