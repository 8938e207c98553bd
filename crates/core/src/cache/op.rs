//! The op `cache` in a block: before the ops behind it, it answers from what is kept; after them, it keeps what they said.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::bailiwick::Selection;
use super::rules::{Class, Judgement, judge};
use super::sharing::shared_options;
use super::{Cache, DENIAL, FlightKey, Kept, Key, SUCCESS, kind, tell};
use crate::answer::Answer;
use crate::chain::Chain;
use crate::client::Transport;
use crate::metrics::{Count, OpCounter, PlaceLabel};
use crate::name::is_under;
use crate::plan::{self, StaleMode};
use crate::trace::Recorder;
use crate::way::Turn;

/// The op, ready to run.
pub struct CacheOp {
    /// Where the answers are.
    pub cache: Arc<Cache>,
    /// The cache's epoch in which this op is right.
    epoch: AtomicU64,
    plan: plan::CacheOp,
    zones: Zones,
    /// Names that local data answers: they are never kept, so they are not looked for.
    local: Zones,
    disable_success: Zones,
    disable_denial: Zones,
}

struct Zones(Vec<Box<[u8]>>);

// The numbers of its counters; those of denials follow those of successes.
const REQUESTS: usize = 0;
const MISSES: usize = 1;
const HITS: usize = 2;
const SERVED_STALE: usize = 4;
const PREFETCHES: usize = 5;
const EVICTIONS: usize = 6;
const RECORDS_DROPPED: usize = 8;

/// The labels that the place of the op has.
const PLACE: &[PlaceLabel] = &[PlaceLabel::Server, PlaceLabel::View];

/// What the op found.
pub enum Found {
    /// The answer stands. With a lead, the ops behind shall renew the entry in the background.
    Answer(Option<Lead>),
    /// Nothing: the ops behind are asked.
    Nothing(Lead),
    /// Something past its time, and the ops behind are to be asked; they have this long.
    Stale(Lead, Arc<Kept>, Duration),
    /// The name is none of its business.
    Next,
}

/// What a question that passed the cache brings back to it.
#[derive(Default)]
pub struct Lead {
    /// The op's place in its block.
    pub at: usize,
    /// Others wait for the answer under this number.
    pub flight: Option<u64>,
    /// What is used when nothing better comes.
    pub stale: Option<Arc<Kept>>,
    /// The entry that is being renewed.
    pub renewing: Option<Arc<Kept>>,
}

impl CacheOp {
    /// Compiles the op; the error names what is no domain name.
    pub fn new(cache: Arc<Cache>, op: &plan::CacheOp) -> Result<CacheOp, String> {
        let zones = Zones::new(&op.zones)?;
        let (disable_success, disable_denial) = (Zones::new(&op.disable_success)?, Zones::new(&op.disable_denial)?);
        let epoch = AtomicU64::new(cache.epoch());
        Ok(CacheOp { cache, epoch, plan: op.clone(), zones, local: Zones(Vec::new()), disable_success, disable_denial })
    }

    /// Local data answers names under this zone, whatever is kept.
    pub fn leave_to_local_data(&mut self, zone: &[u8]) {
        self.local.0.push(zone.into());
    }

    /// The op runs from now on: its way is the cache's.
    pub fn install(&self) {
        self.epoch.store(self.cache.epoch(), Ordering::Release);
    }

    /// The zones whose answers it keeps, as a label.
    pub fn zones(&self) -> String {
        self.plan.zones.join(",")
    }

