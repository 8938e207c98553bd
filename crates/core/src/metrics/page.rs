//! Metrics as text: families with their samples, in Prometheus's exposition format 0.0.4.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::Buckets;

/// What kind of value the samples of a family have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It only rises.
    Counter,
    /// It is what it is now.
    Gauge,
    /// Values in buckets.
    Histogram,
}

/// A family of samples. They are read when they are written.
pub struct Family {
    name: Cow<'static, str>,
    help: Cow<'static, str>,
    kind: Kind,
    read: Box<dyn Fn(&mut Samples) + Send>,
}

/// The samples of one family by their labels. What has the same labels is added up.
pub struct Samples {
    kind: Kind,
    values: BTreeMap<String, Value>,
}

/// A sample's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A count.
    Count(u64),
    /// Anything else.
    Number(f64),
    /// A histogram.
    Buckets(Buckets),
}

/// All families in the order of their names, and what others have told; a piece at a time.
pub struct Page {
    families: std::vec::IntoIter<Family>,
    told: Option<Arc<str>>,
}

impl Family {
    /// A family.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
        kind: Kind,
        read: impl Fn(&mut Samples) + Send + 'static,
    ) -> Family {
        Family { name: name.into(), help: help.into(), kind, read: Box::new(read) }
    }

    /// A counter without labels.
    pub fn counter(name: &'static str, help: &'static str, read: impl Fn() -> u64 + Send + 'static) -> Family {
        Family::new(name, help, Kind::Counter, move |samples| samples.add(&[], read()))
    }

    /// A gauge without labels.
    pub fn gauge(name: &'static str, help: &'static str, read: impl Fn() -> f64 + Send + 'static) -> Family {
        Family::new(name, help, Kind::Gauge, move |samples| samples.add(&[], read()))
    }

    /// The family as text; nothing if it has no samples.
    pub fn text(&self) -> String {
        let mut samples = Samples { kind: self.kind, values: BTreeMap::new() };
        (self.read)(&mut samples);
        let mut text = String::new();
        if samples.values.is_empty() {
            return text;
        }
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = self.help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a String does not fail, here and below.
        let _ = write!(text, "# HELP {0} {help}\n# TYPE {0} {kind}\n", self.name);
        for (labels, value) in &samples.values {
            write_sample(&mut text, &self.name, labels, value);
        }
        text
    }
}

impl Samples {
    /// Adds a value. As in Prometheus's own clients, what has labels and was never counted is not there.
    pub fn add(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) {
        let value = value.into();
        if self.kind == Kind::Gauge || labels.is_empty() || !value.is_nothing() {
            self.add_even_nothing(labels, value);
        }
    }

    /// Adds a value for those who want to see that there is nothing.
    pub fn add_even_nothing(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) {
        let value = value.into();
        let labels = label_text(labels);
        match self.values.get_mut(&labels) {
            Some(sum) => sum.merge(&value),
            None => drop(self.values.insert(labels, value)),
        }
    }
}

impl Value {
    fn is_nothing(&self) -> bool {
        match self {
            Value::Count(count) => *count == 0,
            Value::Number(number) => *number == 0.0,
            Value::Buckets(buckets) => buckets.total() == 0,
        }
    }

