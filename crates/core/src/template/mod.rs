//! The op `template`: answers with records whose text is made from the question.

mod conditions;
mod counters;
mod data;
mod evaluate;
mod format;
mod functions;
mod value;

use conditions::{Conditions, Refusal};
use counters::Mistake;
use data::{Data, Found};
use evaluate::evaluate;

use crate::answer::{Answer, Rdata, Rr};
use crate::edns::extended_error;
use crate::labels::{Known, Labels};
use crate::metrics::{Count, OpCounter};
use crate::name;
use crate::pattern::Pattern;
use crate::plan::{self, Piece};
use crate::trace::Recorder;
use crate::way::Turn;
use crate::wire::{CLASS_ANY, rcode, rtype};
use crate::zonefile::Record;

/// The TTL of a record that tells none (as in CoreDNS).
const DEFAULT_TTL: u32 = 3600;

/// Rules, in order.
pub struct TemplateOp {
    rules: Vec<Rule>,
}

struct Rule {
    qclass: u16,
    qtype: u16,
    zones: Vec<Zone>,
    /// None: all names.
    patterns: Vec<NamedPattern>,
    conditions: Conditions,
    answer: Vec<Line>,
    authority: Vec<Line>,
    additional: Vec<Line>,
    rcode: u16,
    extended_error: Option<plan::ExtendedError>,
    fallthrough: Vec<Box<[u8]>>,
    span: u32,
}

struct Zone {
    wire: Box<[u8]>,
    text: Box<str>,
    /// The number of its first counter.
    counter: usize,
}

struct NamedPattern {
    text: Box<str>,
    pattern: Pattern,
}

/// A record, and the template as Go prints it.
struct Line {
    source: Box<str>,
    text: Text,
}

/// What a record says: always the same, or made for each query.
enum Text {
    Fixed(Record),
    Made(Vec<Piece>),
}

impl TemplateOp {
    /// Compiles the op; the error names what cannot be read. `labels` are those of its block.
    pub fn new(rules: &[plan::TemplateRule], labels: &Labels) -> Result<TemplateOp, String> {
        let mut op = TemplateOp { rules: rules.iter().map(|rule| Rule::new(rule, labels)).collect::<Result<_, _>>()? };
        let mut counter = 0;
        for rule in &mut op.rules {
            let each = rule.counters_of_a_zone();
            for zone in &mut rule.zones {
                zone.counter = counter;
                counter += each;
            }
        }
        Ok(op)
    }

    /// What it counts: matches.
    pub fn counters(&self) -> Vec<OpCounter> {
        self.rules.iter().flat_map(Rule::counters).collect()
    }

    /// Answers, if a rule is about the question. False: the next op has it.
    pub fn run<R: Recorder>(
        &self,
        turn: &Turn<'_>,
        known: Known<'_>,
        count: &mut Count<'_>,
        answer: &mut Answer,
        recorder: &mut R,
    ) -> bool {
        let mut name = None;
        for rule in &self.rules {
            let Some(zone) = rule.zone_of(turn) else { continue };
            recorder.op("template", rule.span);
            // Most rules look at no name.
            let name = name.get_or_insert_with(|| name::Display(turn.asked.lower).to_string());
            let found = rule.patterns.iter().find_map(|pattern| pattern.find(name));
            if found.is_none() && !rule.patterns.is_empty() {
                if rule.passes_on(turn, answer, recorder, || "no pattern has the name".to_owned()) {
                    continue;
                }
                return true;
            }
            recorder
                .note("matched", || found.as_ref().map_or_else(|| format!("all names of {}", zone.text), |found| found.text.to_owned()));
            let mut data = rule.data(turn, known, zone, name, found);
            match rule.conditions.hold(&mut data) {
                Ok(()) => {}
                Err(refusal @ Refusal::False(_)) => {
                    if rule.passes_on(turn, answer, recorder, || refusal.told(&data)) {
                        continue;
                    }
                    return true;
                }
                Err(refusal @ Refusal::NoValue(_)) => {
                    recorder.note("failed", || refusal.told(&data));
                    (answer.rcode, answer.left_to_server) = (rcode::SERVFAIL, true);
                    return true;
                }
            }
            count.one(zone.counter + rule.counter_of(data.qclass, data.qtype));
            if let Err((section, line, mistake)) = rule.answer(&data, answer) {
                count.one_rarely(|| rule.mistake(zone, (data.qclass, data.qtype), section, &line.source, &mistake));
                let (Mistake::Template(why) | Mistake::Record(why)) = mistake;
                recorder.note("failed", || why.clone());
                answer.fail(rcode::SERVFAIL, why);
            }
            return true;
        }
        false
    }
}