    /// What it counts, by the constants above.
    pub fn counters(&self) -> Vec<OpCounter> {
        let zones = self.zones();
        let of = |(name, help): (&'static str, &'static str)| OpCounter::new(name, help, PLACE).with("zones", &zones);
        let of_both = |family| [of(family).with("type", SUCCESS), of(family).with("type", DENIAL)];
        let [hits, denials] = of_both(("coredns_cache_hits_total", "Answers from the cache, by what they say."));
        let [evictions, denial_evictions] = of_both(("coredns_cache_evictions_total", "Entries that had to go for others."));
        vec![
            of(("coredns_cache_requests_total", "Questions that came to the cache.")),
            of(("coredns_cache_misses_total", "Questions that it could not answer. Deprecated: it is requests less hits.")),
            hits,
            denials,
            of(("coredns_cache_served_stale_total", "Answers that were past their time.")),
            of(("coredns_cache_prefetch_total", "Entries that were renewed before or after their time.")),
            evictions,
            denial_evictions,
            of(("clusterdns_cache_records_dropped_total", "Records of upstreams that were not kept: they do not belong to the question.")),
        ]
    }

    /// Answers, if something is kept; else says what the question brings back to [`CacheOp::after`].
    pub fn before<R: Recorder>(&self, turn: &Turn<'_>, count: &mut Count<'_>, answer: &mut Answer, recorder: &mut R) -> Found {
        let is_local = self.local.contain(turn.asked.lower);
        if is_local || !self.zones.contain(turn.asked.lower) {
            recorder.note("uncached", || match is_local {
                true => "this server has the data itself".to_owned(),
                false => format!("only names in {} are kept", self.plan.zones.join(" ")),
            });
            return Found::Next;
        }
        let window = self.plan.serve_stale.as_ref().map_or(0, |stale| stale.window);
        count.one(REQUESTS);
        let found = self.cache.look(&self.key(turn), turn.now, window, |kept, left| {
            count.one(HITS + kind(kept.class));
            if left > 0 {
                recorder.note("hit", || tell::hit(&self.plan, kept, left, turn.now));
                return Found::Answer(self.hit(kept, left, turn, answer));
            }
            recorder.note("stale", || tell::stale(&self.plan, kept, left, turn.now));
            self.stale(kept, turn, count, answer)
        });
        let found = found.unwrap_or_else(|| {
            count.one(MISSES);
            recorder.note("miss", || {
                let old = self.cache.look(&self.key(turn), turn.now, u32::MAX, |kept, left| (Arc::clone(kept), left));
                tell::miss(&self.plan, old.as_ref().map(|(kept, left)| (&**kept, *left)), turn.now)
            });
            Found::Nothing(Lead { at: turn.at, ..Lead::default() })
        });
        if let Found::Answer(Some(_)) = found {
            count.one(PREFETCHES);
        }
        found
    }

    /// Keeps the answer of the ops behind, if it may be kept; gives all its records one TTL.
    pub fn after<R: Recorder>(&self, turn: &Turn<'_>, lead: Lead, count: &mut Count<'_>, answer: &mut Answer, recorder: &mut R) {
        let chain = Chain::of(answer, &turn.asked, turn.request.qclass);
        let judgement = judge(&self.plan, turn.request, &chain, answer);
        let came = answer.failure.is_none() && answer.cacheable;
        if came {
            for rr in answer.answer.iter_mut().chain(&mut answer.authority).chain(&mut answer.additional) {
                rr.ttl = judgement.ttl;
            }
            answer.edns = None;
        }
        let is_right = self.epoch.load(Ordering::Acquire) == self.cache.epoch();
        let may_keep = came && is_right && judgement.keep && !self.is_disabled(&judgement, turn);
        let keep = may_keep && !turn.quiet;
        recorder.note("keeps", || self.tell_keeping(turn, &judgement, may_keep, &chain, answer));
        if keep || lead.flight.is_some() {
            // What is not kept is for those who asked the same only, as it came.
            let selection = match keep && answer.foreign {
                true => Selection::of(answer, &chain, judgement.class == Class::Denial),
                false => Selection::all(answer),
            };
            let kept = Arc::new(Kept::freeze(&turn.asked, answer, &selection, &judgement, turn.now));
            if keep {
                count.add(RECORDS_DROPPED, selection.dropped);
                let (window, prefer) = self.staleness();
                let evicted = self.cache.store(&self.key(turn), &kept, turn.now, window, prefer);
                count.add(EVICTIONS + kind(kept.class), evicted);
            }
            if let Some(number) = lead.flight {
                self.cache.land(turn.asked.lower, number, &kept);
            }
        }
        let renews = came && judgement.renews;
        if let Some(old) = &lead.renewing {
            old.end_refresh(turn.now, renews, self.recheck());
        }
        match &lead.stale {
            Some(stale) if !renews => {
                recorder.note("stale", || "nothing better came".to_owned());
                self.thaw_stale(stale, turn, count, answer);
            }
            _ => self.clear_ad(turn, answer),
        }
    }

