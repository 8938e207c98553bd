//! All TLS configurations of the running plan, by what the plan says of them. All threads look them up here.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use core_dns::plan::{Op, Plan, TlsClient};

use super::client::ClientSide;

/// The running configurations.
#[derive(Default)]
pub struct Store {
    running: ArcSwap<Configurations>,
}

/// What a plan needs.
#[derive(Default)]
pub struct Configurations {
    clients: HashMap<TlsClient, Arc<ClientSide>>,
    /// Those of the plan before, whose queries may still be under way.
    leaving: HashMap<TlsClient, Arc<ClientSide>>,
}

impl Store {
    /// Reads all files that a plan names; nothing changes yet. What they hold already goes on as it is, its sessions known to the
    /// other side included. The errors say which files, and why.
    pub fn read(&self, plan: &Plan) -> Result<Configurations, Vec<String>> {
        let running = self.running.load();
        let (mut found, mut errors) = (Configurations::default(), Vec::new());
        for client in clients_of(plan) {
            if found.clients.contains_key(client) {
                continue;
            }
            match ClientSide::read(client, running.clients.get(client)) {
                Ok(read) => drop(found.clients.insert(client.clone(), read)),
                Err(why) => errors.push(why),
            }
        }
        errors.dedup();
        if errors.is_empty() { Ok(found) } else { Err(errors) }
    }

    /// Makes these the running ones.
    pub fn install(&self, mut configurations: Configurations) {
        configurations.leaving.clone_from(&self.running.load().clients);
        self.running.store(Arc::new(configurations));
    }

    /// How a server is asked.
    pub fn client(&self, plan: &TlsClient) -> Option<Arc<ClientSide>> {
        let running = self.running.load();
        running.clients.get(plan).or_else(|| running.leaving.get(plan)).cloned()
    }
}

fn clients_of(plan: &Plan) -> impl Iterator<Item = &TlsClient> {
    let ops = plan.blocks.iter().flat_map(|block| &block.program);
    let upstreams = ops.flat_map(|op| if let Op::Forward(forward) = op { &forward.upstreams[..] } else { &[] });
    upstreams.filter_map(|upstream| upstream.tls.as_ref())
}
