//! What `template` counts: questions that a rule was about, and records that could not be made.

use super::{Rule, Zone};
use crate::metrics::queries::{TYPES, type_index};
use crate::metrics::{OpCounter, PlaceLabel};
use crate::text;
use crate::wire::{CLASS_ANY, rtype};

/// Classes that have a label of their own where a rule is about any; all others are the first one.
const CLASSES: [&str; 4] = ["other", "IN", "CH", "HS"];
const PLACE: &[PlaceLabel] = &[PlaceLabel::Server, PlaceLabel::View];
const MATCHES: &str = "Questions that a template was about.";

/// Why there is no record.
pub enum Mistake {
    /// The template could not be evaluated.
    Template(String),
    /// Its text is no record.
    Record(String),
}

impl Rule {
    /// A counter for each of its zones, and each class and type that it is about.
    pub fn counters(&self) -> impl Iterator<Item = OpCounter> {
        self.zones.iter().flat_map(|zone| {
            let of_class = |class: String| {
                self.types().into_iter().map(move |rtype| labelled("coredns_template_matches_total", MATCHES, zone, &class, &rtype))
            };
            self.classes().into_iter().flat_map(of_class).collect::<Vec<_>>()
        })
    }

    /// How many there are for each zone.
    pub fn counters_of_a_zone(&self) -> usize {
        self.classes().len() * self.types().len()
    }

    /// The place of a question's counter among those of its zone.
    pub fn counter_of(&self, qclass: u16, qtype: u16) -> usize {
        let class = match qclass {
            _ if self.qclass != CLASS_ANY => 0,
            1 => 1,
            3 => 2,
            4 => 3,
            _ => 0,
        };
        let rtype = if self.qtype == rtype::ANY { type_index(qtype) } else { 0 };
        class * self.types().len() + rtype
    }

    /// The counter of a record that could not be made.
    pub fn mistake(&self, zone: &Zone, (qclass, qtype): (u16, u16), section: &'static str, source: &str, mistake: &Mistake) -> OpCounter {
        let (name, help) = match mistake {
            Mistake::Template(_) => ("coredns_template_template_failures_total", "Templates that could not be evaluated."),
            Mistake::Record(_) => ("coredns_template_rr_failures_total", "Templates whose text is no record."),
        };
        let at = self.counter_of(qclass, qtype);
        let (class, rtype) = (&self.classes()[at / self.types().len()], &self.types()[at % self.types().len()]);
        labelled(name, help, zone, class, rtype).with("section", section).with("template", source)
    }

    fn classes(&self) -> Vec<String> {
        if self.qclass == CLASS_ANY { CLASSES.map(str::to_owned).into() } else { vec![text::class_name(self.qclass)] }
    }

    fn types(&self) -> Vec<String> {
        if self.qtype == rtype::ANY { TYPES.map(str::to_owned).into() } else { vec![text::type_name(self.qtype)] }
    }
}

fn labelled(name: &'static str, help: &'static str, zone: &Zone, class: &str, rtype: &str) -> OpCounter {
    OpCounter::new(name, help, PLACE).with("zone", &zone.text).with("class", class).with("type", rtype)
}
