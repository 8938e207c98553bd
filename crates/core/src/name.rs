//! Domain names on the wire (RFC 1035 3.1): labels with a length octet, the root last.
//!
//! A *wire name* ends with the root's zero octet; a *relative name* is the same without it and without the origin's labels.

use std::fmt;

use smallvec::SmallVec;

/// The longest name in octets, the root included (RFC 1035 2.3.4).
pub const MAX_NAME: usize = 255;
/// The longest label in octets.
pub const MAX_LABEL: usize = 63;

/// Why a text is not a domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Two dots in a row, or a dot in front.
    EmptyLabel,
    /// A label of more than 63 octets.
    LabelTooLong,
    /// More than 255 octets in all.
    TooLong,
    /// A backslash with nothing usable behind it.
    BadEscape,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameError::EmptyLabel => "has an empty label",
            NameError::LabelTooLong => "has a label of more than 63 octets",
            NameError::TooLong => "is longer than 255 octets",
            NameError::BadEscape => "has a broken escape",
        })
    }
}

/// Labels of `text` as octets, without the root; the flag says whether the text ended with a dot (an absolute name).
pub fn labels_of_text(text: &str) -> Result<(Vec<u8>, bool), NameError> {
    let mut wire = Vec::with_capacity(text.len() + 1);
    if text.is_empty() || text == "." {
        return Ok((wire, text == "."));
    }
    let bytes = text.as_bytes();
    let mut label_start = 0;
    let mut absolute = false;
    wire.push(0);
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'.' => {
                close_label(&mut wire, label_start)?;
                at += 1;
                if at == bytes.len() {
                    absolute = true;
                    break;
                }
                label_start = wire.len();
                wire.push(0);
                continue;
            }
            b'\\' => {
                let rest = &bytes[at + 1..];
                if rest.len() >= 3 && rest[..3].iter().all(u8::is_ascii_digit) {
                    let value = rest[..3].iter().fold(0u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
                    wire.push(u8::try_from(value).map_err(|_| NameError::BadEscape)?);
                    at += 4;
                } else {
                    wire.push(*rest.first().ok_or(NameError::BadEscape)?);
                    at += 2;
                }
            }
            octet => {
                wire.push(octet);
                at += 1;
            }
        }
    }
    if !absolute {
        close_label(&mut wire, label_start)?;
    }
    if wire.len() + 1 > MAX_NAME {
        return Err(NameError::TooLong);
    }
    Ok((wire, absolute))
}

/// Writes the length of the label that began at `start`.
fn close_label(wire: &mut [u8], start: usize) -> Result<(), NameError> {
    match wire.len() - start - 1 {
        0 => Err(NameError::EmptyLabel),
        length if length > MAX_LABEL => Err(NameError::LabelTooLong),
        length => {
            wire[start] = length as u8;
            Ok(())
        }
    }
}

/// An absolute wire name, from text with or without a trailing dot.
pub fn absolute(text: &str) -> Result<Box<[u8]>, NameError> {
    let (mut wire, _) = labels_of_text(text)?;
    wire.push(0);
    Ok(wire.into())
}

/// The same in lower case.
pub fn absolute_lower(text: &str) -> Result<Box<[u8]>, NameError> {
    let mut wire = absolute(text)?;
    wire.make_ascii_lowercase();
    Ok(wire)
}

/// How many octets the wire name has that a row of octets begins with.
pub fn length(octets: &[u8]) -> usize {
    labels(octets).map(|label| 1 + label.len()).sum::<usize>() + 1
}

/// The labels of a wire or relative name, without their length octets.
pub fn labels(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let (&length, tail) = rest.split_first()?;
        if length == 0 {
            return None;
        }
        let (label, next) = tail.split_at_checked(length as usize)?;
        rest = next;
        Some(label)
    })
}

