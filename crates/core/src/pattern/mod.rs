//! Patterns that people write: regular expressions in Go's syntax (RE2), compiled once, run on texts in time linear in their length.

mod go;

use regex::bytes::{Captures, Regex, RegexBuilder};

/// The longest pattern, in characters (as in CoreDNS).
pub const MAX_LENGTH: usize = 10_000;
/// The most octets that a compiled pattern may take.
const MAX_COMPILED: usize = 4 << 20;
/// The most octets that a thread keeps for speed while it runs one.
const MAX_SCRATCH: usize = 256 << 10;

/// A compiled pattern. Letters are ASCII: so are texts of names.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    names: Vec<Box<str>>,
}

/// What a pattern has found.
pub struct Groups<'t>(Captures<'t>);

impl Pattern {
    /// Compiles a pattern; the error says in one line what is wrong with it.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let length = text.chars().count();
        if length > MAX_LENGTH {
            return Err(format!("it has {length} characters, at most {MAX_LENGTH} are possible"));
        }
        let translated = go::translate(text)?;
        let mut builder = RegexBuilder::new(&translated.text);
        builder.unicode(false).size_limit(MAX_COMPILED).dfa_size_limit(MAX_SCRATCH);
        let regex = builder.build().map_err(|why| match why {
            regex::Error::CompiledTooBig(_) => "it repeats too much".to_owned(),
            // The crate draws a picture of its own spelling; the reason is the last line.
            other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        })?;
        Ok(Pattern { regex, names: translated.groups })
    }

    /// The names of its groups from the first on; "" for one without a name.
    pub fn group_names(&self) -> &[Box<str>] {
        &self.names
    }

    /// Whether it occurs in a text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }

    /// Where it occurs first in a text.
    pub fn find<'t>(&self, text: &'t [u8]) -> Option<Groups<'t>> {
        self.regex.captures(text).map(Groups)
    }
}

