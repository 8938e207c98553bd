//! What a rule asks of a query besides its name: variables, which are computed first, and conditions that have to be true.

use std::cell::Cell;

use super::data::Data;
use crate::expression::{Expression, Scope};
use crate::labels::Labels;
use crate::plan;

/// The variables and conditions of a rule.
pub struct Conditions {
    names: Box<[Box<str>]>,
    variables: Vec<Written>,
    conditions: Vec<Written>,
}

/// An expression, and how it was written.
pub struct Written {
    text: Box<str>,
    expression: Expression,
}

/// Why a rule does not answer.
pub enum Refusal<'r> {
    /// A condition is not true.
    False(&'r Written),
    /// An expression has no value (as in CoreDNS nothing falls through then).
    NoValue(&'r Written),
}

impl Conditions {
    /// Compiles what a rule asks; `labels` are those of its block.
    pub fn new(rule: &plan::TemplateRule, labels: &Labels) -> Result<Conditions, String> {
        let names: Vec<&str> = rule.variables.iter().map(|variable| variable.name.as_str()).collect();
        let written = |text: &str, expression: &plan::Expression, known: &[&str]| {
            let expression = Expression::new(expression, labels, known).map_err(|why| format!("{text}: {why}"))?;
            Ok::<_, String>(Written { text: text.into(), expression })
        };
        let variable = |(at, of): (usize, &plan::TemplateVariable)| {
            written(&format!("the variable {} ({})", of.name, of.text), &of.expression, &names[..at])
        };
        Ok(Conditions {
            names: names.iter().map(|name| Box::from(*name)).collect(),
            variables: rule.variables.iter().enumerate().map(variable).collect::<Result<_, _>>()?,
            conditions: rule.conditions.iter().map(|of| written(&of.text, &of.expression, &names)).collect::<Result<_, _>>()?,
        })
    }

    /// Sets the variables of a query, and looks whether all conditions are true of it.
    pub fn hold<'a>(&'a self, data: &mut Data<'a>) -> Result<(), Refusal<'a>> {
        data.variable_names = &self.names;
        for variable in &self.variables {
            let value = data.scoped(|scope| variable.expression.value(scope)).ok_or(Refusal::NoValue(variable))?;
            data.variables.push(value);
        }
        for condition in &self.conditions {
            match data.scoped(|scope| condition.expression.truth(scope)) {
                Some(true) => {}
                Some(false) => return Err(Refusal::False(condition)),
                None => return Err(Refusal::NoValue(condition)),
            }
        }
        Ok(())
    }
}

impl Refusal<'_> {
    /// What is refused, and why: `port > 53 is false, as port is 53`.
    pub fn told<'a>(&'a self, data: &Data<'a>) -> String {
        let (written, what) = match self {
            Refusal::False(written) => (written, "is false"),
            Refusal::NoValue(written) => (written, "has no value"),
        };
        format!("{} {what}{}", written.text, data.scoped(|scope| written.expression.why(scope)))
    }
}

impl<'a> Data<'a> {
    /// Evaluates something of what is known so far.
    fn scoped<T>(&self, evaluate: impl FnOnce(&Scope<'_, 'a>) -> T) -> T {
        let steps = Cell::new(0);
        let groups = |name: &str| self.group_of(name);
        evaluate(&Scope::new(self.known, &steps).with(&groups, &self.variables))
    }
}
