//! Filters that calculate.

use minijinja::machinery::ast::BinOpKind;

use super::{Args, lists::part, size};
use crate::template::{
    budget::{Budget, Outcome},
    number::Number,
    value::Value,
};

fn number(value: &Value) -> Outcome<&Number> {
    match value {
        Value::Number(number) => Ok(number),
        other => Err(format!("a number is needed here, not {}", other.noun())),
    }
}

/// The number that a value is, or that its text says.
fn read(value: &Value) -> Outcome<Number> {
    match value {
        Value::Text(text) => {
            let read = Number::read(text.trim()).filter(|number| number.real().is_finite());
            read.ok_or_else(|| "this text is no number".to_owned())
        }
        other => number(other).cloned(),
    }
}

pub(super) fn abs(value: &Value, _: &Args, _: &mut Budget) -> Outcome<Value> {
    let number = number(value)?;
    Ok(if number.real() < 0.0 { Value::Number(number.negated()?) } else { value.clone() })
}

pub(super) fn int(value: &Value, _: &Args, _: &mut Budget) -> Outcome<Value> {
    Ok(Value::Number(Number::Whole(read(value)?.truncated())))
}

pub(super) fn float(value: &Value, _: &Args, _: &mut Budget) -> Outcome<Value> {
    Number::computed(read(value)?.real()).map(Value::Number)
}

/// Rounds as Python does, ties to even; whole numbers stay as they are.
pub(super) fn round(value: &Value, args: &Args, _: &mut Budget) -> Outcome<Value> {
    let Number::Real(real, _) = number(value)? else {
        return Ok(value.clone());
    };
    let precision = size(args, 0, 0)?;
    if precision > 15 {
        return Err("`round` takes a precision up to 15".to_owned());
    }
    let scale = 10_f64.powi(i32::try_from(precision).unwrap_or(0));
    let rounded = match &args[1] {
        Some(Value::Text(method)) if &**method == "ceil" => (real * scale).ceil() / scale,
        Some(Value::Text(method)) if &**method == "floor" => (real * scale).floor() / scale,
        // Nothing to round, and slow to format where it is huge.
        _ if real.fract() == 0.0 => *real,
        // Formatting rounds the exact decimal value, which scaling would disturb.
        _ => format!("{real:.precision$}").parse().unwrap_or(*real),
    };
    Number::computed(rounded).map(Value::Number)
}

pub(super) fn sum(value: &Value, args: &Args, budget: &mut Budget) -> Outcome<Value> {
    let mut total = args[1].as_ref().map_or(Ok(Number::Whole(0)), |start| number(start).cloned())?;
    for item in &value.items(budget)?.items {
        budget.spend(1)?;
        let addend = part(item, args[0].as_ref(), budget)?;
        total = total.calculate(BinOpKind::Add, number(&addend)?)?;
    }
    Ok(Value::Number(total))
}