    /// Says what the leader of the same question got, to one who waited for it.
    pub fn arrived(&self, turn: &Turn<'_>, kept: &Kept, stale: Option<&Arc<Kept>>, count: &mut Count<'_>, answer: &mut Answer) {
        match stale {
            Some(stale) if kept.is_failure() || !matches!(kept.rcode, 0 | 3) => self.thaw_stale(stale, turn, count, answer),
            _ => {
                kept.thaw(&turn.asked, None, answer);
                // One who verified gets it as from the cache, as recorded.
                answer.aa |= stale.is_some();
                self.clear_ad(turn, answer);
            }
        }
    }

    /// Says what is past its time.
    pub fn thaw_stale(&self, kept: &Kept, turn: &Turn<'_>, count: &mut Count<'_>, answer: &mut Answer) {
        count.one(SERVED_STALE);
        let ttl = self.plan.serve_stale.as_ref().map_or(0, |stale| stale.ttl);
        let ttl = if ttl == 0 && self.plan.keepttl { kept.ttl } else { ttl };
        answer.clear();
        self.thaw(kept, ttl, turn, answer);
    }

    /// Under which key identical questions are asked once; none where the client's EDNS options make it its own.
    pub fn flight_key(&self, turn: &Turn<'_>) -> Option<FlightKey> {
        if turn.quiet {
            return None;
        }
        let options = shared_options(turn.options)?;
        let size = turn.request.edns.map_or(0, |edns| edns.size);
        let is_stream = turn.client.transport == Transport::Tcp;
        let how = u32::from(size) << 8 | options << 2 | u32::from(is_stream) << 1 | u32::from(turn.request.rd);
        let bits = self.key(turn).bits | u64::from(turn.request.opcode) << 48;
        Some(FlightKey { lower: turn.asked.lower.into(), bits, how, epoch: self.epoch.load(Ordering::Acquire) })
    }

    fn hit(&self, kept: &Arc<Kept>, left: i64, turn: &Turn<'_>, answer: &mut Answer) -> Option<Lead> {
        let ttl = if self.plan.keepttl { kept.ttl } else { left as u32 };
        self.thaw(kept, ttl, turn, answer);
        let prefetch = self.plan.prefetch.as_ref().filter(|_| !turn.quiet)?;
        let hits = kept.hit(turn.now, Duration::from_secs(prefetch.duration.into()));
        let due = hits >= prefetch.amount && left <= kept.threshold(prefetch.percentage);
        (due && kept.begin_refresh(turn.now)).then(|| self.renewal(kept, turn))
    }

    fn stale(&self, kept: &Arc<Kept>, turn: &Turn<'_>, count: &mut Count<'_>, answer: &mut Answer) -> Found {
        let Some(stale) = &self.plan.serve_stale else { return Found::Next };
        let verifies = stale.mode == StaleMode::Verify;
        let waits_for_all = verifies && stale.timeout_ms == 0;
        if turn.quiet && verifies {
            return Found::Nothing(Lead { at: turn.at, stale: Some(Arc::clone(kept)), ..Lead::default() });
        }
        // Without a recheck time everybody who verifies asks; identical questions are one question upstream anyway.
        let may_refresh = !turn.quiet && (waits_for_all && stale.recheck == 0 || kept.begin_refresh(turn.now));
        if !may_refresh || !verifies {
            self.thaw_stale(kept, turn, count, answer);
            return Found::Answer(may_refresh.then(|| self.renewal(kept, turn)));
        }
        let renewing = (!waits_for_all || stale.recheck > 0).then(|| Arc::clone(kept));
        let lead = Lead { at: turn.at, renewing, ..Lead::default() };
        if waits_for_all {
            return Found::Nothing(Lead { stale: Some(Arc::clone(kept)), ..lead });
        }
        Found::Stale(lead, Arc::clone(kept), Duration::from_millis(stale.timeout_ms.into()))
    }