impl Rule {
    fn new(rule: &plan::TemplateRule, labels: &Labels) -> Result<Rule, String> {
        let zone = |text: &String| {
            let wire = name::absolute_lower(text).map_err(|why| format!("{text} {why}"))?;
            Ok::<_, String>(Zone { wire, text: text.as_str().into(), counter: 0 })
        };
        let pattern = |text: &String| {
            let pattern = Pattern::parse(text).map_err(|why| format!("{text}: {why}"))?;
            Ok::<_, String>(NamedPattern { text: text.as_str().into(), pattern })
        };
        let lines = |records: &[plan::RecordTemplate]| records.iter().map(Line::new).collect::<Result<Vec<_>, _>>();
        Ok(Rule {
            qclass: rule.qclass,
            qtype: rule.qtype,
            zones: rule.zones.iter().map(zone).collect::<Result<_, _>>()?,
            patterns: rule.patterns.iter().map(pattern).collect::<Result<_, _>>()?,
            conditions: Conditions::new(rule, labels)?,
            answer: lines(&rule.answer)?,
            authority: lines(&rule.authority)?,
            additional: lines(&rule.additional)?,
            rcode: rule.rcode,
            extended_error: rule.extended_error.clone(),
            fallthrough: rule.fallthrough.iter().map(|text| zone(text).map(|zone| zone.wire)).collect::<Result<_, _>>()?,
            span: rule.span,
        })
    }

    /// Whether a question that it does not answer goes to the next rule; else it is answered with a failure.
    fn passes_on<R: Recorder>(&self, turn: &Turn<'_>, answer: &mut Answer, recorder: &mut R, why: impl FnOnce() -> String) -> bool {
        let passes_on = self.fallthrough.iter().any(|zone| name::is_under(turn.asked.lower, zone));
        if passes_on {
            recorder.note("fallthrough", || format!("{}; the next template or directive is asked", why()));
        } else {
            recorder.note("failed", || format!("{}, and nothing falls through", why()));
            (answer.rcode, answer.left_to_server) = (rcode::SERVFAIL, true);
        }
        passes_on
    }

    /// Its longest zone that has the name, if it is about the class and type. Who asks for any asks for its own.
    fn zone_of(&self, turn: &Turn<'_>) -> Option<&Zone> {
        let fits = |own: u16, asked: u16, any: u16| own == any || asked == any || own == asked;
        if !fits(self.qclass, turn.request.qclass, CLASS_ANY) || !fits(self.qtype, turn.request.qtype, rtype::ANY) {
            return None;
        }
        self.zones.iter().filter(|zone| name::is_under(turn.asked.lower, &zone.wire)).max_by_key(|zone| zone.wire.len())
    }

    fn data<'a>(&'a self, turn: &Turn<'a>, known: Known<'a>, zone: &'a Zone, name: &'a str, found: Option<Found<'a>>) -> Data<'a> {
        let asked = turn.request;
        let qclass = if asked.qclass == CLASS_ANY { self.qclass } else { asked.qclass };
        let qtype = if asked.qtype == rtype::ANY { self.qtype } else { asked.qtype };
        Data { turn: *turn, known, zone: &zone.text, name, qclass, qtype, found, variable_names: &[], variables: Vec::new() }
    }

    /// Answers with its records, or says which one cannot be made, and why.
    fn answer(&self, data: &Data<'_>, answer: &mut Answer) -> Result<(), (&'static str, &Line, Mistake)> {
        answer.rcode = self.rcode;
        if self.rcode == rcode::SERVFAIL {
            answer.left_to_server = true;
            return Ok(());
        }
        (answer.aa, answer.cacheable) = (true, true);
        let wants_address = matches!(data.turn.request.qtype, rtype::A | rtype::AAAA);
        for line in &self.answer {
            let Some(rr) = line.put(data, answer).map_err(|mistake| ("answer", line, mistake))? else { continue };
            answer.answer.push(rr);
            match rr.rdata {
                Rdata::Name(target) if wants_address && rr.rtype == rtype::CNAME => answer.chase.insert(0, target),
                _ => {}
            }
        }
        for line in &self.additional {
            let rr = line.put(data, answer).map_err(|mistake| ("additional", line, mistake))?;
            answer.additional.extend(rr);
        }
        for line in &self.authority {
            let rr = line.put(data, answer).map_err(|mistake| ("authority", line, mistake))?;
            answer.authority.extend(rr);
        }
        if let Some(error) = &self.extended_error {
            extended_error(answer, error.code, &error.text);
        }
        Ok(())
    }
}