    fn merge(&mut self, other: &Value) {
        match (self, other) {
            (Value::Count(count), Value::Count(more)) => *count += more,
            (Value::Number(number), Value::Number(more)) => *number += more,
            (Value::Buckets(buckets), Value::Buckets(more)) => buckets.merge(more),
            // A family has values of one kind.
            _ => {}
        }
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Value {
        Value::Count(count)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<Buckets> for Value {
    fn from(buckets: Buckets) -> Value {
        Value::Buckets(buckets)
    }
}

impl Page {
    /// A page of these.
    pub fn new(mut families: Vec<Family>, told: Arc<str>) -> Page {
        families.sort_by(|one, other| one.name.cmp(&other.name));
        Page { families: families.into_iter(), told: Some(told) }
    }
}

impl Iterator for Page {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let piece = self.families.by_ref().map(|family| family.text()).find(|text| !text.is_empty());
        piece.or_else(|| self.told.take().filter(|told| !told.is_empty()).map(|told| told.to_string()))
    }
}

fn label_text(labels: &[(&str, &str)]) -> String {
    let mut labels = labels.to_vec();
    labels.sort_unstable();
    let mut text = String::new();
    for (name, value) in labels {
        let comma = if text.is_empty() { "" } else { "," };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(text, "{comma}{name}=\"{value}\"");
    }
    text
}

fn write_sample(text: &mut String, name: &str, labels: &str, value: &Value) {
    let braced = |labels: String| if labels.is_empty() { labels } else { format!("{{{labels}}}") };
    let plain = braced(labels.to_owned());
    let _ = match value {
        Value::Count(count) => writeln!(text, "{name}{plain} {count}"),
        Value::Number(number) => writeln!(text, "{name}{plain} {number}"),
        Value::Buckets(Buckets { bounds, counts, sum }) => {
            let comma = if labels.is_empty() { "" } else { "," };
            let mut below = 0;
            for (number, count) in counts.iter().enumerate() {
                below += count;
                let bound = bounds.get(number).map_or_else(|| "+Inf".to_owned(), f64::to_string);
                let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {below}");
            }
            write!(text, "{name}_sum{plain} {sum}\n{name}_count{plain} {below}\n")
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_and_what_is_special_in_them_is_escaped() {
        let family = Family::new("a_total", "two\nlines \\", Kind::Counter, |samples| {
            samples.add(&[("b", "x"), ("a", "\"\\\n")], 1);
            samples.add(&[("a", ""), ("b", "x")], 2);
            samples.add(&[("b", "x"), ("a", "")], 3);
            samples.add(&[("a", "never"), ("b", "x")], 0);
        });
        let lines = [
            "# HELP a_total two\\nlines \\\\",
            "# TYPE a_total counter",
            "a_total{a=\"\",b=\"x\"} 5",
            "a_total{a=\"\\\"\\\\\\n\",b=\"x\"} 1",
        ];
        assert_eq!(family.text().lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn buckets_are_cumulative_and_end_with_all() {
        let family = Family::new("d_seconds", "time", Kind::Histogram, |samples| {
            let mut buckets = Buckets::new(&[0.25, 1.0]);
            [0.25, 0.5, 3.0].iter().for_each(|value| buckets.observe(*value));
            samples.add(&[], buckets.clone());
            samples.add(&[("to", "x")], buckets);
            samples.add(&[("to", "never")], Buckets::new(&[0.25, 1.0]));
        });
        let text = family.text();
        let plain = "d_seconds_bucket{le=\"0.25\"} 1\nd_seconds_bucket{le=\"1\"} 2\nd_seconds_bucket{le=\"+Inf\"} 3\nd_seconds_sum 3.75\nd_seconds_count 3\n";
        assert!(text.contains(plain), "{text}");
        assert!(
            text.ends_with("d_seconds_bucket{to=\"x\",le=\"+Inf\"} 3\nd_seconds_sum{to=\"x\"} 3.75\nd_seconds_count{to=\"x\"} 3\n"),
            "{text}"
        );
        assert!(!text.contains("never"), "{text}");
    }

    #[test]
    fn a_page_has_its_families_by_name_and_what_was_told_last() {
        let families =
            || vec![Family::counter("b_total", "b", || 0), Family::new("c", "none", Kind::Gauge, |_| {}), Family::gauge("a", "a", || 0.5)];
        let pieces: Vec<String> = Page::new(families(), "x 1\n".into()).collect();
        assert_eq!(pieces, ["# HELP a a\n# TYPE a gauge\na 0.5\n", "# HELP b_total b\n# TYPE b_total counter\nb_total 0\n", "x 1\n"]);
        assert_eq!(Page::new(Vec::new(), "x 1\n".into()).collect::<Vec<_>>(), ["x 1\n"]);
        assert_eq!(Page::new(families(), "".into()).count(), 2);
    }
}
