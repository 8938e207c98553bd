//! Names as rules see them: text in lower case that ends with a dot, as CoreDNS compares it (`rewrite-prefix-dot`, `rewrite-suffix`).

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::name::{self, NameText};
use crate::pattern::{Groups, Pattern};
use crate::plan::{How, NameMatch};

/// No text of a name has more octets: each octet of a name may be written as `\DDD`.
const MAX_TEXT: usize = 4 * name::MAX_NAME;

/// A name at hand: on the wire, and as text once somebody wants that.
pub struct Name<'a> {
    wire: Cow<'a, [u8]>,
    text: OnceCell<NameText>,
}

/// Which names a rule is about.
pub enum Matcher {
    /// This one.
    Exact(Box<[u8]>),
    /// Those whose text begins so.
    Prefix(String, Option<Edge>),
    /// Those whose text ends so.
    Suffix(String, Option<Edge>),
    /// Those that have this in their text.
    Substring(String),
    /// Those in whose text the pattern is found.
    Pattern(Pattern),
}

/// A text that begins or ends names, as it stands on the wire: whole labels there, and a part of the label beside them.
pub struct Edge {
    labels: Box<[u8]>,
    part: Box<[u8]>,
}

/// What takes the place of what was found: text with `{1}` and the like for the groups of a pattern.
pub struct Replacement {
    /// As it was written: without a pattern there are no groups.
    text: String,
    /// The same as a name; or what is told of it if it is none.
    whole: Result<Box<[u8]>, String>,
    pieces: Vec<Piece>,
}

enum Piece {
    Text(String),
    Group(usize),
}

impl<'a> Name<'a> {
    /// A name in wire form.
    pub fn new(wire: impl Into<Cow<'a, [u8]>>) -> Name<'a> {
        Name { wire: wire.into(), text: OnceCell::new() }
    }

    /// On the wire.
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// As text.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| NameText::of(&self.wire)).as_str()
    }
}

impl Matcher {
    /// Compiles what the plan says; the error says what is wrong.
    pub fn new(plan: &NameMatch) -> Result<Matcher, String> {
        let text = plan.text.clone();
        Ok(match plan.how {
            How::Exact => Matcher::Exact(name::absolute_lower(&text).map_err(|why| format!("{text} {why}"))?),
            How::Prefix => {
                let edge = Edge::start(&text);
                Matcher::Prefix(text, edge)
            }
            How::Suffix => {
                let edge = Edge::end(&text);
                Matcher::Suffix(text, edge)
            }
            How::Substring => Matcher::Substring(text),
            How::Regex => Matcher::Pattern(Pattern::parse(&text).map_err(|why| format!("{text}: {why}"))?),
        })
    }

    /// The one name that it is about, if it is one.
    pub fn exact(&self) -> Option<&[u8]> {
        match self {
            Matcher::Exact(wire) => Some(wire),
            _ => None,
        }
    }

    /// Whether it is about a name.
    pub fn matches(&self, name: &Name<'_>) -> bool {
        match self {
            Matcher::Exact(wire) => name.wire() == &**wire,
            Matcher::Prefix(_, Some(edge)) => edge.begins(name.wire()),
            Matcher::Prefix(start, None) => name.text().starts_with(start),
            Matcher::Suffix(_, Some(edge)) => edge.ends(name.wire()),
            Matcher::Suffix(end, None) => name.text().ends_with(end),
            Matcher::Substring(part) => name.text().contains(part),
            Matcher::Pattern(pattern) => pattern.is_match(name.text().as_bytes()),
        }
    }

    /// The name in which what was found is replaced. None: the rule is not about this name. The error is a text that is no name.
    pub fn replace<'a>(&self, name: &Name<'_>, to: &'a Replacement) -> Option<Result<Name<'a>, String>> {
        let text = match self {
            Matcher::Pattern(pattern) => to.fill(&pattern.find(name.text().as_bytes())?),
            _ if !self.matches(name) => return None,
            Matcher::Exact(_) => return Some(to.whole.as_deref().map(Name::new).map_err(Clone::clone)),
            Matcher::Prefix(start, _) => [&to.text, &name.text()[start.len()..]].concat(),
            Matcher::Suffix(end, _) => [&name.text()[..name.text().len() - end.len()], &to.text].concat(),
            Matcher::Substring(part) => name.text().replace(&**part, &to.text),
        };
        Some(to_wire(&text).map(|wire| Name::new(wire.into_vec())))
    }
}

