//! All TLS configurations of the running plan, by what the plan says of them. All threads look them up here.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use arc_swap::ArcSwap;
use core_dns::plan::{Op, Plan, TlsClient, TlsServer};

use super::client::ClientSide;
use super::server::ServerSide;

/// The running configurations.
#[derive(Default)]
pub struct Store {
    running: ArcSwap<Configurations>,
}

/// What a plan needs.
#[derive(Default)]
pub struct Configurations {
    clients: HashMap<TlsClient, Arc<ClientSide>>,
    servers: HashMap<TlsServer, Arc<ServerSide>>,
    /// Those of the plan before, whose queries may still be under way.
    leaving: HashMap<TlsClient, Arc<ClientSide>>,
}

impl Store {
    /// Reads all files that a plan names; nothing changes yet. What they hold already goes on as it is, its sessions known to the
    /// other side included. The errors say which files, and why.
    pub fn read(&self, plan: &Plan) -> Result<Configurations, Vec<String>> {
        let running = self.running.load();
        let mut errors = Vec::new();
        let found = Configurations {
            clients: read_all(clients_of(plan), &running.clients, ClientSide::read, &mut errors),
            servers: read_all(servers_of(plan), &running.servers, ServerSide::read, &mut errors),
            leaving: HashMap::new(),
        };
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

    /// How clients are answered.
    pub fn server(&self, plan: &TlsServer) -> Option<Arc<ServerSide>> {
        self.running.load().servers.get(plan).cloned()
    }
}

/// Reads each of them once.
fn read_all<'a, P: Clone + Eq + Hash + 'a, S>(
    plans: impl Iterator<Item = &'a P>,
    running: &HashMap<P, Arc<S>>,
    read: impl Fn(&P, Option<&Arc<S>>) -> Result<Arc<S>, String>,
    errors: &mut Vec<String>,
) -> HashMap<P, Arc<S>> {
    let mut found = HashMap::new();
    for plan in plans {
        if found.contains_key(plan) {
            continue;
        }
        match read(plan, running.get(plan)) {
            Ok(side) => drop(found.insert(plan.clone(), side)),
            Err(why) => errors.push(why),
        }
    }
    found
}

fn clients_of(plan: &Plan) -> impl Iterator<Item = &TlsClient> {
    let ops = plan.blocks.iter().flat_map(|block| &block.program);
    let upstreams = ops.flat_map(|op| if let Op::Forward(forward) = op { &forward.upstreams[..] } else { &[] });
    upstreams.filter_map(|upstream| upstream.tls.as_ref())
}

fn servers_of(plan: &Plan) -> impl Iterator<Item = &TlsServer> {
    let of_http = plan.http.iter().filter_map(|listener| listener.tls.as_ref());
    plan.listeners.iter().filter_map(|listener| listener.tls.as_ref()).chain(of_http)
}
