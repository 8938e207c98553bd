//! Where a query stands: the block, the op, and the questions outside the present one. Small enough to be put away while it waits.

use std::time::Duration;

use crate::answer::{Answer, Aside, NameRef, QNAME};
use crate::cache::Lead;
use crate::client::Client;
use crate::wire::Query;
use crate::zone::Asked;

/// The most aliases that are followed through other blocks.
const MAX_CHASE: usize = 10;

/// A query's place in the program.
pub struct Way {
    /// The question at hand.
    pub level: Level,
    /// The questions that wait for its answer, the client's own first.
    outer: Vec<(Level, Aside)>,
    /// The targets that were asked for, in lower case.
    followed: Vec<Box<[u8]>>,
    /// When the query came, by the clock of those who log; 0: nobody does.
    pub begun: u64,
}

/// One question: the client's, or the target of an alias.
pub struct Level {
    /// The block's number.
    pub block: u32,
    /// The op whose turn it is.
    pub at: usize,
    /// The first op that has a second turn.
    pub first: usize,
    /// What it brings back to the cache that it passed.
    pub lead: Option<Lead>,
    /// The alias's target; none is the client's question.
    target: Option<Box<Alias>>,
}

/// One op's turn: what is asked, by whom, when.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    /// Since the engine's start.
    pub now: Duration,
    /// Who asks.
    pub client: &'a Client,
    /// The client's message.
    pub message: &'a [u8],
    /// The same, read.
    pub query: &'a Query,
    /// The name at hand.
    pub asked: Asked<'a>,
    /// The op's place in its block.
    pub at: usize,
    /// Nothing may be kept or counted.
    pub quiet: bool,
}

/// The target of an alias.
#[derive(Clone)]
pub struct Alias {
    owner: NameRef,
    name: Vec<u8>,
    /// Its name in lower case.
    pub lower: Box<[u8]>,
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
        Way { level: Level { block, at: 0, first: 0, lead: None, target: None }, outer: Vec::new(), followed: Vec::new(), begun: 0 }
    }

    /// A question of the cache's own: the one at hand, from behind the cache on, and back to it.
    pub fn renewal(&self, lead: Lead) -> Way {
        let Level { block, target, .. } = &self.level;
        let level = Level { block: *block, at: lead.at + 1, first: lead.at, lead: Some(lead), target: target.clone() };
        Way { level, outer: Vec::new(), followed: Vec::new(), begun: 0 }
    }

    /// Whether there are questions outside this one.
    pub fn is_inside(&self) -> bool {
        !self.outer.is_empty()
    }

    /// Puts the name at hand into an answer that was begun anew.
    pub fn anchor(&mut self, answer: &mut Answer) {
        if let Some(target) = &mut self.level.target {
            target.owner = answer.intern(&[&target.name]);
        }
    }

    /// The name that is asked for now; `name` and `lower` are the client's.
    pub fn asked<'a>(&'a self, name: &'a [u8], lower: &'a [u8]) -> Asked<'a> {
        match &self.level.target {
            Some(target) => Asked { owner: target.owner, name: &target.name, lower: &target.lower },
            None => Asked { owner: QNAME, name, lower },
        }
    }

    /// The next alias to follow, if there is one, it is not one too many, and nobody has asked for it yet; `lower` is the client's name.
    pub fn next_alias(&mut self, lower: &[u8], answer: &mut Answer) -> Option<Alias> {
        while let Some(owner) = answer.chase.pop() {
            let name = answer.name(owner).to_vec();
            let target = name.to_ascii_lowercase().into_boxed_slice();
            if *target == *lower || self.followed.contains(&target) {
                continue;
            }
            if self.followed.len() == MAX_CHASE {
                answer.chase.clear();
                return None;
            }
            self.followed.push(target.clone());
            return Some(Alias { owner, name, lower: target });
        }
        None
    }

    /// Asks another block for the target of an alias; what was said so far waits.
    pub fn enter(&mut self, block: u32, alias: Alias, answer: &mut Answer) {
        let level = Level { block, at: 0, first: 0, lead: None, target: Some(Box::new(alias)) };
        self.outer.push((std::mem::replace(&mut self.level, level), answer.set_aside()));
    }

    /// Goes back to the question outside, whose answer gets the records of this one; its failure stays behind. False: there is none.
    pub fn leave(&mut self, answer: &mut Answer) -> bool {
        let Some((level, aside)) = self.outer.pop() else { return false };
        self.level = level;
        answer.resume(aside);
        true
    }
}
