//! Where a query stands: the block, the op, the question at hand, and the questions outside it. Small enough to be put away while it
//! waits.

use std::net::SocketAddr;
use std::time::Duration;

use crate::answer::{Answer, Aside, NameRef, QNAME};
use crate::cache::Lead;
use crate::client::Client;
use crate::wire::{HEADER, OPT_LEN, Query, Request};
use crate::zone::Asked;

/// The most aliases that are followed through other blocks.
const MAX_CHASE: usize = 10;
/// The most questions outside the one at hand.
const MAX_DEPTH: usize = 16;

/// A query's place in the program.
pub struct Way {
    /// The question at hand.
    pub level: Level,
    /// The questions that wait for its answer, the client's own first.
    outer: Vec<Outer>,
    /// The targets that were asked for, in lower case.
    followed: Vec<Box<[u8]>>,
    /// When the query came, by the clock of those who log; 0: nobody does.
    pub begun: u64,
    /// What became of the client's question, if somebody logs it.
    pub became: Option<Box<Other>>,
    /// The upstream that was asked last.
    pub upstream: Option<SocketAddr>,
    /// When it came, and under what it is counted, if it is.
    pub arrival: Option<Arrival>,
    /// What the client's datagrams may hold, where an op has said so; it is told in the reply's EDNS.
    pub size: Option<u16>,
    /// It does not wait for others' answers: it was looked out for, and each time that it comes back is to be seen.
    pub alone: bool,
}

/// A query that is counted.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The number of its series.
    pub series: u32,
    /// When it came, since the engine's start.
    pub at: Duration,
}

/// One question: the client's, or one that was made of it.
pub struct Level {
    /// The block's number.
    pub block: u32,
    /// The op whose turn it is.
    pub at: usize,
    /// The first op that has a second turn.
    pub first: usize,
    /// What it brings back to the cache that it passed.
    pub lead: Option<Lead>,
    /// When it is given up; never, unless an op has said so. A question inside another one is given up no later than that.
    pub until: Duration,
    /// What is asked in place of the client's question.
    other: Option<Box<Other>>,
    /// What was asked before ops changed it, the last change last.
    changes: Vec<Change>,
}

/// A question in place of the client's: the target of an alias, or what an op made of it.
#[derive(Clone)]
pub struct Other {
    owner: NameRef,
    name: Vec<u8>,
    lower: Box<[u8]>,
    /// What is wanted of that name.
    pub request: Request,
    /// The options of its EDNS.
    pub options: Vec<u8>,
}

/// What an op did to the question; it is undone when the answer comes back to the op.
struct Change {
    at: usize,
    before: Option<Box<Other>>,
    memory: Memory,
}

/// What an op remembers of its change until the answer comes: what it needs, in its own encoding.
pub type Memory = Vec<u32>;

struct Outer {
    level: Level,
    aside: Aside,
    purpose: Inside,
}

/// Why a question is asked inside another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inside {
    /// It is the target of an alias: its records belong behind the alias.
    Alias,
    /// The op at hand wants both answers.
    Op,
}

/// What is outside a question that is answered.
pub enum Left {
    /// Nothing: it was the client's.
    Client,
    /// A question whose answer has got the records of this one.
    Alias,
    /// An op that asked in between; its own question's answer is aside.
    Op(Aside),
}

/// One op's turn: what is asked, by whom, when.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    /// Since the engine's start.
    pub now: Duration,
    /// Who asks.
    pub client: &'a Client,
    /// What is wanted of the name.
    pub request: &'a Request,
    /// The options of the request's EDNS, as on the wire.
    pub options: &'a [u8],
    /// The name at hand.
    pub asked: Asked<'a>,
    /// The op's place in its block.
    pub at: usize,
    /// Nothing may be kept or counted.
    pub quiet: bool,
}

/// What is next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// The op at hand and those behind it have their turn, until one answers.
    Before,
    /// Aliases that lead out of the answer are followed.
    Chase,
    /// The ops that were passed have their second turn, the last one first.
    After,
}

impl Way {
    /// At the first op of a block, with the client's question.
    pub fn new(block: u32) -> Way {
        let level = Level::new(block, 0, None);
        Way {
            level,
            outer: Vec::new(),
            followed: Vec::new(),
            begun: 0,
            became: None,
            upstream: None,
            arrival: None,
            size: None,
            alone: false,
        }
    }

    /// A question of the cache's own: the one at hand, from behind the cache on, and back to it.
    pub fn renewal(&self, lead: Lead) -> Way {
        let first = lead.at;
        let level = Level { at: first + 1, lead: Some(lead), ..Level::new(self.level.block, first, self.level.other.clone()) };
        Way { level, ..Way::new(self.level.block) }
    }

    /// How long it may still wait for what takes this long at most.
    pub fn patience(&self, most: Duration, now: Duration) -> Duration {
        most.min(self.level.until.saturating_sub(now))
    }

    /// Whether there are questions outside this one.
    pub fn is_inside(&self) -> bool {
        !self.outer.is_empty()
    }

    /// The block of the client's own question.
    pub fn outermost_block(&self) -> u32 {
        self.outer.first().map_or(&self.level, |outer| &outer.level).block
    }

