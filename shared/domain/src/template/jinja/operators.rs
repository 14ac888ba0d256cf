//! The operators of Jinja over our values, each paying for what it reads and makes.

use std::{cmp::Ordering, sync::Arc};

use minijinja::machinery::ast::BinOpKind;

use crate::template::{
    budget::{Budget, ITEM, Outcome},
    value::Value,
};

/// Every operator but `and` and `or`, which do not always look at their right side.
pub(super) fn binary(
    operator: BinOpKind,
    left: &Value,
    right: &Value,
    budget: &mut Budget,
) -> Outcome<Value> {
    Ok(Value::Bool(match operator {
        BinOpKind::Eq => equal(left, right, budget)?,
        BinOpKind::Ne => !equal(left, right, budget)?,
        BinOpKind::In => contains(right, left, budget)?,
        BinOpKind::Lt => order(left, right, budget)?.is_lt(),
        BinOpKind::Lte => order(left, right, budget)?.is_le(),
        BinOpKind::Gt => order(left, right, budget)?.is_gt(),
        BinOpKind::Gte => order(left, right, budget)?.is_ge(),
        BinOpKind::Concat => return concat(left, right, budget),
        _ => return arithmetic(operator, left, right, budget),
    }))
}

fn concat(left: &Value, right: &Value, budget: &mut Budget) -> Outcome<Value> {
    let mut out = String::new();
    left.print(&mut out, budget)?;
    right.print(&mut out, budget)?;
    Ok(Value::Text(out.into()))
}

fn arithmetic(operator: BinOpKind, left: &Value, right: &Value, budget: &mut Budget) -> Outcome<Value> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Ok(Value::Number(left.calculate(operator, right)?)),
        (Value::Text(_), Value::Text(_)) if matches!(operator, BinOpKind::Add) => concat(left, right, budget),
        _ => Err(format!(
            "arithmetic needs numbers, not {} and {}; join texts with `~`",
            left.noun(),
            right.noun()
        )),
    }
}

/// Whether two values are the same; values of different kinds never are.
pub(super) fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Outcome<bool> {
    budget.spend(1)?;
    Ok(match (left, right) {
        (Value::Absent, Value::Absent) | (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => left.order(right).is_eq(),
        (Value::Text(left), Value::Text(right)) => {
            budget.spend(left.len().min(right.len()))?;
            left == right
        }
        (Value::List(left), Value::List(right)) if left.items.len() == right.items.len() => {
            for (left, right) in left.items.iter().zip(&right.items) {
                if !equal(left, right, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(left), Value::Map(right)) if left.members.len() == right.members.len() => {
            for (key, value) in &left.members {
                budget.spend(right.members.len())?;
                match right.members.iter().rfind(|(other, _)| other == key) {
                    Some((_, other)) if equal(value, other, budget)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        _ => false,
    })
}

/// Which value comes first, among numbers or among texts.
fn order(left: &Value, right: &Value, budget: &mut Budget) -> Outcome<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Ok(left.order(right)),
        (Value::Text(left), Value::Text(right)) => {
            budget.spend(left.len().min(right.len()))?;
            Ok(left.cmp(right))
        }
        _ => Err(format!("{} and {} have no order", left.noun(), right.noun())),
    }
}

/// Whether the container holds the value: an item, a key, a part of text.
pub(super) fn contains(container: &Value, value: &Value, budget: &mut Budget) -> Outcome<bool> {
    match (container, value) {
        (Value::Text(text), Value::Text(part)) => {
            budget.spend(text.len())?;
            Ok(text.contains(&**part))
        }
        (Value::Text(_), other) => Err(format!("text cannot hold {}", other.noun())),
        (container, value) => {
            let items = container.items(budget)?;
            for item in &items.items {
                if equal(item, value, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// `container[key]`. What is not there is undefined.
pub(super) fn item(container: &Value, key: &Value, budget: &mut Budget) -> Outcome<Value> {
    let undefined = |budget: &mut Budget| Ok(Value::Undefined(key.to_text(budget)?));
    match (container.defined()?, key) {
        (Value::Absent, _) => Ok(Value::Absent),
        (map @ Value::Map(_), Value::Text(name)) => map.attribute(name, budget),
        (Value::List(list), Value::Number(index)) => {
            let place = index.index().and_then(|index| position(index, list.items.len()));
            match place.and_then(|place| list.items.get(place)) {
                Some(item) => Ok(item.clone()),
                None => undefined(budget),
            }
        }
        (Value::Text(text), Value::Number(_)) => item(&characters(text, budget)?, key, budget),
        _ => undefined(budget),
    }
}

/// `value[start:stop]` of text, in characters, or of a list. Bounds beyond the ends are the ends.
pub(super) fn slice(value: &Value, bounds: [Option<i64>; 2], budget: &mut Budget) -> Outcome<Value> {
    let range = |length: usize| {
        let clamp = |bound: i64| match position(bound, length) {
            Some(place) => place.min(length),
            None => 0,
        };
        let stop = bounds[1].map_or(length, clamp);
        bounds[0].map_or(0, clamp).min(stop)..stop
    };
    match value.defined()? {
        Value::Absent => Ok(Value::Absent),
        Value::Text(text) => {
            budget.spend(text.len())?;
            let range = range(text.chars().count());
            let byte = |place| text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte);
            Ok(Value::text(&text[byte(range.start)..byte(range.end)]))
        }
        Value::List(list) => Value::list(list.items[range(list.items.len())].to_vec()).paid(budget),
        other => Err(format!("{} has no slices", other.noun())),
    }
}

/// The characters of text as a list.
pub(super) fn characters(text: &Arc<str>, budget: &mut Budget) -> Outcome<Value> {
    budget.spend(text.len() * ITEM)?;
    Ok(Value::list(text.chars().map(|c| Value::text(c.encode_utf8(&mut [0; 4]))).collect()))
}

/// A position counted from the start, or from the end where it is negative; `None` before the start.
fn position(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(place) => Some(place),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}