impl<'t> Groups<'t> {
    /// What a group has matched; 0 is the whole pattern. A group that took no part has matched nothing.
    pub fn get(&self, number: usize) -> &'t [u8] {
        self.0.get(number).map_or(&[], |found| found.as_bytes())
    }

    /// How many there are, the whole pattern included.
    #[allow(clippy::len_without_is_empty, reason = "the whole pattern is always there")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}")).is_match(text.as_bytes())
    }

    fn refused(pattern: &str) -> String {
        Pattern::parse(pattern).map(|_| panic!("{pattern} was taken")).unwrap_err()
    }

    #[test]
    fn groups_are_what_parentheses_have_matched() {
        let pattern = Pattern::parse(r"^(?P<who>[a-z]+)-(\d+)(?:-x)?(-y)?\.(?<zone>.*)$").unwrap();
        assert_eq!(pattern.group_names(), ["who".into(), "".into(), "".into(), "zone".into()]);
        let groups = pattern.find(b"web-12.shop.example.").unwrap();
        let all: Vec<&[u8]> = (0..groups.len()).map(|number| groups.get(number)).collect();
        assert_eq!(all, [&b"web-12.shop.example."[..], b"web", b"12", b"", b"shop.example."]);
        assert!(pattern.find(b"web.shop.example.").is_none());
    }

    /// Where Go and the crate read the same text differently.
    #[test]
    fn the_syntax_is_gos() {
        for (pattern, yes, no) in [
            // Braces that are no repetition stand for themselves.
            ("^a{,2}$", "a{,2}", "aa"),
            ("^a{x}$", "a{x}", "ax"),
            ("^a{01}$", "a{01}", "a"),
            ("^a{2}$", "aa", "a{2}"),
            ("^a{1,2}?b{2,}$", "aabbb", "ab"),
            // A class knows neither classes inside nor operators.
            ("^[a[b]$", "[", "]"),
            ("^[a&&b]$", "&", "c"),
            ("^[a~~b]$", "~", "c"),
            ("^[]a]$", "]", "b"),
            ("^[^]a]$", "b", "]"),
            (r"^[\]\-^]$", "^", "\\"),
            ("^[a-c-]$", "-", "d"),
            ("^[[:digit:]x]$", "7", "y"),
            ("^[[:^digit:]]$", "y", "7"),
            ("^[[:digit]$", "[", "7"),
            (r"^[\D]$", "y", "7"),
            (r"^[\d.]+$", "10.0", "a"),
            // Escapes.
            (r"^\Qa.b*\E+$", "a.b***", "axb"),
            (r"^\Qa.", "a.b", "axb"),
            (r"^\<\>\_\-\ $", "<>_- ", "x"),
            (r"^\x41\x{42}\103\07$", "ABC\x07", "ABC7"),
            (r"^a\tb$", "a\tb", "atb"),
            (r"^\w+$", "a_1", "a-1"),
            // Flags, and a group whose name the crate would not take.
            ("(?i)^aBc$", "AbC", "abd"),
            ("^a(?i:b)c$", "aBc", "aBC"),
            ("^(?)a(?:b)$", "ab", "b"),
            ("^(?P<1st>a)$", "a", "b"),
            // What is not ASCII stands in no name.
            ("^ü+$", "üü", "u"),
            ("^[^ü]$", "u", "uu"),
        ] {
            assert!(matches(pattern, yes), "{pattern} does not match {yes}");
            assert!(!matches(pattern, no), "{pattern} matches {no}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for (pattern, why) in [
            ("a)", "`)` without `(`"),
            ("(a", "`(` without `)`"),
            ("[a", "`[` without `]`"),
            ("[b-a]", "the range `b-a` runs backwards"),
            ("[[:name:]]", "there is no class `[:name:]`"),
            ("*a", "nothing stands before `*`"),
            ("a|+", "nothing stands before `+`"),
            ("(?:?)", "nothing stands before `?`"),
            ("a**", "`*` repeats what is repeated already"),
            ("a++", "`+` repeats what is repeated already"),
            ("a{2}{3}", "`{3}` repeats what is repeated already"),
            ("a{1001}", "`{1001}` repeats more than 1000 times, or less often at most than at least"),
            ("a{3,2}", "`{3,2}` repeats more than 1000 times, or less often at most than at least"),
            (r"(a)\1", r"`\1` is no escape"),
            (r"\q", r"`\q` is no escape"),
            (r"\xg", r"`\x` wants two hexadecimal digits, or any number of them in braces"),
            (r"\x{110000}", r"`\x` wants two hexadecimal digits, or any number of them in braces"),
            ("a\\", "it ends with a backslash"),
            (r"\pL", r"`\p` is not possible: names are ASCII"),
            (r"[\PL]", r"`\P` is not possible: names are ASCII"),
            ("(?x)a", "`(?x` is no kind of group"),
            ("(?=a)", "`(?=` is no kind of group"),
            ("(?i-)a", "`(?i-)` is no kind of group"),
            ("(?P<a-b>c)", "`a-b` is no name of a group"),
            ("(?P<a>b)(?P<a>c)", "two groups have the name `a`"),
            ("(?P<a", "the name of a group has no end"),
        ] {
            assert_eq!(refused(pattern), why, "{pattern}");
        }
    }

    #[test]
    fn patterns_are_bounded() {
        assert!(Pattern::parse(&"a".repeat(MAX_LENGTH)).is_ok());
        assert!(Pattern::parse(&"[a-f]|".repeat(MAX_LENGTH / 6)).is_ok());
        assert_eq!(refused(&"a".repeat(MAX_LENGTH + 1)), "it has 10001 characters, at most 10000 are possible");
        assert_eq!(refused("((a{1000}){1000}){1000}"), "it repeats too much");
        assert!(!refused(&format!("{}a{}", "(".repeat(4000), ")".repeat(4000))).is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_refused_in_one_line(text in r"[a-c\\\[\](){}*+?|^$.,:<>PQEdxiU0-9ü-]{0,12}") {
            match Pattern::parse(&text) {
                Ok(pattern) => {
                    pattern.is_match(b"abc.example.");
                }
                Err(why) => prop_assert!(!why.is_empty() && !why.contains('\n'), "{text}: {why:?}"),
            }
        }

        #[test]
        fn quoted_text_matches_itself_alone(text in "[!-~]{1,20}", other in "[!-~]{1,20}") {
            prop_assume!(!text.contains("\\E"));
            let pattern = Pattern::parse(&format!(r"^\Q{text}\E$")).unwrap();
            prop_assert!(pattern.is_match(text.as_bytes()));
            prop_assert_eq!(pattern.is_match(other.as_bytes()), text == other);
        }
    }
}