/// Whether `name` (a wire name) ends with the labels of `suffix` (a wire name), letter case ignored.
pub fn is_under(name: &[u8], suffix: &[u8]) -> bool {
    let Some(cut) = name.len().checked_sub(suffix.len()) else { return false };
    if !name[cut..].eq_ignore_ascii_case(suffix) {
        return false;
    }
    // The suffix must begin at a label, not inside one.
    let mut at = 0;
    while at < cut {
        at += 1 + name[at] as usize;
    }
    at == cut
}

/// A wire or relative name as absolute text, where it is looked at more than once.
pub struct NameText(SmallVec<[u8; 128]>);

impl NameText {
    /// Writes a name.
    pub fn of(name: &[u8]) -> NameText {
        if labels(name).flatten().all(|octet| PLAIN[usize::from(*octet)]) {
            return NameText::of_plain(name);
        }
        let mut text = NameText(SmallVec::new());
        // Memory takes everything.
        let _ = write_name(name, &mut text);
        text
    }

    /// Octets are letters, and a dot stands where the next length does.
    fn of_plain(name: &[u8]) -> NameText {
        let mut text: SmallVec<[u8; 128]> = name.get(1..).unwrap_or_default().into();
        if name.last() != Some(&0) || name.len() == 1 {
            text.push(b'.');
        }
        let mut at = 0;
        for label in labels(name) {
            at += 1 + label.len();
            text[at - 1] = b'.';
        }
        NameText(text)
    }

    /// The text; it is ASCII.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Write for NameText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Prints a wire or relative name as absolute text.
pub struct Display<'a>(pub &'a [u8]);

impl fmt::Display for Display<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self.0, f)
    }
}

fn write_name(name: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    let mut labels = labels(name).peekable();
    if labels.peek().is_none() {
        return out.write_str(".");
    }
    for label in labels {
        write_label(label, out)?;
        out.write_str(".")?;
    }
    Ok(())
}

/// Which octets of a label stand for themselves.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut octet = 0x21;
    while octet <= 0x7e {
        plain[octet] = !matches!(octet as u8, b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'\'');
        octet += 1;
    }
    plain
};

/// Writes a label with RFC 1035 escapes, those that CoreDNS uses.
pub fn write_label(label: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = label;
    loop {
        let (plain, behind) = rest.split_at(rest.iter().take_while(|octet| PLAIN[usize::from(**octet)]).count());
        out.write_str(std::str::from_utf8(plain).unwrap_or_default())?;
        let Some((&octet, behind)) = behind.split_first() else { return Ok(()) };
        match octet {
            0x20..=0x7e => write!(out, "\\{}", octet as char)?,
            _ => write!(out, "\\{octet:03}")?,
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_wire_agree() {
        for text in ["a.example.org.", ".", "a\\.b.example.", "\\000\\255.x.", "a\\ b\\'c$.x."] {
            let wire = labels_of_text(text).unwrap().0;
            assert_eq!(Display(&wire).to_string(), text);
        }
        assert_eq!(labels_of_text("a..b"), Err(NameError::EmptyLabel));
        assert_eq!(labels_of_text(&"a".repeat(64)), Err(NameError::LabelTooLong));
        assert_eq!(labels_of_text(&"a.".repeat(128)), Err(NameError::TooLong));
        assert_eq!(labels_of_text("a\\"), Err(NameError::BadEscape));
        assert_eq!(labels_of_text("a\\999"), Err(NameError::BadEscape));
        assert!(!labels_of_text("a.b").unwrap().1);
        assert!(labels_of_text("a.b.").unwrap().1);
    }

    #[test]
    fn a_suffix_begins_at_a_label() {
        let name = absolute_lower("web.shop.example").unwrap();
        assert!(is_under(&name, &absolute_lower("SHOP.example").unwrap()));
        assert!(is_under(&name, &absolute_lower(".").unwrap()));
        assert!(is_under(&name, &name));
        assert!(!is_under(&name, &absolute_lower("hop.example").unwrap()));
        // The octets of a suffix may also stand inside a longer label.
        let inside = absolute_lower("x\\004shop\\007example").unwrap();
        assert!(!is_under(&inside, &absolute_lower("shop.example").unwrap()));
    }
}
