//! TLS: certificates and keys from files, whom to trust, and sessions over sockets that do not block.
//!
//! Knows files, rustls and single sockets. Must not know DNS messages, listeners or lanes.

mod channel;
mod client;
mod files;
mod reason;
mod server;
mod store;
mod trust;

use std::sync::{Arc, LazyLock};

use rustls::crypto::{CryptoProvider, ring};

pub use channel::Channel;
pub use reason::{Failure, failed};
pub use store::{Configurations, Store};

/// The algorithms. Handed over wherever rustls wants some, so that nothing depends on what the process has installed.
static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));
