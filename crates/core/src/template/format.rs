//! Values as text: what Go's `fmt` makes of them.

use std::borrow::Cow;

use super::data::Data;
use super::evaluate::{Failure, MAX_TEXT, bounded};
use super::value::Value;

/// A value as `print` shows it.
pub fn print<'v>(value: &'v Value<'_>, data: &Data<'_>) -> Result<Cow<'v, str>, Failure> {
    Ok(match value {
        Value::Nothing => "<nil>".into(),
        Value::Truth(truth) => truth.to_string().into(),
        Value::Number(number, _) => number.to_string().into(),
        Value::Text(text) => Cow::Borrowed(text),
        Value::Match => list(data, |text| text.to_owned()).into(),
        Value::Group => {
            let pairs: Vec<String> = data.group_keys().iter().map(|key| format!("{}:{}", key.name, data.group(key.number))).collect();
            format!("map[{}]", pairs.join(" ")).into()
        }
        Value::Variables => {
            let pairs = data.variable_keys().into_iter().map(|name| match data.variable(name) {
                Some(value) => Ok(format!("{name}:{}", print(&value, data)?)),
                None => Ok(format!("{name}:<nil>")),
            });
            format!("map[{}]", pairs.collect::<Result<Vec<_>, Failure>>()?.join(" ")).into()
        }
        Value::List(list) => {
            let items = list.iter().map(|item| print(item, data).map(Cow::into_owned));
            format!("[{}]", items.collect::<Result<Vec<_>, Failure>>()?.join(" ")).into()
        }
        Value::Data | Value::Message | Value::Questions | Value::Question => return Err(format!("{} has no text", value.type_name())),
    })
}

fn list(data: &Data<'_>, written: impl Fn(&str) -> String) -> String {
    let items: Vec<String> = (0..data.matches()).map(|number| written(data.group(number))).collect();
    format!("[{}]", items.join(" "))
}

/// What stands between `%` and its verb.
#[derive(Default)]
struct Flags {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// A text with values put in (Go's `fmt.Sprintf`).
pub fn format(text: &str, values: &[Value<'_>], data: &Data<'_>) -> Result<String, Failure> {
    let mut out = String::new();
    let (mut rest, mut next, mut is_reordered) = (text, 0, false);
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (flags, chosen, behind) = read_flags(&rest[at + 1..]);
        if let Some(number) = chosen {
            is_reordered = true;
            next = number;
        }
        let Some(verb) = behind.chars().next() else {
            out.push_str("%!(NOVERB)");
            rest = "";
            break;
        };
        rest = &behind[verb.len_utf8()..];
        match (verb, values.get(next)) {
            ('%', _) => out.push('%'),
            (_, None) if chosen.is_some() => out.push_str(&format!("%!{verb}(BADINDEX)")),
            (_, None) => out.push_str(&format!("%!{verb}(MISSING)")),
            (_, Some(value)) => {
                let is_number = matches!(value, Value::Number(..)) && "dvboOxX".contains(verb);
                out.push_str(&flags.pad(written(value, verb, &flags, data)?, is_number));
                next += 1;
            }
        }
        bounded(out.len())?;
    }
    out.push_str(rest);
    if !is_reordered && next < values.len() {
        let extra = values[next..].iter().map(|value| Ok(format!("{}={}", value.type_name(), print(value, data)?)));
        out.push_str(&format!("%!(EXTRA {})", extra.collect::<Result<Vec<_>, Failure>>()?.join(", ")));
    }
    bounded(out.len())?;
    Ok(out)
}

/// Flags, width, precision and the argument's number behind a `%`, and what follows.
fn read_flags(text: &str) -> (Flags, Option<usize>, &str) {
    let mut flags = Flags::default();
    let mut rest = text;
    while let Some(flag) = rest.chars().next().filter(|flag| "-+# 0".contains(*flag)) {
        match flag {
            '-' => flags.minus = true,
            '+' => flags.plus = true,
            '#' => flags.sharp = true,
            ' ' => flags.space = true,
            _ => flags.zero = true,
        }
        rest = &rest[1..];
    }
    (flags.width, rest) = read_number(rest);
    if let Some(behind) = rest.strip_prefix('.') {
        let precision;
        (precision, rest) = read_number(behind);
        flags.precision = Some(precision.unwrap_or(0));
    }
    let chosen = rest.strip_prefix('[').and_then(|inside| inside.split_once(']')).and_then(|(number, behind)| {
        let number: usize = number.parse().ok()?;
        Some((number.checked_sub(1)?, behind))
    });
    match chosen {
        Some((number, behind)) => (flags, Some(number), behind),
        None => (flags, None, rest),
    }
}

/// A number that is no longer than a text can be.
fn read_number(text: &str) -> (Option<usize>, &str) {
    let end = text.bytes().position(|octet| !octet.is_ascii_digit()).unwrap_or(text.len());
    let number = (end > 0).then(|| text[..end].parse().unwrap_or(MAX_TEXT).min(MAX_TEXT));
    (number, &text[end..])
}

impl Flags {
    /// As wide as it should be at least. Numbers have got their zeros before.
    fn pad(&self, text: String, is_number: bool) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        match self.minus {
            true => text + &" ".repeat(missing),
            false if self.zero && !is_number => "0".repeat(missing) + &text,
            false => " ".repeat(missing) + &text,
        }
    }

