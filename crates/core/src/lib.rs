//! The core: DNS messages in, DNS messages out. No sockets, no clock, no Python.
//!
//! Reading order: [`plan`] (what to do, decided elsewhere), [`engine`] (what all threads share), [`machine`] (one query's way),
//! [`program`] (blocks and ops), [`zone`] (local data), [`answer`] and [`wire`] (the message itself), [`trace`] (why).

pub mod answer;
pub mod engine;
pub mod machine;
pub mod name;
pub mod plan;
pub mod program;
pub mod text;
pub mod trace;
pub mod wire;
pub mod zone;
