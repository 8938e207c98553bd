//! Metadata: what else is known of a query, by label. Labels are asked for by log lines, views and other ops of a block, and computed
//! then; where nobody asks nothing is done.

mod grammar;

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::engine::Resources;
use crate::facts::Facts;
use crate::name;
use crate::plan::{LabelSource, Metadata};
use crate::zone::{Values, Zone};

use grammar::{Grammar, Part};

/// The labels of a block.
#[derive(Default)]
pub struct Labels {
    zones: Box<[Box<[u8]>]>,
    known: Vec<(Box<str>, Source)>,
}

/// A label of a block, by its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LabelId(usize);

/// Where the value of a label comes from.
enum Source {
    /// It is always the same.
    Text(Box<str>),
    /// The upstream that was asked last.
    Upstream,
    /// What a zone knows of the client's address, at this place.
    Address(Arc<Zone>, usize),
    /// A part of the name.
    Name(Arc<Grammar>, Part),
}

/// A query whose labels are asked for.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// What is known of it in any case.
    pub facts: &'a Facts<'a>,
    /// The labels of its block.
    pub labels: &'a Labels,
    /// The upstream that was asked last.
    pub upstream: Option<SocketAddr>,
}

/// A text: nothing is allocated unless it is long.
#[derive(Clone)]
pub enum Text<'a> {
    /// Somebody else's.
    Borrowed(&'a str),
    /// Its own.
    Written(Written),
    /// One of the values of an address.
    Value(Arc<Values>, usize),
}

/// A text that was written.
#[derive(Clone, Default)]
pub struct Written(SmallVec<[u8; 64]>);

impl Labels {
    /// Compiles the metadata of a block.
    pub fn new(metadata: Option<&Metadata>, resources: &Resources) -> Result<Labels, String> {
        let Some(metadata) = metadata else { return Ok(Labels::default()) };
        let zone = |zone: &String| name::absolute_lower(zone).map_err(|why| format!("metadata of {zone}: the zone {why}"));
        let mut labels = Labels { zones: metadata.zones.iter().map(zone).collect::<Result<_, _>>()?, known: Vec::new() };
        for (label, source) in &metadata.labels {
            let source = match source {
                LabelSource::Text { text } => Source::Text(text.as_str().into()),
                LabelSource::Upstream {} => Source::Upstream,
                LabelSource::Address { zone, at } => {
                    let known = resources.zones.get(zone).ok_or_else(|| format!("zone {zone} is not in the plan"))?;
                    Source::Address(Arc::clone(known), *at)
                }
            };
            labels.known.push((label.as_str().into(), source));
        }
        for plan in &metadata.names {
            let grammar = Arc::new(Grammar::new(plan)?);
            for (label, part) in grammar.labels() {
                labels.known.push((label.into(), Source::Name(Arc::clone(&grammar), part)));
            }
        }
        Ok(labels)
    }

    /// A label; None: this block does not know it.
    pub fn find(&self, label: &str) -> Option<LabelId> {
        self.known.iter().position(|(known, _)| **known == *label).map(LabelId)
    }
}

impl<'a> Known<'a> {
    /// The value of a label; None: this query has none.
    pub fn label(&self, id: LabelId) -> Option<Text<'a>> {
        let source = &self.labels.known[id.0].1;
        // An upstream can be told for names outside of the zones, as in CoreDNS.
        if !matches!(source, Source::Upstream) && !self.labels.zones.iter().any(|zone| name::is_under(self.facts.name, zone)) {
            return None;
        }
        match source {
            Source::Text(text) => Some(Text::Borrowed(text)),
            Source::Upstream => self.upstream.map(|upstream| Text::written(|out| write(out, format_args!("{upstream}")))),
            Source::Address(zone, at) => {
                let values = zone.values_of(self.facts.client_ip())?;
                values.get(*at)?.is_some().then_some(Text::Value(values, *at))
            }
            Source::Name(grammar, part) => grammar.text(*part, self.facts.name),
        }
    }
}

fn write(out: &mut Written, text: fmt::Arguments<'_>) -> fmt::Result {
    fmt::Write::write_fmt(out, text)
}

impl<'a> Text<'a> {
    /// What somebody writes.
    pub fn written(write: impl FnOnce(&mut Written) -> fmt::Result) -> Text<'a> {
        let mut out = Written::default();
        // Writing into memory does not fail.
        let _ = write(&mut out);
        Text::Written(out)
    }

    /// Its characters.
    pub fn as_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }

    /// Its octets.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Text::Borrowed(text) => text.as_bytes(),
            Text::Written(written) => &written.0,
            Text::Value(values, at) => values.get(*at).and_then(Option::as_ref).map_or(&[], |value| value.as_bytes()),
        }
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Text<'a> {
        match text {
            Cow::Borrowed(text) => Text::Borrowed(text),
            Cow::Owned(text) => Text::Written(Written(SmallVec::from_vec(text.into_bytes()))),
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Text<'_>) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl fmt::Write for Written {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
