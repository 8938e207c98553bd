//! Go's syntax of regular expressions (its package `regexp/syntax` says what it is), written again as that of the crate `regex`.
//!
//! The two agree in most; here is where they do not: braces that are no repetition, classes, escapes, quoting, which groups there are.

/// A pattern for the crate, and the names of its groups.
pub struct Translated {
    /// As the crate wants it.
    pub text: String,
    /// The groups' names; "" for one without a name.
    pub groups: Vec<Box<str>>,
}

/// The most times that something may be repeated.
const MOST_TIMES: u32 = 1000;
/// The classes that have names.
const NAMED: [&str; 14] =
    ["alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word", "xdigit"];

/// Writes a pattern again.
pub fn translate(text: &str) -> Result<Translated, String> {
    let mut reader = Reader { rest: text, text: String::new(), groups: Vec::new(), before: Before::Nothing, depth: 0 };
    while !reader.rest.is_empty() {
        reader.item()?;
    }
    if reader.depth > 0 {
        return Err("`(` without `)`".to_owned());
    }
    Ok(Translated { text: reader.text, groups: reader.groups })
}

struct Reader<'a> {
    rest: &'a str,
    text: String,
    groups: Vec<Box<str>>,
    before: Before,
    depth: usize,
}

/// What stands before the item at hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing that can be repeated.
    Nothing,
    /// Something that can be.
    Item,
    /// Something that is repeated already.
    Repeated,
}

impl<'a> Reader<'a> {
    fn item(&mut self) -> Result<(), String> {
        let Some(first) = self.take() else { return Ok(()) };
        match first {
            '\\' => return self.escape(),
            '(' => return self.open(),
            '[' => self.class()?,
            '*' | '+' | '?' => return self.repeat(&first.to_string()),
            '{' => {
                if let Some(times) = self.times() {
                    return self.repeat_counted(times);
                }
                self.literal('{');
            }
            ')' => {
                self.depth = self.depth.checked_sub(1).ok_or("`)` without `(`")?;
                self.text.push(')');
            }
            '|' => {
                self.text.push('|');
                self.before = Before::Nothing;
                return Ok(());
            }
            '.' | '^' | '$' => self.text.push(first),
            other => self.literal(other),
        }
        self.before = Before::Item;
        Ok(())
    }

    fn take(&mut self) -> Option<char> {
        let first = self.rest.chars().next()?;
        self.rest = &self.rest[first.len_utf8()..];
        Some(first)
    }

    fn take_if(&mut self, start: &str) -> bool {
        let after = self.rest.strip_prefix(start);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn literal(&mut self, letter: char) {
        if letter.is_ascii_alphanumeric() {
            return self.text.push(letter);
        }
        let octets: String = letter.encode_utf8(&mut [0; 4]).bytes().map(|octet| format!("\\x{octet:02x}")).collect();
        // What is repeated is the letter, not its last octet.
        if letter.is_ascii() { self.text.push_str(&octets) } else { self.text.push_str(&format!("(?:{octets})")) }
    }

    fn repeat(&mut self, operator: &str) -> Result<(), String> {
        match self.before {
            Before::Nothing => Err(format!("nothing stands before `{operator}`")),
            Before::Repeated => Err(format!("`{operator}` repeats what is repeated already")),
            Before::Item => {
                self.text.push_str(operator);
                if self.take_if("?") {
                    self.text.push('?');
                }
                self.before = Before::Repeated;
                Ok(())
            }
        }
    }

    /// The rest of `{2}`, `{2,}` or `{2,3}`, if it is one of them.
    fn times(&mut self) -> Option<&'a str> {
        let (inside, after) = self.rest.split_once('}')?;
        let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
        let is_number = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if least.is_empty() || !is_number(least) || !is_number(most) {
            return None;
        }
        self.rest = after;
        Some(inside)
    }

    fn repeat_counted(&mut self, times: &str) -> Result<(), String> {
        let (least, most) = times.split_once(',').unwrap_or((times, times));
        let number = |text: &str| text.parse().unwrap_or(u32::MAX);
        let most = if most.is_empty() { MOST_TIMES } else { number(most) };
        if most > MOST_TIMES || number(least) > most {
            return Err(format!("`{{{times}}}` repeats more than {MOST_TIMES} times, or less often at most than at least"));
        }
        self.repeat(&format!("{{{times}}}"))
    }