impl Replacement {
    /// Reads a text.
    pub fn new(text: &str) -> Replacement {
        let mut pieces = Vec::new();
        let (mut done, mut at) = (0, 0);
        while let Some(open) = text[at..].find('{').map(|open| at + open) {
            at = open + 1;
            let Some((number, rest)) = text[at..].split_once('}') else { break };
            let is_number = number.bytes().all(|octet| octet.is_ascii_digit()) && (number == "0" || !number.starts_with('0'));
            if let (true, Ok(group)) = (is_number, number.parse()) {
                pieces.push(Piece::Text(text[done..open].to_owned()));
                pieces.push(Piece::Group(group));
                at = text.len() - rest.len();
                done = at;
            }
        }
        pieces.push(Piece::Text(text[done..].to_owned()));
        Replacement { text: text.to_owned(), whole: to_wire(text), pieces }
    }

    /// With the groups of what a pattern has found. A text that is too long for a name is cut.
    pub fn fill(&self, groups: &Groups<'_>) -> String {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                // Texts of names are ASCII, and so is what is found in them.
                Piece::Group(number) if *number < groups.len() => {
                    filled.push_str(std::str::from_utf8(groups.get(*number)).unwrap_or_default());
                }
                // CoreDNS leaves the braces of a group that is not there.
                Piece::Group(number) => filled.push_str(&format!("{{{number}}}")),
                Piece::Text(text) => filled.push_str(text),
            }
            if filled.len() > MAX_TEXT {
                break;
            }
        }
        filled
    }
}

/// A name from its text; the error is what is told of it.
pub fn to_wire(text: &str) -> Result<Box<[u8]>, String> {
    let told: String = text.chars().take(name::MAX_NAME).collect();
    match text.is_empty() {
        true => Err("an empty name".to_owned()),
        false => name::absolute(text).map_err(|_| told),
    }
}

impl Edge {
    /// The beginning of names. None: its text is not its octets, so texts have to be compared.
    fn start(text: &str) -> Option<Edge> {
        let (labels, part) = text.rsplit_once('.').map_or((None, text), |(labels, part)| (Some(labels), part));
        Some(Edge { labels: on_the_wire(labels)?, part: plain(part)?.into() })
    }

    /// The end of names. None: as above; or no name ends so.
    fn end(text: &str) -> Option<Edge> {
        let text = text.strip_suffix('.')?;
        let (part, labels) = text.split_once('.').map_or((text, None), |(part, labels)| (part, Some(labels)));
        let labels = [&*on_the_wire(labels)?, b"\0"].concat().into();
        Some(Edge { labels, part: plain(part)?.into() })
    }

    fn begins(&self, wire: &[u8]) -> bool {
        let Some((length, rest)) = wire.strip_prefix(&*self.labels).and_then(<[u8]>::split_first) else { return false };
        usize::from(*length) >= self.part.len() && rest.starts_with(&self.part)
    }

    fn ends(&self, wire: &[u8]) -> bool {
        let Some(before) = wire.strip_suffix(&*self.labels).filter(|before| before.ends_with(&self.part)) else { return false };
        // The labels must begin where one does, and the part must not be longer than the one before.
        let (mut at, mut length) = (0, 0);
        while at < before.len() {
            length = usize::from(before[at]);
            at += 1 + length;
        }
        // A text that begins with a dot ends longer names only; the dot alone is the root, which ends all.
        let has_room = at > 0 || *self.labels == *b"\0";
        at == before.len() && has_room && length >= self.part.len()
    }
}

/// Whole labels on the wire, without the root.
fn on_the_wire(labels: Option<&str>) -> Option<Box<[u8]>> {
    let mut octets = Vec::new();
    for label in labels.iter().flat_map(|labels| labels.split('.')) {
        let label = plain(label).filter(|label| (1..=name::MAX_LABEL).contains(&label.len()))?;
        octets.push(label.len() as u8);
        octets.extend_from_slice(label);
    }
    Some(octets.into())
}

