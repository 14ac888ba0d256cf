//! The tests of Jinja: what may stand after `is`.

use super::operators::{contains, equal};
use crate::template::{
    budget::{Budget, Outcome},
    number::Number,
    value::Value,
};

/// Whether something holds of a value and, for some, of an argument (`Absent` for the others).
pub(super) type Check = fn(&Value, &Value, &mut Budget) -> Outcome<bool>;

/// Name, rule, and whether it takes an argument.
pub(super) const CHECKS: [(&str, Check, bool); 20] = [
    ("boolean", |value, _, _| Ok(matches!(value, Value::Bool(_))), false),
    // An optional variable without a value is as good as undefined: `default` fills both.
    ("defined", |value, _, _| Ok(!is_missing(value)), false),
    ("divisibleby", divisible, true),
    ("eq", equal, true),
    ("equalto", equal, true),
    ("even", |value, _, budget| divisible(value, &Value::Number(Number::Whole(2)), budget), false),
    ("false", |value, _, _| Ok(matches!(value, Value::Bool(false))), false),
    ("float", |value, _, _| Ok(matches!(value, Value::Number(number) if !number.is_whole())), false),
    ("in", |value, container, budget| contains(container, value, budget), true),
    ("integer", |value, _, _| Ok(matches!(value, Value::Number(number) if number.is_whole())), false),
    ("iterable", |value, _, _| Ok(matches!(value, Value::List(_) | Value::Map(_) | Value::Absent)), false),
    ("mapping", |value, _, _| Ok(matches!(value, Value::Map(_))), false),
    ("ne", |value, other, budget| Ok(!equal(value, other, budget)?), true),
    ("none", |value, _, _| Ok(matches!(value, Value::Null)), false),
    ("number", |value, _, _| Ok(matches!(value, Value::Number(_))), false),
    ("odd", |value, _, budget| Ok(!divisible(value, &Value::Number(Number::Whole(2)), budget)?), false),
    ("sequence", |value, _, _| Ok(matches!(value, Value::List(_))), false),
    ("string", |value, _, _| Ok(matches!(value, Value::Text(_))), false),
    ("true", |value, _, _| Ok(matches!(value, Value::Bool(true))), false),
    ("undefined", |value, _, _| Ok(is_missing(value)), false),
];

/// The rule of this name, and whether it takes an argument.
pub(super) fn named(name: &str) -> Option<(Check, bool)> {
    CHECKS.iter().find(|(known, ..)| *known == name).map(|(_, check, takes)| (*check, *takes))
}

/// Whether `default` would fill in for the value.
pub(super) fn is_missing(value: &Value) -> bool {
    matches!(value, Value::Undefined(_) | Value::Absent)
}

fn divisible(value: &Value, divisor: &Value, _: &mut Budget) -> Outcome<bool> {
    match (value, divisor) {
        (Value::Number(Number::Whole(value)), Value::Number(Number::Whole(divisor))) => {
            value.checked_rem(*divisor).map(|rest| rest == 0).ok_or_else(|| "division by zero".to_owned())
        }
        (value, _) => Err(format!("this test needs whole numbers, not {}", value.noun())),
    }
}
