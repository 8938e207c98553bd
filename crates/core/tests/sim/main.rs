//! The simulator: machines of one engine, scripted upstreams, a network that loses, delays and lies, and time that passes at once.
//!
//! Tests are named after the recordings of CoreDNS whose rule they hold (`cache-keepttl` is `cache_keepttl`).

mod ask;
mod bailiwick;
mod cache;
mod cancel;
mod chaos;
mod dns64;
mod errors;
mod explain;
mod forward;
mod header;
mod lies;
mod lookout;
mod metrics;
mod rewrite;
mod sharing;
mod views;
mod world;
