//! The data of each type: which fields it has, and how each is written.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::lexer::Token;
use super::{Mistake, name_of, params, seconds};
use crate::text::type_name;
use crate::wire::rtype;

/// The most octets of a record's data.
const MAX_DATA: usize = u16::MAX as usize;
/// The most octets of a character string (RFC 1035 3.3).
pub const MAX_STRING: usize = 255;

/// How a field is written.
#[derive(Clone, Copy)]
enum Field {
    A,
    Aaaa,
    Name,
    U8,
    U16,
    U32,
    /// A number of seconds, or with units: `1h30m`.
    Time,
    /// One character string.
    String,
    /// All that follow.
    Strings,
    /// Two of them; one alone is split at its blanks.
    Hardware,
    /// A word of letters and digits, as a character string.
    Tag,
    /// What a string has in it, without its length.
    Bare,
    /// Octets as hexadecimal digits, to the end.
    Hex,
    /// The parameters of SVCB and HTTPS (RFC 9460 2.1).
    Params,
}

use Field::{A, Aaaa, Bare, Hardware, Hex, Name, Params, String as Text, Strings, Tag, Time, U8, U16, U32};

/// The fields of a type with their names; none where it has no text form that is known here.
fn fields(rtype: u16) -> Option<&'static [(&'static str, Field)]> {
    Some(match rtype {
        rtype::A => &[("A", A)],
        rtype::AAAA => &[("AAAA", Aaaa)],
        rtype::NS => &[("Ns", Name)],
        rtype::CNAME | rtype::DNAME => &[("Target", Name)],
        rtype::PTR => &[("Ptr", Name)],
        rtype::SOA => {
            const NUMBER: &str = "zone parameter";
            &[("Ns", Name), ("Mbox", Name), (NUMBER, U32), (NUMBER, Time), (NUMBER, Time), (NUMBER, Time), (NUMBER, Time)]
        }
        rtype::HINFO => &[("Fields", Hardware)],
        rtype::MX => &[("Pref", U16), ("Mx", Name)],
        rtype::TXT | rtype::SPF => &[("Txt", Strings)],
        rtype::RP => &[("Mbox", Name), ("Txt", Name)],
        rtype::AFSDB => &[("Subtype", U16), ("Hostname", Name)],
        rtype::SRV => &[("Priority", U16), ("Weight", U16), ("Port", U16), ("Target", Name)],
        rtype::NAPTR => {
            &[("Order", U16), ("Preference", U16), ("Flags", Text), ("Protocol", Text), ("Regexp", Text), ("Replacement", Name)]
        }
        rtype::DS => &[("KeyTag", U16), ("Algorithm", U8), ("DigestType", U8), ("Digest", Hex)],
        rtype::SSHFP => &[("Algorithm", U8), ("Type", U8), ("Fingerprint", Hex)],
        rtype::TLSA => &[("Usage", U8), ("Selector", U8), ("MatchingType", U8), ("Certificate", Hex)],
        rtype::SVCB | rtype::HTTPS => &[("priority", U16), ("Target", Name), ("value", Params)],
        rtype::URI => &[("Priority", U16), ("Weight", U16), ("Target", Bare)],
        rtype::CAA => &[("Flag", U8), ("Tag", Tag), ("Value", Bare)],
        _ => return None,
    })
}

/// The data of a record of this type, from the words behind the type.
pub fn data_of(rtype: u16, at: &Token<'_>, words: &[Token<'_>]) -> Result<Vec<u8>, Mistake> {
    let mut reader = Reader { rtype, last: *at, words, data: Vec::new() };
    match fields(rtype) {
        Some(fields) => {
            for (name, field) in fields {
                reader.field(name, *field)?;
            }
        }
        None => reader.generic()?,
    }
    if let Some(word) = reader.words.first() {
        return Err(word.mistake("garbage after rdata"));
    }
    if reader.data.len() > MAX_DATA {
        return Err(reader.last.mistake("the data is longer than 65535 octets"));
    }
    Ok(reader.data)
}

struct Reader<'a, 't> {
    rtype: u16,
    last: Token<'t>,
    words: &'a [Token<'t>],
    data: Vec<u8>,
}