    /// A number with its sign, and as many digits as it should have.
    fn number(&self, digits: String, prefix: &str, is_negative: bool) -> String {
        let sign = match (is_negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let wide = self.width.filter(|_| self.zero && !self.minus && self.precision.is_none());
        let least = self.precision.or(wide.map(|width| width.saturating_sub(sign.len() + prefix.len()))).unwrap_or(0);
        format!("{sign}{prefix}{}{digits}", "0".repeat(least.saturating_sub(digits.len())))
    }
}

/// A value as a verb shows it.
fn written(value: &Value<'_>, verb: char, flags: &Flags, data: &Data<'_>) -> Result<String, Failure> {
    let wrong = |value: &Value<'_>| Ok(format!("%!{verb}({}={})", value.type_name(), print(value, data)?));
    Ok(match (value, verb) {
        (Value::Nothing, 'v') => "<nil>".to_owned(),
        (Value::Nothing, _) => format!("%!{verb}(<nil>)"),
        (Value::Truth(truth), 't' | 'v') => truth.to_string(),
        (Value::Number(number, _), 'd' | 'v' | 'b' | 'o' | 'O' | 'x' | 'X' | 'c' | 'q' | 'U') => integer(*number, verb, flags),
        (Value::Text(text), _) => match string(text, verb, flags) {
            Some(text) => text,
            None => return wrong(value),
        },
        (Value::Match, _) => list(data, |text| string(text, verb, flags).unwrap_or_else(|| format!("%!{verb}(string={text})"))),
        (Value::List(list), _) => {
            let items = list.iter().map(|item| written(item, verb, flags, data));
            format!("[{}]", items.collect::<Result<Vec<_>, Failure>>()?.join(" "))
        }
        (Value::Group | Value::Variables, 's' | 'v') => print(value, data)?.into_owned(),
        (Value::Group | Value::Variables | Value::Truth(_) | Value::Number(..), _) => return wrong(value),
        (Value::Data | Value::Message | Value::Questions | Value::Question, _) => print(value, data)?.into_owned(),
    })
}

/// A text, cut where it is longer than it should be.
fn string(text: &str, verb: char, flags: &Flags) -> Option<String> {
    let cut = flags.precision.and_then(|most| text.char_indices().nth(most)).map_or(text, |(end, _)| &text[..end]);
    let hex = |upper: bool| {
        let digits = cut.bytes().map(|octet| if upper { format!("{octet:02X}") } else { format!("{octet:02x}") });
        digits.collect::<Vec<_>>().join(if flags.space { " " } else { "" })
    };
    Some(match verb {
        's' | 'v' => cut.to_owned(),
        'q' => format!("{cut:?}"),
        'x' => hex(false),
        'X' => hex(true),
        _ => return None,
    })
}

fn integer(number: i128, verb: char, flags: &Flags) -> String {
    let (is_negative, size) = (number < 0, number.unsigned_abs());
    let character = || u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
    let prefix = |prefix: &'static str| if flags.sharp { prefix } else { "" };
    match verb {
        'b' => flags.number(format!("{size:b}"), prefix("0b"), is_negative),
        'o' => flags.number(format!("{size:o}"), prefix("0"), is_negative),
        'O' => flags.number(format!("{size:o}"), "0o", is_negative),
        'x' => flags.number(format!("{size:x}"), prefix("0x"), is_negative),
        'X' => flags.number(format!("{size:X}"), prefix("0X"), is_negative),
        'c' => character().to_string(),
        'q' => format!("{:?}", character()),
        'U' => format!("U+{size:04X}"),
        _ => flags.number(size.to_string(), "", is_negative),
    }
}