    /// Puts the names at hand into an answer that was begun anew.
    pub fn anchor(&mut self, answer: &mut Answer) {
        let Level { other, changes, .. } = &mut self.level;
        for other in other.iter_mut().chain(changes.iter_mut().filter_map(|change| change.before.as_mut())) {
            if other.owner != QNAME {
                other.owner = answer.intern(&[&other.name]);
            }
        }
    }

    /// The name that is asked for now; `name` and `lower` are the client's.
    pub fn asked<'a>(&'a self, name: &'a [u8], lower: &'a [u8]) -> Asked<'a> {
        match &self.level.other {
            Some(other) => Asked { owner: other.owner, name: &other.name, lower: &other.lower },
            None => Asked { owner: QNAME, name, lower },
        }
    }

    /// What is wanted of that name, and the options of its EDNS; `query` and its `message` are the client's.
    pub fn request<'a>(&'a self, query: &'a Query, message: &'a [u8]) -> (&'a Request, &'a [u8]) {
        match &self.level.other {
            Some(other) => (&other.request, &other.options),
            None => (&query.request, &message[query.options.clone()]),
        }
    }

    /// The op at hand asks something else from here on; until the answer comes back to it, see [`Way::undo`].
    pub fn change(&mut self, to: Other, memory: Memory) {
        let before = self.level.other.replace(Box::new(to));
        self.level.changes.push(Change { at: self.level.at, before, memory });
    }

    /// Whether the op at hand changed the question.
    pub fn is_changed(&self) -> bool {
        self.level.changes.last().is_some_and(|change| change.at == self.level.at)
    }

    /// Asks again what was asked before the op at hand changed it. None: it did not. What it asked and remembered comes back.
    pub fn undo(&mut self) -> Option<(Box<Other>, Memory)> {
        let change = self.level.changes.pop_if(|change| change.at == self.level.at)?;
        let asked = std::mem::replace(&mut self.level.other, change.before)?;
        if self.begun != 0 && !self.is_inside() {
            // The change that is undone first was the last one.
            self.became.get_or_insert_with(|| asked.clone());
        }
        Some((asked, change.memory))
    }

    /// The next alias to follow, if there is one, it is not one too many, and nobody has asked for it yet; `query` is the client's.
    pub fn next_alias(&mut self, query: &Query, message: &[u8], answer: &mut Answer) -> Option<Other> {
        while let Some(owner) = answer.chase.pop() {
            let name = answer.name(owner).to_vec();
            let lower = name.to_ascii_lowercase().into_boxed_slice();
            if *lower == *query.name.wire() || self.followed.contains(&lower) {
                continue;
            }
            if self.followed.len() == MAX_CHASE || self.outer.len() == MAX_DEPTH {
                answer.chase.clear();
                return None;
            }
            self.followed.push(lower.clone());
            let (request, options) = self.request(query, message);
            return Some(Other { owner, name, lower, request: *request, options: options.to_vec() });
        }
        None
    }

    /// Whether one more question may be asked inside this one.
    pub fn has_room_inside(&self) -> bool {
        self.outer.len() < MAX_DEPTH
    }

    /// Asks something else in between, of the ops of a block from `first` on; what was said so far waits.
    pub fn enter(&mut self, block: u32, first: usize, other: Other, purpose: Inside, answer: &mut Answer) {
        let inside = Level { until: self.level.until, ..Level::new(block, first, Some(Box::new(other))) };
        let level = std::mem::replace(&mut self.level, inside);
        self.outer.push(Outer { level, aside: answer.set_aside(), purpose });
    }

    /// Goes back to the question outside. The target of an alias adds its records there, and its failure stays behind.
    pub fn leave(&mut self, answer: &mut Answer) -> Left {
        let Some(Outer { level, aside, purpose }) = self.outer.pop() else { return Left::Client };
        self.level = level;
        match purpose {
            Inside::Op => Left::Op(aside),
            Inside::Alias => {
                answer.resume(aside);
                Left::Alias
            }
        }
    }
}

impl Level {
    fn new(block: u32, first: usize, other: Option<Box<Other>>) -> Level {
        Level { block, at: first, first, lead: None, until: Duration::MAX, other, changes: Vec::new() }
    }
}

impl Other {
    /// The question of a turn, to be changed.
    pub fn of(turn: &Turn<'_>) -> Other {
        let Asked { owner, name, lower } = turn.asked;
        Other { owner, name: name.to_vec(), lower: lower.into(), request: *turn.request, options: turn.options.to_vec() }
    }

    /// The same about another name, in wire form.
    pub fn about(mut self, name: &[u8], answer: &mut Answer) -> Other {
        self.owner = answer.intern(&[name]);
        self.name = name.to_vec();
        self.lower = name.to_ascii_lowercase().into();
        self
    }

    /// Where its name is in the answer.
    pub fn owner(&self) -> NameRef {
        self.owner
    }

    /// Octets of a message that asks it.
    pub fn length(&self) -> usize {
        HEADER + self.name.len() + 4 + self.request.edns.map_or(0, |_| OPT_LEN + self.options.len())
    }

    /// Its name in lower case.
    pub fn lower(&self) -> &[u8] {
        &self.lower
    }
}