impl NamedPattern {
    fn find<'a>(&'a self, name: &'a str) -> Option<Found<'a>> {
        let groups = self.pattern.find(name.as_bytes())?;
        Some(Found { text: &self.text, names: self.pattern.group_names(), groups })
    }
}

impl Line {
    fn new(record: &plan::RecordTemplate) -> Result<Line, String> {
        let fixed = |text: &str| Record::parse(text, DEFAULT_TTL).map(Text::Fixed).map_err(|mistake| format!("{text}: {mistake}"));
        let text = match &record.pieces[..] {
            [] => fixed("")?,
            [Piece::Text { text }] => fixed(text)?,
            pieces => Text::Made(pieces.to_vec()),
        };
        Ok(Line { source: record.source.as_str().into(), text })
    }

    /// The record, put into an answer; none where its text is empty.
    fn put(&self, data: &Data<'_>, answer: &mut Answer) -> Result<Option<Rr>, Mistake> {
        let made;
        let record = match &self.text {
            Text::Fixed(record) => record,
            Text::Made(pieces) => {
                let text = evaluate(pieces, data).map_err(Mistake::Template)?;
                if text.trim_ascii().is_empty() {
                    return Ok(None);
                }
                made = Record::parse(&text, DEFAULT_TTL).map_err(|mistake| Mistake::Record(format!("dns: {mistake}")))?;
                &made
            }
        };
        let asked = &data.turn.asked;
        let owner = if *record.owner == *asked.name { asked.owner } else { answer.intern(&[&record.owner]) };
        Ok(Some(record.put(owner, answer)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::evaluate::{MAX_SLOTS, MAX_TEXT};
    use super::*;
    use crate::answer::QNAME;
    use crate::client::{Client, Transport};
    use crate::expression;
    use crate::facts::Facts;
    use crate::plan::{IfBranch, Term, TermConstant};
    use crate::wire::Request;
    use crate::zone::Asked;

    /// A template, its pieces as Python makes them, and what Go makes of it for the query of [`data`].
    #[derive(Deserialize)]
    struct Recorded {
        template: String,
        pieces: Option<Vec<Piece>>,
        text: Option<String>,
    }

    const RECORDED: &str = include_str!("../../../../tests/templates/recorded.json");
    const PATTERN: &str = "^ip-(?P<a>[0-9]*)-(?P<b>[0-9]*)-(?P<hex>[0-9a-f]*)(?P<none>x?)[.]example[.]$";

    fn with_data<T>(run: impl FnOnce(&Data<'_>) -> T) -> T {
        let client = Client {
            address: "192.0.2.1:5353".parse().unwrap(),
            local: "192.0.2.53:53".parse().unwrap(),
            listener: 0,
            transport: Transport::Udp,
        };
        let request = Request { opcode: 0, aa: false, rd: true, ra: false, ad: false, cd: false, qtype: 1, qclass: 1, edns: None };
        let name = name::absolute("IP-10-0-ff.Example.").unwrap();
        let lower = name.to_ascii_lowercase();
        let turn = Turn {
            now: Duration::ZERO,
            client: &client,
            request: &request,
            options: &[],
            asked: Asked { owner: QNAME, name: &name, lower: &lower },
            at: 0,
            quiet: false,
        };
        let pattern = NamedPattern { text: PATTERN.into(), pattern: Pattern::parse(PATTERN).unwrap() };
        let found = pattern.find("ip-10-0-ff.example.");
        let facts = Facts { client: &client, id: 1001, size: 36, request: &request, name: &lower };
        let known = Known { facts: &facts, labels: &Labels::default(), upstream: None };
        let names: [Box<str>; 3] = ["octets".into(), "port".into(), "host".into()];
        let octets = ["10", "0"].map(expression::Value::borrowed);
        let variables =
            vec![expression::Value::List(octets.into()), expression::Value::Number(5353), expression::Value::text("web".into())];
        let name = "ip-10-0-ff.example.";
        run(&Data { turn, known, zone: "example.", name, qclass: 1, qtype: 1, found, variable_names: &names, variables })
    }

    #[test]
    fn templates_make_what_go_makes_of_them() {
        let recorded: Vec<Recorded> = serde_json::from_str(RECORDED).unwrap();
        for Recorded { template, pieces, text } in recorded {
            let Some(pieces) = pieces else { continue };
            let made = with_data(|data| evaluate(&pieces, data));
            match text {
                Some(text) => assert_eq!(made, Ok(text), "{template}"),
                None => assert!(made.is_err(), "{template}: {made:?}"),
            }
        }
    }

    fn any_term() -> impl Strategy<Value = Term> {
        let constants = prop_oneof![
            any::<bool>().prop_map(TermConstant::Truth),
            (-3i64..70_000).prop_map(TermConstant::Number),
            "[%a-z0-9*\\[\\]. é]{0,12}".prop_map(TermConstant::Text),
            Just(TermConstant::Nothing(())),
        ];
        let leaf = prop_oneof![
            constants.prop_map(|value| Term::Constant { value }),
            Just(Term::Data {}),
            Just(Term::Dot {}),
            (0usize..MAX_SLOTS + 2).prop_map(|slot| Term::Variable { slot }),
        ];
        let functions: Vec<plan::TemplateFunction> = ["and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "index", "slice", "len"]
            .iter()
            .chain(&["print", "printf", "println", "parseInt"])
            .map(|name| serde_json::from_value((*name).into()).unwrap())
            .collect();
        let fields = ["Name", "Match", "Group", "Var", "octets", "Message", "Question", "Type", "a", "Id", "Nothing"];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                (prop::sample::select(fields.to_vec()), inner.clone())
                    .prop_map(|(name, of)| Term::Field { of: Box::new(of), name: name.to_owned() }),
                (0usize..MAX_SLOTS + 2, inner.clone()).prop_map(|(slot, value)| Term::Set { slot, value: Box::new(value) }),
                (prop::sample::select(functions.clone()), prop::collection::vec(inner, 0..4))
                    .prop_map(|(function, arguments)| Term::Call { function, arguments }),
            ]
        })
    }

    fn any_pieces() -> impl Strategy<Value = Vec<Piece>> {
        let slot = || prop::option::of(0usize..4);
        let leaf = prop_oneof![
            ".{0,40}".prop_map(|text| Piece::Text { text }),
            any_term().prop_map(|value| Piece::Print { value }),
            any_term().prop_map(|value| Piece::Do { value }),
            Just(Piece::Break {}),
            Just(Piece::Continue {}),
        ];
        let piece = leaf.prop_recursive(4, 32, 3, move |inner| {
            let part = || prop::collection::vec(inner.clone(), 0..3);
            prop_oneof![
                (prop::collection::vec((any_term(), part()).prop_map(|(value, then)| IfBranch { value, then }), 0..3), part())
                    .prop_map(|(branches, otherwise)| Piece::If { branches, otherwise }),
                (any_term(), part(), part()).prop_map(|(value, then, otherwise)| Piece::With { value, then, otherwise }),
                (any_term(), slot(), slot(), part(), part()).prop_map(|(value, key, item, then, otherwise)| Piece::Range {
                    value,
                    key,
                    item,
                    then,
                    otherwise
                }),
            ]
        });
        prop::collection::vec(piece, 0..5)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_template_ends_with_a_text_of_bounded_length_or_one_line(pieces in any_pieces()) {
            match with_data(|data| evaluate(&pieces, data)) {
                Ok(text) => prop_assert!(text.len() <= MAX_TEXT),
                Err(why) => prop_assert!(!why.is_empty() && !why.contains('\n'), "{}", why),
            }
        }
    }

    #[test]
    fn work_and_texts_are_bounded() {
        let long = |count| Piece::Print { value: printf("%65000d", count) };
        let counted = |then| Piece::Range { value: number(1 << 40), key: None, item: None, then, otherwise: Vec::new() };
        for (pieces, why) in [
            (vec![counted(vec![])], "takes more than 10000 steps"),
            (vec![counted(vec![counted(vec![])])], "takes more than 10000 steps"),
            (vec![counted(vec![Piece::Do { value: printf("%65000d", 1) }])], "takes more than 10000 steps"),
            (vec![long(1), long(2)], "longer than 65535 octets"),
            (vec![Piece::Print { value: printf("%999999d%999999d", 1) }], "longer than 65535 octets"),
        ] {
            let made = with_data(|data| evaluate(&pieces, data));
            assert!(made.as_ref().is_err_and(|told| told.contains(why)), "{made:?}");
        }
    }

    fn number(number: i64) -> Term {
        Term::Constant { value: TermConstant::Number(number) }
    }

    fn printf(format: &str, value: i64) -> Term {
        let format = Term::Constant { value: TermConstant::Text(format.to_owned()) };
        Term::Call { function: plan::TemplateFunction::Printf, arguments: vec![format, number(value), number(value)] }
    }
}
