//! The words of one record: blanks, quotes, parentheses, remarks (RFC 1035 5.1).

use super::Mistake;

/// A word, or what stands between two quotes; escapes are as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Its text.
    pub text: &'a str,
    /// It stood between quotes.
    pub is_quoted: bool,
    /// There is a blank before it in its line.
    pub is_apart: bool,
    line: usize,
    column: usize,
}

impl Token<'_> {
    /// What is wrong with it.
    pub fn mistake(&self, what: impl Into<String>) -> Mistake {
        Mistake { what: what.into(), token: self.text.to_owned(), line: self.line, column: self.column }
    }
}

/// The words of the first line that has any. Parentheses and quotes hide the ends of lines.
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, Mistake> {
    let bytes = text.as_bytes();
    let (mut tokens, mut at, mut depth, mut is_apart) = (Vec::new(), 0, 0u32, false);
    while let Some(&octet) = bytes.get(at) {
        match octet {
            b'\n' if depth == 0 && !tokens.is_empty() => break,
            b'\n' => is_apart = depth > 0,
            b' ' | b'\t' => is_apart = true,
            b'\r' => {}
            b';' => at = end_of(bytes, at, |octet| octet == b'\n') - 1,
            b'(' => (depth, is_apart) = (depth + 1, true),
            b')' if depth == 0 => return Err(token(text, at, at, false, false).mistake("extra closing brace")),
            b')' => (depth, is_apart) = (depth - 1, true),
            b'"' => {
                let end = end_of(bytes, at + 1, |octet| octet == b'"');
                let quoted = token(text, at + 1, end, true, is_apart);
                if end == bytes.len() {
                    return Err(quoted.mistake("a quote is not closed"));
                }
                tokens.push(quoted);
                (at, is_apart) = (end, false);
            }
            _ => {
                let end = end_of(bytes, at, |octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"'));
                tokens.push(token(text, at, end, false, is_apart));
                (at, is_apart) = (end - 1, false);
            }
        }
        at += 1;
    }
    if depth > 0 { Err(token(text, at, at, false, false).mistake("unbalanced brace")) } else { Ok(tokens) }
}

/// Where the first octet of a kind stands that has no backslash before it, from `start` on; the end, if there is none.
fn end_of(bytes: &[u8], start: usize, is_end: impl Fn(u8) -> bool) -> usize {
    let mut at = start;
    while at < bytes.len() && !is_end(bytes[at]) {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

/// The token from `start` to `end`; as the reader of CoreDNS's library it stands where reading it ended.
fn token(text: &str, start: usize, end: usize, is_quoted: bool, is_apart: bool) -> Token<'_> {
    let bytes = text.as_bytes();
    let line_start = bytes[..start].iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
    let line = 1 + bytes[..start].iter().filter(|&&octet| octet == b'\n').count();
    let read = usize::from(bytes.get(end).is_some_and(|&octet| octet != b'\n'));
    Token { text: &text[start..end], is_quoted, is_apart, line, column: end + read - line_start }
}
