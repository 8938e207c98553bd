//! Probes: an upstream that failed is asked until it answers.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::{free_place, lifetime};
use crate::client::Transport;
use crate::exchanges::{Asker, Exchange, Lifetime};
use crate::forward::{ForwardOp, Upstream, write_probe};
use crate::machine::Machine;
use crate::plan::HealthCheck;
use crate::waiting::Due;

/// How long a reply is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// An upstream that failed, and is asked until it answers.
pub struct Probe {
    upstream: Arc<Upstream>,
    check: HealthCheck,
    transport: Transport,
    lifetime: Lifetime,
}

impl Machine {
    /// Probes an upstream that failed, unless somebody does already.
    pub(super) fn probe(&mut self, now: Duration, upstream: Arc<Upstream>, op: &ForwardOp) {
        if upstream.probing.swap(true, Relaxed) {
            return;
        }
        let transport = if op.plan.force_tcp { Transport::Tcp } else { Transport::Udp };
        let probe = Probe { upstream, check: op.plan.health_check.clone(), transport, lifetime: lifetime(op) };
        let number = free_place(&mut self.later.probes);
        self.later.probes[number] = Some(probe);
        self.send_probe(now, number);
    }

    pub(super) fn send_probe(&mut self, now: Duration, number: usize) {
        let Some(Some(probe)) = self.later.probes.get(number) else { return };
        // No plan names it any more: only this probe does.
        if Arc::strong_count(&probe.upstream) == 1 {
            return self.probe_ended(number, false);
        }
        let message = write_probe(&probe.check);
        let target = probe.upstream.target(probe.transport);
        let (sent, _) = self.later.exchanges.send(now, target, probe.lifetime, Asker::Probe(number), &message);
        self.later.timers.add(now + PATIENCE, Due::Reply(sent));
    }

    pub(super) fn probe_failed(&mut self, now: Duration, number: usize, exchange: Option<Exchange>) {
        exchange.iter().for_each(|exchange| {
            self.later.exchanges.end(exchange, false);
        });
        let Some(Some(probe)) = self.later.probes.get(number) else { return };
        probe.upstream.fails.fetch_add(1, Relaxed);
        self.counting.upstream(probe.upstream.number).probe_failed();
        let again = now + Duration::from_millis(probe.check.interval_ms.max(1).into());
        self.later.timers.add(again, Due::Probe(number));
    }

    /// Any reply says that it is up.
    pub(super) fn probe_ended(&mut self, number: usize, healthy: bool) {
        let Some(probe) = self.later.probes.get_mut(number).and_then(Option::take) else { return };
        if healthy {
            probe.upstream.fails.store(0, Relaxed);
        }
        probe.upstream.probing.store(false, Relaxed);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for number in 0..self.later.probes.len() {
            self.probe_ended(number, false);
        }
    }
}