impl<'t> Reader<'_, 't> {
    fn field(&mut self, name: &str, field: Field) -> Result<(), Mistake> {
        let taken = match field {
            Strings => self.strings(),
            Hardware => self.hardware(),
            Hex => self.hex(),
            Params => self.params(),
            _ => self.word(field),
        };
        taken.ok_or_else(|| self.last.mistake(format!("bad {} {name}", type_name(self.rtype))))
    }

    /// A field that is one word.
    fn word(&mut self, field: Field) -> Option<()> {
        let token = self.take()?;
        let text = match field {
            Text | Bare => token.text,
            _ if token.is_quoted => return None,
            _ => token.text,
        };
        match field {
            A => self.data.extend(text.parse::<Ipv4Addr>().ok()?.octets()),
            Aaaa => self.data.extend(text.parse::<Ipv6Addr>().ok()?.octets()),
            Name => self.data.extend(name_of(text)?),
            U8 => self.data.push(number(text)?),
            U16 => self.data.extend(number::<u16>(text)?.to_be_bytes()),
            U32 => self.data.extend(number::<u32>(text)?.to_be_bytes()),
            Time => self.data.extend(seconds(text)?.to_be_bytes()),
            Tag if text.is_empty() || !text.bytes().all(|octet| octet.is_ascii_alphanumeric()) => return None,
            Bare => self.data.extend(unescape(text)?),
            _ => push_string(&mut self.data, &unescape(text)?)?,
        }
        Some(())
    }

    fn take(&mut self) -> Option<Token<'t>> {
        let (first, rest) = self.words.split_first()?;
        (self.last, self.words) = (*first, rest);
        Some(*first)
    }

    /// All words as strings; what is longer than one can be becomes several.
    fn strings(&mut self) -> Option<()> {
        self.last = *self.words.first()?;
        while !self.words.is_empty() {
            let octets = unescape(self.take()?.text)?;
            if octets.is_empty() {
                self.data.push(0);
            }
            octets.chunks(MAX_STRING).try_for_each(|chunk| push_string(&mut self.data, chunk))?;
        }
        Some(())
    }

    fn hardware(&mut self) -> Option<()> {
        self.last = *self.words.first()?;
        let mut words = Vec::new();
        while !self.words.is_empty() {
            words.push(unescape(self.take()?.text)?);
        }
        if let [one] = &words[..] {
            words = one.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect();
        }
        let (cpu, os) = words.split_first()?;
        push_string(&mut self.data, cpu)?;
        push_string(&mut self.data, &os.join(&b' '))
    }

    fn hex(&mut self) -> Option<()> {
        let mut digits = Vec::new();
        while !self.words.is_empty() {
            let word = self.take().filter(|word| !word.is_quoted)?;
            for digit in word.text.chars() {
                digits.push(digit.to_digit(16)? as u8);
            }
        }
        let (pairs, rest) = digits.as_chunks::<2>();
        self.data.extend(pairs.iter().map(|[high, low]| high << 4 | low));
        rest.is_empty().then_some(())
    }

    fn params(&mut self) -> Option<()> {
        let mut params = Vec::new();
        while let Some(word) = self.take() {
            let (key, value) = word.text.split_once('=').map_or((word.text, None), |(key, value)| (key, Some(value)));
            // key="value" is a word, and what is quoted directly behind it.
            let quoted = self.words.first().filter(|next| value == Some("") && next.is_quoted && !next.is_apart);
            let value = match quoted {
                Some(_) => self.take().map(|next| next.text),
                None => value,
            };
            if word.is_quoted {
                return None;
            }
            params.push((key, value));
        }
        params::write(&params, &mut self.data)
    }

    /// `\# LENGTH HEX...` (RFC 3597 5)
    fn generic(&mut self) -> Result<(), Mistake> {
        let wrong = |reader: &Self| reader.last.mistake(format!("bad {} data: write \\# LENGTH HEX", type_name(reader.rtype)));
        let length = self.take().filter(|word| word.text == "\\#").and_then(|_| self.take()).and_then(|word| number::<u16>(word.text));
        if length.is_none() || self.hex().is_none() || Some(self.data.len()) != length.map(usize::from) {
            return Err(wrong(self));
        }
        Ok(())
    }
}

/// A number without a sign.
pub fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|octet| octet.is_ascii_digit()))
}

/// The octets of a text with escapes (RFC 1035 5.1).
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&octet, tail)) = rest.split_first() {
        rest = tail;
        octets.push(match (octet, tail) {
            (b'\\', &[a, b, c, ref tail @ ..]) if [a, b, c].iter().all(u8::is_ascii_digit) => {
                rest = tail;
                let value = [a, b, c].iter().fold(0u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
                u8::try_from(value).ok()?
            }
            (b'\\', &[escaped, ref tail @ ..]) => {
                rest = tail;
                escaped
            }
            (b'\\', []) => return None,
            _ => octet,
        });
    }
    Some(octets)
}

/// Adds a character string; none where it is longer than one can be.
pub fn push_string(data: &mut Vec<u8>, octets: &[u8]) -> Option<()> {
    data.push(u8::try_from(octets.len()).ok()?);
    data.extend_from_slice(octets);
    Some(())
}
