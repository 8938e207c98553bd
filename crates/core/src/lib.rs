//! The core: DNS messages in, DNS messages out. No sockets, no clock, no Python.
//!
//! Reading order: [`plan`] (what to do, decided elsewhere), [`engine`] (what all threads share), [`machine`] (one query's way; the ops' turns are in `machine/turns.rs`),
//! [`way`] (where it stands among blocks and ops), [`program`] (the blocks and ops), [`zone`] (local data), [`shuffle`], [`answer`]
//! and [`wire`] (the message itself), [`trace`] (why) and [`changes`] (what an op made of an answer), [`log`], [`metrics`], [`gauges`]. For queries that wait: [`cache`], [`forward`], [`chain`] (of aliases), [`exchanges`] (messages to upstreams), [`waiting`],
//! [`mailbox`] (between threads). [`pattern`]: regular expressions.

pub mod acl;
pub mod answer;
pub mod ask;
pub mod cache;
pub mod chain;
pub mod changes;
pub mod client;
pub mod dns64;
pub mod edns;
pub mod engine;
pub mod errors;
pub mod exchanges;
pub mod expression;
pub mod facts;
pub mod fixed;
pub mod forward;
pub mod gauges;
pub mod header;
pub mod labels;
pub mod log;
pub mod lookout;
pub mod machine;
pub mod mailbox;
pub mod metrics;
pub mod minimal;
pub mod name;
pub mod network;
pub mod own_sockets;
pub mod pattern;
pub mod plan;
pub mod program;
pub mod random;
pub mod rdata;
pub mod rewrite;
pub mod shuffle;
pub mod template;
pub mod text;
pub mod trace;
pub mod view;
pub mod waiting;
pub mod way;
pub mod whoami;
pub mod wire;
pub mod zone;
pub mod zonefile;
