//! Labels that are parts of the name that is asked for: a name has the first shape that fits.

use std::fmt::Write;

use smallvec::SmallVec;

use super::Text;
use crate::name;
use crate::plan;

/// The shapes of the names under some origins.
pub struct Grammar {
    origins: Box<[Box<[u8]>]>,
    shapes: Box<[Box<[Piece]>]>,
    /// Every label of the shapes, once.
    labels: Box<[Box<str>]>,
    error: Box<str>,
    message: Box<str>,
}

/// A label of a grammar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// A part of names that fit.
    Of(usize),
    /// Why a name does not.
    Error,
}

/// One label of a name, or all that are left.
struct Piece {
    label: Option<usize>,
    words: Box<[Box<[u8]>]>,
    prefix: Box<[u8]>,
    prefixed: bool,
    rest: bool,
}

impl Grammar {
    /// Reads the grammar of a plan.
    pub fn new(grammar: &plan::NameGrammar) -> Result<Grammar, String> {
        let origin = |origin: &String| name::absolute_lower(origin).map_err(|why| format!("names under {origin}: the origin {why}"));
        let mut labels: Vec<Box<str>> = Vec::new();
        let mut piece = |part: &plan::NamePart| Piece {
            label: (!part.label.is_empty()).then(|| {
                let known = labels.iter().position(|label| **label == *part.label);
                known.unwrap_or_else(|| {
                    labels.push(part.label.as_str().into());
                    labels.len() - 1
                })
            }),
            words: part.words.iter().map(|word| word.to_ascii_lowercase().into_bytes().into()).collect(),
            prefix: part.prefix.as_bytes().into(),
            prefixed: part.prefixed,
            rest: part.rest,
        };
        let shapes = grammar.shapes.iter().map(|shape| shape.iter().map(&mut piece).collect()).collect();
        Ok(Grammar {
            origins: grammar.origins.iter().map(origin).collect::<Result<_, _>>()?,
            shapes,
            labels: labels.into(),
            error: grammar.error.as_str().into(),
            message: grammar.message.as_str().into(),
        })
    }

    /// All labels that it gives.
    pub fn labels(&self) -> impl Iterator<Item = (&str, Part)> {
        let parts = self.labels.iter().enumerate().map(|(number, label)| (&**label, Part::Of(number)));
        parts.chain([(&*self.error, Part::Error)])
    }

    /// The text of a part of a name (lower case); None: the name has no such label.
    pub fn text(&self, part: Part, name: &[u8]) -> Option<Text<'_>> {
        let origin = self.origins.iter().filter(|origin| name::is_under(name, origin)).max_by_key(|origin| origin.len())?;
        let relative = &name[..name.len() - origin.len()];
        let mut labels: SmallVec<[&[u8]; 16]> = name::labels(relative).collect();
        labels.reverse();
        let shape = self.shapes.iter().find(|shape| fits(shape, &labels));
        match (part, shape) {
            (Part::Error, None) => Some(Text::Borrowed(&self.message)),
            (Part::Error, Some(_)) | (Part::Of(_), None) => None,
            (Part::Of(wanted), Some(shape)) => Some(
                shape
                    .iter()
                    .position(|piece| piece.label == Some(wanted))
                    .map_or(Text::Borrowed(""), |at| shape[at].text(if shape[at].rest { &labels[at..] } else { &labels[at..=at] })),
            ),
        }
    }
}

impl Piece {
    fn fits(&self, label: &[u8]) -> bool {
        let is_word = self.words.is_empty() || self.words.iter().any(|word| **word == *label);
        is_word && (!self.prefixed || label.starts_with(&self.prefix))
    }

    /// Labels from right to left as a text from left to right.
    fn text<'a>(&self, labels: &[&[u8]]) -> Text<'a> {
        Text::written(|out| {
            for (number, label) in labels.iter().rev().enumerate() {
                if number > 0 {
                    out.write_char('.')?;
                }
                name::write_label(label.strip_prefix(&*self.prefix).unwrap_or(label), out)?;
            }
            Ok(())
        })
    }
}

/// Whether a name has a shape; its labels stand from right to left.
fn fits(shape: &[Piece], labels: &[&[u8]]) -> bool {
    let counts = match shape.last() {
        Some(last) if last.rest => labels.len() >= shape.len(),
        _ => labels.len() == shape.len(),
    };
    counts && shape.iter().zip(labels).all(|(piece, label)| piece.fits(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grammar() -> Grammar {
        let part = |label: &str, words: &[&str]| plan::NamePart {
            label: label.to_owned(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            ..plan::NamePart::default()
        };
        let port = plan::NamePart { prefix: "_".to_owned(), ..part("port", &[]) };
        let rest = plan::NamePart { rest: true, ..part("rest", &[]) };
        Grammar::new(&plan::NameGrammar {
            origins: vec!["example.".to_owned(), "deep.example.".to_owned()],
            shapes: vec![
                vec![],
                vec![part("kind", &["a", "b"]), part("middle", &[])],
                vec![
                    part("kind", &["a", "b"]),
                    part("middle", &[]),
                    plan::NamePart { prefixed: true, ..port.clone() },
                    part("", &["only"]),
                ],
                vec![part("kind", &["a", "b"]), part("middle", &[]), port],
                vec![part("kind", &["a"]), part("", &["_x"]), part("", &[]), rest],
            ],
            error: "error".to_owned(),
            message: "no such shape".to_owned(),
        })
        .unwrap()
    }

    fn told(name: &str) -> Vec<(String, String)> {
        let (grammar, name) = (grammar(), name::absolute_lower(name).unwrap());
        let told = grammar.labels().filter_map(|(label, part)| Some((label.to_owned(), grammar.text(part, &name)?.to_string())));
        told.collect()
    }

    #[test]
    fn the_first_shape_that_fits_gives_the_parts_and_leaves_the_others_empty() {
        let parts = |kind: &str, middle: &str, port: &str, rest: &str| {
            [("kind", kind), ("middle", middle), ("port", port), ("rest", rest)].map(|(label, text)| (label.to_owned(), text.to_owned()))
        };
        for (name, kind, middle, port, rest) in [
            ("example.", "", "", "", ""),
            ("m.b.Example.", "b", "m", "", ""),
            ("_http.m.a.example.", "a", "m", "http", ""),
            ("http.m.a.example.", "a", "m", "http", ""),
            ("1.2.3.p._x.a.example.", "a", "", "", "1.2.3"),
            ("only._http.m.a.example.", "a", "m", "http", ""),
            ("m.b.deep.example.", "b", "m", "", ""),
            (r"x\.y\032z.b.example.", "b", r"x\.y\ z", "", ""),
        ] {
            assert_eq!(told(name), parts(kind, middle, port, rest), "{name}");
        }
    }

    #[test]
    fn other_names_have_the_error_or_nothing() {
        for name in ["a.example.", "only.http.m.a.example.", "m.c.example.", "1.2.3.p._x.b.example.", "1.2.3.4.example."] {
            assert_eq!(told(name), [("error".to_owned(), "no such shape".to_owned())], "{name}");
        }
        assert_eq!(told("m.a.example.org."), []);
    }
}
