//! The page of all metrics: what has been counted, and what there is now.

use std::collections::HashSet;
use std::sync::Arc;

use crate::cache::{Cache, DENIAL, Held, SUCCESS};
use crate::engine::Engine;
use crate::metrics::{Family, Kind, Page, Samples};
use crate::plan::{Op, Plan};

/// All that is known of an engine, and `more` families.
pub fn page(engine: &Arc<Engine>, more: Vec<Family>) -> Page {
    let mut families = more;
    families.extend([
        gauge(engine, "coredns_plugin_enabled", "1 for each directive that sees the queries of a block.", |engine, samples| {
            enabled(&engine.plan(), samples);
        }),
        gauge(engine, "coredns_cache_entries", "Entries of the cache, by what they say.", |engine, samples| {
            for_each_filled_cache(engine, |cache, held| {
                let Of { server, zones, view } = cache;
                for (kind, entries) in [SUCCESS, DENIAL].into_iter().zip(held.entries) {
                    samples.add(&[("server", server), ("zones", zones), ("view", view), ("type", kind)], entries as f64);
                }
            });
        }),
        // A reply to another question does not come as far as a cache; boards ask for it all the same.
        family(
            engine,
            "coredns_cache_drops_total",
            "Replies to another question, which are not kept.",
            Kind::Counter,
            |engine, samples| {
                for_each_cache(engine, |Of { server, zones, view }, _| {
                    samples.add_even_nothing(&[("server", server), ("zones", zones), ("view", view)], 0);
                });
            },
        ),
        gauge(engine, "coredns_cache_size", "Old name: see coredns_cache_entries.", |engine, samples| {
            for_each_filled_cache(engine, |cache, held| {
                for (kind, entries) in [SUCCESS, DENIAL].into_iter().zip(held.entries) {
                    samples.add(&[("server", cache.server), ("type", kind)], entries as f64);
                }
            });
        }),
        gauge(engine, "clusterdns_cache_bytes", "Octets of all entries of the cache.", |engine, samples| {
            for_each_filled_cache(engine, |Of { server, zones, view }, held| {
                samples.add(&[("server", server), ("zones", zones), ("view", view)], held.bytes as f64);
            });
        }),
    ]);
    let shed = Arc::clone(engine);
    let help = "Queries that were given up because too many waited.";
    families.push(Family::counter("clusterdns_queries_shed_total", help, move || shed.shed()));
    engine.metrics.page(families)
}

fn gauge(engine: &Arc<Engine>, name: &'static str, help: &'static str, read: fn(&Engine, &mut Samples)) -> Family {
    family(engine, name, help, Kind::Gauge, read)
}

fn family(engine: &Arc<Engine>, name: &'static str, help: &'static str, kind: Kind, read: fn(&Engine, &mut Samples)) -> Family {
    let engine = Arc::clone(engine);
    Family::new(name, help, kind, move |samples| read(&engine, samples))
}

/// The directives of blocks that count their queries. CoreDNS shows them under the first zone of their block only.
fn enabled(plan: &Plan, samples: &mut Samples) {
    for block in &plan.blocks {
        for op in &block.program {
            let Op::Count { directives, zone, .. } = op else { continue };
            let listeners = plan.listeners.iter().filter(|listener| *zone == block.zone && block.listeners.contains(&listener.id));
            for listener in listeners {
                for name in directives {
                    samples.add(&[("server", &listener.server), ("zone", zone), ("view", &block.view), ("name", name)], 1.0);
                }
            }
        }
    }
}

/// Where a cache is.
struct Of<'a> {
    server: &'a str,
    zones: &'a str,
    view: &'a str,
}

/// Each cache that has ever held anything once for each of its listeners.
fn for_each_filled_cache(engine: &Engine, mut read: impl FnMut(Of<'_>, Held)) {
    for_each_cache(engine, |of, cache| {
        if let Some(held) = cache.held() {
            read(of, held);
        }
    });
}

/// Each cache once for each of its listeners.
fn for_each_cache(engine: &Engine, mut read: impl FnMut(Of<'_>, &Cache)) {
    let program = engine.program();
    let mut seen = HashSet::new();
    for (block, op) in program.caches() {
        for listener in program.plan.listeners.iter().filter(|listener| block.listeners.contains(&listener.id)) {
            // The blocks that one server block became share its cache.
            if seen.insert((&op.cache.id, &listener.server)) {
                read(Of { server: &listener.server, zones: &op.zones(), view: &block.view }, &op.cache);
            }
        }
    }
}
