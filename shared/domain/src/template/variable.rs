//! From what callers give to what templates see.

use serde_json::value::RawValue;

use super::{
    Values,
    budget::{Budget, Outcome},
    json,
    parse::Use,
    value::Value,
};
use crate::{
    Error, ErrorKind, FieldProblem, Result,
    content::{ChatMessage, Literal, Variable, VariableType},
};

/// A declared variable, ready to take values.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    kind: VariableType,
    required: bool,
    default: Option<Literal>,
    /// The default as templates see it; absent without one.
    fallback: Value,
    /// Whether a template looks at the value; if none does it is not read.
    is_read: bool,
}

/// Whether a JSON value can stand for a variable of this type; else the words that say why not.
pub(crate) fn check(kind: VariableType, json: &Literal) -> Outcome<()> {
    read(kind, &json.0).map(drop)
}

fn read(kind: VariableType, json: &RawValue) -> Outcome<Value> {
    check_kind(kind, json)?;
    json::read(json)
}

fn check_kind(kind: VariableType, json: &RawValue) -> Outcome<()> {
    let first = json.get().bytes().next().unwrap_or_default();
    match kind {
        VariableType::String if first != b'"' => Err("must be a string".to_owned()),
        VariableType::Number if first != b'-' && !first.is_ascii_digit() => {
            Err("must be a number".to_owned())
        }
        _ => Ok(()),
    }
}

pub(super) fn slots(variables: &[Variable], uses: &[Use]) -> Result<Vec<Slot>> {
    let mut problems = Vec::new();
    let slots = variables.iter().enumerate().map(|(number, variable)| {
        let default = variable.default.as_ref();
        let fallback = default.map_or(Ok(Value::Absent), |default| read(variable.kind, &default.0));
        let fallback = fallback.unwrap_or_else(|detail| {
            let pointer = format!("/variables/{number}/default");
            problems.push(FieldProblem { pointer, detail: format!("The default {detail}.") });
            Value::Absent
        });
        Slot {
            name: variable.name.clone(),
            kind: variable.kind,
            required: variable.required,
            default: variable.default.clone(),
            fallback,
            is_read: uses.iter().any(|used| used.number == number && used.place.is_some()),
        }
    });
    let slots = slots.collect();
    Error::check(problems)?;
    Ok(slots)
}

/// The values of all variables, in their order.
pub(super) fn read_inputs(slots: &[Slot], values: &Values) -> Result<Vec<Value>> {
    let (mut inputs, mut missing, mut problems) = (Vec::with_capacity(slots.len()), Vec::new(), Vec::new());
    for slot in slots {
        let input = match values.get(&slot.name) {
            Some(json) => slot.read(json),
            None if slot.required && slot.default.is_none() => {
                missing.push(slot.name.as_str());
                Err("is required and has no value".to_owned())
            }
            None => Ok(slot.fallback.clone()),
        };
        match input {
            Ok(input) => inputs.push(input),
            Err(detail) => problems.push(slot.problem(&detail)),
        }
    }
    match (missing.as_slice(), Error::check(problems)) {
        (_, Ok(())) => Ok(inputs),
        ([], Err(error)) => Err(error),
        (names, Err(error)) => {
            let detail = format!("Required variables are missing: {}.", names.join(", "));
            let error =
                error.problems().iter().fold(Error::new(ErrorKind::Invalid, detail), |error, problem| {
                    error.at(problem.pointer.clone(), problem.detail.clone())
                });
            Err(error)
        }
    }
}

impl Slot {
    fn read(&self, json: &RawValue) -> Outcome<Value> {
        if self.is_read { read(self.kind, json) } else { check_kind(self.kind, json).map(|()| Value::Absent) }
    }

    fn problem(&self, detail: &str) -> FieldProblem {
        FieldProblem {
            pointer: format!("/variables/{}", self.name),
            detail: format!("`{}` {detail}.", self.name),
        }
    }

    /// The messages that stand in a placeholder; none where there is neither value nor default.
    pub(super) fn messages(&self, values: &Values, budget: &mut Budget) -> Result<Vec<ChatMessage>> {
        let default = self.default.as_ref().map(|default| &*default.0);
        let Some(json) = values.get(&self.name).or(default) else {
            return Ok(Vec::new());
        };
        let messages: Vec<ChatMessage> = serde_json::from_str(json.get()).map_err(|error| {
            let problem = self.problem("must be a list of messages, each {role, content}");
            Error::invalid(problem.pointer, problem.detail).caused_by(error)
        })?;
        for message in &messages {
            budget.printed(&message.content).map_err(|detail| {
                let problem = self.problem(&format!("is too long: {detail}"));
                Error::new(ErrorKind::NotRendered, problem.detail.clone()).at(problem.pointer, problem.detail)
            })?;
        }
        Ok(messages)
    }
}
