//! What is known here besides the core's metrics: the sockets, the log, the process, the one who steers.

use std::sync::Arc;

use core_dns::engine::Engine;
use core_dns::gauges;
use core_dns::metrics::{Family, Kind, Page};

use crate::checks::HealthChecks;
use crate::counters::Counts;
use crate::heartbeat::Heartbeat;
use crate::log::log_lines_lost;
use crate::process;

/// The page of everything.
pub fn page(engine: &Arc<Engine>, counts: Counts, checks: &Arc<HealthChecks>, heartbeat: &Arc<Heartbeat>) -> Page {
    let mut families = process::families();
    families.extend(sockets(counts));
    let (durations, failures) = (Arc::clone(checks), Arc::clone(checks));
    let name = "coredns_health_request_duration_seconds";
    families.push(Family::new(name, "How long /health took to answer ourselves, once a second.", Kind::Histogram, move |samples| {
        samples.add(&[], durations.durations());
    }));
    let name = "coredns_health_request_failures_total";
    families.push(Family::counter(name, "How often /health did not answer ourselves.", move || failures.failures()));
    families.push(Family::counter("clusterdns_log_lines_lost_total", "Lines that the log's reader was too slow for.", log_lines_lost));
    let heartbeat = Arc::clone(heartbeat);
    let name = "clusterdns_python_heartbeat_timestamp_seconds";
    families.push(Family::new(name, "When Python was last seen alive, in seconds since 1970.", Kind::Gauge, move |samples| {
        if let Some(last) = heartbeat.last() {
            samples.add(&[], last);
        }
    }));
    gauges::page(engine, families)
}

fn sockets(counts: Counts) -> [Family; 7] {
    let family = |name, help, count: u64| Family::counter(name, help, move || count);
    [
        family("coredns_panics_total", "Panics of the engine; each costs one query its answer.", counts.panics),
        family("coredns_panic_count_total", "Old name: see coredns_panics_total.", counts.panics),
        family("clusterdns_udp_truncated_total", "Datagrams longer than the receive buffer, dropped.", counts.truncated),
        family("clusterdns_udp_receive_errors_total", "Errors when receiving datagrams.", counts.receive_errors),
        family("clusterdns_udp_unsent_total", "Datagrams that the kernel did not take.", counts.unsent),
        family("clusterdns_tcp_refused_total", "Connections refused because there were too many.", counts.refused_connections),
        family("clusterdns_tcp_closed_for_room_total", "Idle connections closed to make room for new ones.", counts.closed_for_room),
    ]
}