/// The octets of a text that needs no escapes.
fn plain(text: &str) -> Option<&[u8]> {
    let is_own = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'*' | b'/');
    text.as_bytes().iter().all(is_own).then_some(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matcher(how: How, text: &str) -> Matcher {
        Matcher::new(&NameMatch { how, text: text.to_owned() }).unwrap_or_else(|why| panic!("{why}"))
    }

    fn replaced(how: How, from: &str, to: &str, name: &str) -> Option<String> {
        let wire = name::absolute_lower(name).unwrap();
        let to = Replacement::new(to);
        let replaced = matcher(how, from).replace(&Name::new(&*wire), &to)?;
        Some(replaced.map_or_else(|told| told, |name| name.text().to_owned()))
    }

    #[test]
    fn names_are_replaced_as_text() {
        for (how, from, to, name, expected) in [
            (How::Exact, "a.example.", "b.example.", "a.example.", Some("b.example.")),
            (How::Exact, "a.example.", "b.example.", "x.a.example.", None),
            (How::Prefix, "old.", "new.", "old.a.example.", Some("new.a.example.")),
            (How::Prefix, "old.", "new.", "older.a.example.", None),
            (How::Prefix, "old-", "new-", "old-a.example.", Some("new-a.example.")),
            (How::Prefix, "a.old-", "a.new-", "a.old-a.example.", Some("a.new-a.example.")),
            (How::Suffix, ".schmoogle.com.", ".google.com.", "a.b.schmoogle.com.", Some("a.b.google.com.")),
            (How::Suffix, ".schmoogle.com.", ".google.com.", "schmoogle.com.", None),
            (How::Suffix, "schmoogle.com.", "google.com.", "schmoogle.com.", Some("google.com.")),
            (How::Suffix, "schmoogle.com.", "google.com.", "aschmoogle.com.", Some("agoogle.com.")),
            (How::Suffix, ".", ".example.", "a.b.", Some("a.b.example.")),
            (How::Suffix, ".example", ".org", "a.example.", None),
            (How::Suffix, r"\.b.", ".c.", r"a\.b.", Some("a.c.")),
            (How::Suffix, ".b.", ".c.", r"a\.b.", None),
            (How::Suffix, "2.", "3.", r"a\002.", None),
            (How::Suffix, "2.", "3.", r"a2.", Some("a3.")),
            (How::Substring, "foo.", "bar.", "foofoo.foo.example.", Some("foobar.bar.example.")),
            (How::Substring, "foo.", "bar.", "afoob.example.", None),
            (
                How::Regex,
                r"(.*)-(us-west-1)\.example\.org",
                "{1}.service.{2}.consul.",
                "ftp-us-west-1.example.org.",
                Some("ftp.service.us-west-1.consul."),
            ),
            (How::Regex, r"^a(x)?\.", "b{1}{0}{2}{}{01}.", "a.b.", Some("ba.{2}{}{01}.")),
        ] {
            assert_eq!(replaced(how, from, to, name).as_deref(), expected, "{from} {to} {name}");
        }
    }

    #[test]
    fn what_is_too_long_for_a_name_is_no_name() {
        let pattern = Pattern::parse("(.*)").unwrap();
        let long = Replacement::new(&"{1}".repeat(100_000)).fill(&pattern.find("a.".repeat(100).as_bytes()).unwrap());
        assert!(long.len() <= 2 * MAX_TEXT);
        assert_eq!(to_wire(&long), Err("a.".repeat(100).repeat(2)[..name::MAX_NAME].to_owned()));
        assert_eq!(to_wire("a..b."), Err("a..b.".to_owned()));
        assert!(to_wire("").is_err());
        assert_eq!(to_wire("."), Ok(Box::from(&b"\0"[..])));
        assert_eq!(to_wire("a.b."), Ok(Box::from(&b"\x01a\x01b\0"[..])));
    }

    proptest! {
        /// The comparison on the wire is a shortcut: it says what the texts say.
        #[test]
        fn octets_and_texts_agree(
            labels in prop::collection::vec("[ab]|[ab0-]{1,3}|[-]{45}", 0..3),
            text in r"[ab.0-]{1,6}|\.?[ab](\.[ab]){0,2}\.|[-]{44}\.|-[ab]\.|-|\.",
        ) {
            let wire = name::absolute(&labels.join(".")).unwrap();
            let name = Name::new(&*wire);
            prop_assert_eq!(matcher(How::Prefix, &text).matches(&name), name.text().starts_with(&text));
            prop_assert_eq!(matcher(How::Suffix, &text).matches(&name), name.text().ends_with(&text));
        }

        #[test]
        fn a_replacement_without_groups_is_its_text(text in r"[a-z{}.]{0,20}", name in "[a-z]{1,3}") {
            let filled = Replacement::new(&text).fill(&Pattern::parse("[a-z]+").unwrap().find(name.as_bytes()).unwrap());
            prop_assert_eq!(filled, text);
        }
    }
}
