//! The core from outside: plans and zones in, messages in, messages out. Rule numbers (G10, S1, H3 ...) are those of the behaviour that
//! was recorded from CoreDNS. One program for all, as each would link its own copy of the oracle.

mod acl;
mod aliases;
mod ask;
mod change;
mod edns;
mod fixed;
mod long;
mod message;
mod model;
mod names;
mod octets;
mod plans;
mod records;
mod rewrite;
mod sets;
mod size;
mod template;
mod views;
