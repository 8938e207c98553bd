//! The questions of a load: read once, then only their ids change, and the numbers in names that have some.

use std::ops::Range;

/// Messages that are asked in turn.
#[derive(Clone)]
pub struct Questions {
    messages: Vec<Message>,
    next: usize,
    asked: u64,
}

#[derive(Clone)]
struct Message {
    octets: Vec<u8>,
    /// Where digits stand that are different each time.
    digits: Range<usize>,
}

const TYPES: [(&str, u16); 9] =
    [("A", 1), ("NS", 2), ("CNAME", 5), ("SOA", 6), ("PTR", 12), ("MX", 15), ("TXT", 16), ("AAAA", 28), ("SRV", 33)];

impl Questions {
    /// From lines `NAME [TYPE]`; A where no type is given. The first run of `#` in a name becomes the number of the question. `edns`: the size that an OPT record tells.
    pub fn parse(lines: &[String], edns: Option<u16>) -> Result<Questions, String> {
        let messages = lines.iter().map(|line| message(line, edns)).collect::<Result<Vec<_>, _>>()?;
        if messages.is_empty() { Err("no questions".to_owned()) } else { Ok(Questions { messages, next: 0, asked: 0 }) }
    }

    /// The next one, with this id.
    pub fn next(&mut self, id: u16) -> &[u8] {
        let at = self.next;
        self.next = if at + 1 < self.messages.len() { at + 1 } else { 0 };
        let Message { octets, digits } = &mut self.messages[at];
        octets[..2].copy_from_slice(&id.to_be_bytes());
        let mut rest = self.asked;
        for digit in octets[digits.clone()].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.asked += 1;
        octets
    }
}

fn message(line: &str, edns: Option<u16>) -> Result<Message, String> {
    let mut words = line.split_whitespace();
    let (name, rtype) = (words.next().unwrap_or("."), words.next().unwrap_or("A"));
    let number = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(rtype)).map(|(_, number)| *number);
    let number = number.or_else(|| rtype.parse().ok()).ok_or_else(|| format!("{line}: {rtype} is no record type"))?;
    let mut message = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(edns.is_some())];
    for label in name.trim_end_matches('.').split('.').filter(|label| !label.is_empty()) {
        let length = u8::try_from(label.len()).ok().filter(|length| *length < 64).ok_or_else(|| format!("{line}: {label} is too long"))?;
        message.push(length);
        message.extend_from_slice(label.as_bytes());
    }
    if message.len() > 12 + 254 {
        return Err(format!("{line}: the name is too long"));
    }
    message.push(0);
    message.extend_from_slice(&number.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    if let Some(size) = edns {
        message.extend_from_slice(&[0, 0, 41]);
        message.extend_from_slice(&size.to_be_bytes());
        message.extend_from_slice(&[0; 6]);
    }
    let first = message.iter().position(|octet| *octet == b'#').unwrap_or(message.len());
    let count = message[first..].iter().take_while(|octet| **octet == b'#').count();
    Ok(Message { octets: message, digits: first..first + count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_a_message() {
        let lines = ["a.example. SRV".to_owned(), "b".to_owned()];
        let mut questions = Questions::parse(&lines, Some(1232)).unwrap();
        let srv = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x01a\x07example\x00\x00\x21\x00\x01\x00\x00\x29\x04\xd0\0\0\0\0\0\0";
        assert_eq!(questions.next(0x1234), srv);
        assert_eq!(&questions.next(7)[..19], b"\0\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x01b\x00\x00\x01\x00\x01");
        assert_eq!(questions.next(0x1234), srv);
        let mut numbered = Questions::parse(&["n##.a".to_owned()], None).unwrap();
        assert_eq!(&numbered.next(1)[12..16], b"\x03n00");
        (0..10).for_each(|id| drop(numbered.next(id).to_vec()));
        assert_eq!(&numbered.next(1)[12..16], b"\x03n11");
        assert!(Questions::parse(&["a NONSENSE".to_owned()], None).is_err());
        assert!(Questions::parse(&["x".repeat(64)], None).is_err());
        assert!(Questions::parse(&[], None).is_err());
    }
}