    fn open(&mut self) -> Result<(), String> {
        if !self.take_if("?") {
            return self.open_group("");
        }
        if self.take_if("P<") || self.take_if("<") {
            let (name, after) = self.rest.split_once('>').ok_or("the name of a group has no end")?;
            self.rest = after;
            if name.is_empty() || !name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_') {
                return Err(format!("`{name}` is no name of a group"));
            }
            if self.groups.iter().any(|known| **known == *name) {
                return Err(format!("two groups have the name `{name}`"));
            }
            return self.open_group(name);
        }
        self.flags()
    }

    /// The crate is not told the name: it takes fewer.
    fn open_group(&mut self, name: &str) -> Result<(), String> {
        self.groups.push(name.into());
        self.text.push('(');
        (self.depth, self.before) = (self.depth + 1, Before::Nothing);
        Ok(())
    }

    /// The rest of `(?i)` or `(?i-s:`.
    fn flags(&mut self) -> Result<(), String> {
        let length = self.rest.find([':', ')']);
        let flags = &self.rest[..length.unwrap_or(self.rest.len())];
        let (on, off) = flags.split_once('-').unwrap_or((flags, "i"));
        let wrong = on.chars().chain(off.chars()).find(|flag| !"imsU".contains(*flag));
        let end = length.map(|length| &self.rest[length..=length]);
        let (false, None, Some(end)) = (off.is_empty(), wrong, end) else {
            let told = if let Some(wrong) = wrong { wrong.to_string() } else { format!("{flags}{}", end.unwrap_or_default()) };
            return Err(format!("`(?{told}` is no kind of group"));
        };
        self.rest = &self.rest[flags.len() + 1..];
        if end == ":" {
            self.text.push_str(&format!("(?{flags}:"));
            (self.depth, self.before) = (self.depth + 1, Before::Nothing);
        } else if !flags.is_empty() {
            self.text.push_str(&format!("(?{flags})"));
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        if self.take_if("Q") {
            let (quoted, after) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
            self.rest = after;
            quoted.chars().for_each(|letter| self.literal(letter));
            if !quoted.is_empty() {
                self.before = Before::Item;
            }
            return Ok(());
        }
        match self.rest.chars().next() {
            Some(letter @ ('A' | 'z' | 'b' | 'B' | 'd' | 'D' | 's' | 'S' | 'w' | 'W')) => {
                self.take();
                self.text.extend(['\\', letter]);
            }
            _ => {
                let letter = self.escaped()?;
                self.literal(letter);
            }
        }
        self.before = Before::Item;
        Ok(())
    }

    /// The letter that an escape stands for; the backslash was taken.
    fn escaped(&mut self) -> Result<char, String> {
        let octal = |letter: &char| letter.is_digit(8);
        let letter = self.take().ok_or("it ends with a backslash")?;
        Ok(match letter {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => self.hexadecimal().ok_or(r"`\x` wants two hexadecimal digits, or any number of them in braces")?,
            'p' | 'P' => return Err(format!(r"`\{letter}` is not possible: names are ASCII")),
            // A number without a further octal digit would be what a group has matched before.
            '0'..='7' if letter == '0' || self.rest.chars().next().as_ref().is_some_and(octal) => {
                let more: String = self.rest.chars().take_while(octal).take(2).collect();
                self.rest = &self.rest[more.len()..];
                u32::from_str_radix(&format!("{letter}{more}"), 8).ok().and_then(char::from_u32).unwrap_or_default()
            }
            letter if letter.is_ascii() && !letter.is_ascii_alphanumeric() => letter,
            letter => return Err(format!(r"`\{letter}` is no escape")),
        })
    }

    fn hexadecimal(&mut self) -> Option<char> {
        let (digits, after) = match self.rest.strip_prefix('{') {
            Some(inside) => inside.split_once('}')?,
            None => self.rest.split_at_checked(2)?,
        };
        self.rest = after;
        // The parser of numbers would take a sign.
        digits.bytes().all(|octet| octet.is_ascii_hexdigit()).then_some(())?;
        char::from_u32(u32::from_str_radix(digits, 16).ok()?)
    }

    /// The rest of `[...]`.
    fn class(&mut self) -> Result<(), String> {
        self.text.push('[');
        if self.take_if("^") {
            self.text.push('^');
        }
        let mut is_first = true;
        while is_first || !self.rest.starts_with(']') {
            is_first = false;
            if !self.named_class()? {
                self.range()?;
            }
        }
        self.take();
        self.text.push(']');
        Ok(())
    }

    /// `[:alpha:]` or `\d` inside a class.
    fn named_class(&mut self) -> Result<bool, String> {
        if let Some(inside) = self.rest.strip_prefix("[:")
            && let Some((name, after)) = inside.split_once(":]")
        {
            if !NAMED.contains(&name.strip_prefix('^').unwrap_or(name)) {
                return Err(format!("there is no class `[:{name}:]`"));
            }
            self.text.push_str(&format!("[:{name}:]"));
            self.rest = after;
            return Ok(true);
        }
        let class = ["\\d", "\\D", "\\s", "\\S", "\\w", "\\W"].into_iter().find(|class| self.rest.starts_with(class));
        if let Some(class) = class {
            self.text.push_str(class);
            self.rest = &self.rest[class.len()..];
        }
        Ok(class.is_some())
    }

    /// One letter of a class, or a range of them.
    fn range(&mut self) -> Result<(), String> {
        let first = self.class_letter()?;
        let is_range = self.rest.starts_with('-') && self.rest.len() > 1 && !self.rest.starts_with("-]");
        let last = if is_range {
            self.take();
            self.class_letter()?
        } else {
            first
        };
        if last < first {
            return Err(format!("the range `{first}-{last}` runs backwards"));
        }
        // Octets that are no ASCII letters are all the same.
        let octet = |letter: char, other: u8| if letter.is_ascii() { letter as u8 } else { other };
        self.text.push_str(&format!("\\x{:02x}-\\x{:02x}", octet(first, 0x80), octet(last, 0xff)));
        Ok(())
    }

    fn class_letter(&mut self) -> Result<char, String> {
        match self.take().ok_or("`[` without `]`")? {
            '\\' => self.escaped(),
            letter => Ok(letter),
        }
    }
}
