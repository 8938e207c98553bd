//! Sockets, threads and streams around the core.
//!
//! Knows the kernel: datagrams, connections, listeners, time, the log's reader, the admin socket. Must not know what a DNS
//! message means (that is `core_dns`), Kubernetes, or Python.

mod admin;
mod body;
mod checks;
mod clock;
mod connection;
mod counters;
mod cpus;
mod engine;
mod entry;
mod explain;
mod frames;
mod heartbeat;
mod http;
mod inspect;
mod listeners;
mod log;
mod metrics;
mod mmsg;
mod process;
mod queries;
mod respond;
mod slots;
mod sys;
mod tasks;
mod tcp;
mod tls;
mod udp;
mod upstreams;
mod worker;
mod workers;

pub use admin::{Admin, AdminSocket};
pub use clock::nanoseconds;
pub use counters::Counts;
pub use cpus::worker_count;
pub use engine::{prepare_plan, start_engine};
pub use entry::LogFormat;
pub use http::{HttpLimits, HttpServer, PreparedHttp};
pub use inspect::{Inspector, InspectorSink};
pub use listeners::{BindError, Listener};
pub use log::{LogSink, log_flush, log_line, log_lines_lost, log_query, log_to_stdout};
pub use respond::Respond;
pub use tasks::{Task, Tasks};
pub use tcp::TcpLimits;
pub use tls::{Configurations as TlsConfigurations, Store as TlsStore};
pub use workers::{Prepared, Superseded, Workers};