    fn renewal(&self, kept: &Arc<Kept>, turn: &Turn<'_>) -> Lead {
        Lead { at: turn.at, renewing: Some(Arc::clone(kept)), ..Lead::default() }
    }

    /// What becomes of an answer, in words.
    fn tell_keeping(&self, turn: &Turn<'_>, judgement: &Judgement, may_keep: bool, chain: &Chain, answer: &Answer) -> String {
        let (window, prefer) = self.staleness();
        let comes_before = |old: &Arc<Kept>, _| old.comes_before(judgement.class, judgement.answering, turn.now, window, prefer);
        let why_not = match &answer.failure {
            Some(why) => format!("nobody could answer: {why}"),
            None if !answer.cacheable => "it is this server's own, or whoever said it does not want it kept".to_owned(),
            None if !judgement.keep => tell::refusal(judgement, answer),
            None if self.is_disabled(judgement, turn) => "the Corefile says so (disable)".to_owned(),
            None if !may_keep => "names have got another way since it was asked".to_owned(),
            None if self.cache.look(&self.key(turn), turn.now, u32::MAX, comes_before) == Some(true) => {
                "what is there can still be used, and says more".to_owned()
            }
            None => {
                let dropped = if answer.foreign { Selection::of(answer, chain, judgement.class == Class::Denial).dropped } else { 0 };
                let time = tell::time(judgement, dropped);
                return if turn.quiet { format!("{time}, were it not only explained") } else { time };
            }
        };
        format!("nothing: {why_not}")
    }

    /// For how many seconds stale entries can be used, and whether a success comes before a denial.
    fn staleness(&self) -> (u32, bool) {
        self.plan.serve_stale.as_ref().map_or((0, false), |stale| (stale.window, stale.prefer_positive))
    }

    fn recheck(&self) -> Duration {
        Duration::from_secs(self.plan.serve_stale.as_ref().map_or(0, |stale| stale.recheck).into())
    }

    /// A hit: the flags are the question's, but for RA and AD; AA is set, as some stub resolvers want it (recorded).
    fn thaw(&self, kept: &Kept, ttl: u32, turn: &Turn<'_>, answer: &mut Answer) {
        kept.thaw(&turn.asked, Some(ttl), answer);
        (answer.aa, answer.tc, answer.rd_cd) = (true, false, None);
        self.clear_ad(turn, answer);
    }

    /// AD only for those who asked for it (RFC 6840 5.8).
    fn clear_ad(&self, turn: &Turn<'_>, answer: &mut Answer) {
        answer.ad &= turn.request.ad || turn.request.edns.is_some_and(|edns| edns.dnssec_ok);
    }

    fn is_disabled(&self, judgement: &Judgement, turn: &Turn<'_>) -> bool {
        match judgement.class {
            Class::Success => self.disable_success.contain(turn.asked.lower),
            _ => self.disable_denial.contain(turn.asked.lower),
        }
    }

    fn key<'a>(&self, turn: &Turn<'a>) -> Key<'a> {
        let query = turn.request;
        self.cache.key(turn.asked.lower, query.qtype, query.qclass, query.edns.is_some_and(|edns| edns.dnssec_ok), query.cd)
    }
}

impl Zones {
    fn new(zones: &[String]) -> Result<Zones, String> {
        let absolute = |zone: &String| crate::name::absolute_lower(zone).map_err(|why| format!("{zone} {why}"));
        zones.iter().map(absolute).collect::<Result<_, _>>().map(Zones)
    }

    fn contain(&self, lower: &[u8]) -> bool {
        self.0.iter().any(|zone| zone.len() == 1 || is_under(lower, zone))
    }
}
