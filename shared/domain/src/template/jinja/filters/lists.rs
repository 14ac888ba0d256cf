//! Filters that look at lists and maps.

use super::{Args, is_true};
use crate::template::{
    budget::{Budget, ITEM, Outcome},
    jinja::operators::{characters, equal, item},
    value::Value,
};

/// An item, or the part of it that a dotted path names.
pub(super) fn part(item: &Value, path: Option<&Value>, budget: &mut Budget) -> Outcome<Value> {
    let Some(path) = path else { return Ok(item.clone()) };
    path.to_text(budget)?
        .split('.')
        .try_fold(item.clone(), |value, name| value.attribute(&name.into(), budget))
}

pub(super) fn length(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    Ok(Value::count(match value {
        Value::Text(text) => {
            budget.spend(text.len())?;
            text.chars().count()
        }
        Value::Map(map) => map.members.len(),
        other => other.items(budget)?.items.len(),
    }))
}

/// The characters of text, the items of anything else.
pub(super) fn list(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    match value {
        Value::Text(text) => characters(text, budget),
        other => other.items(budget).map(Value::List),
    }
}

pub(super) fn first(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    end(value, "first", budget)
}

pub(super) fn last(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    end(value, "last", budget)
}

/// The first or last character or item; undefined where there is none.
fn end(value: &Value, which: &str, budget: &mut Budget) -> Outcome<Value> {
    let is_first = which == "first";
    let found = if let Value::Text(text) = value {
        let mut chars = text.chars();
        let found = if is_first { chars.next() } else { chars.next_back() };
        found.map(|c| Value::text(c.encode_utf8(&mut [0; 4])))
    } else {
        let list = value.items(budget)?;
        let found = if is_first { list.items.first() } else { list.items.last() };
        found.cloned()
    };
    Ok(found.unwrap_or_else(|| Value::Undefined(which.into())))
}

pub(super) fn reverse(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    if let Value::Text(text) = value {
        budget.spend(text.len())?;
        return Ok(Value::Text(text.chars().rev().collect::<String>().into()));
    }
    Value::list(value.items(budget)?.items.iter().rev().cloned().collect()).paid(budget)
}

pub(super) fn map(value: &Value, args: &Args, budget: &mut Budget) -> Outcome<Value> {
    let list = value.items(budget)?;
    let parts = list.items.iter().map(|item| part(item, args[0].as_ref(), budget));
    let parts = parts.collect::<Outcome<_>>()?;
    Value::list(parts).paid(budget)
}

/// `[key, value]` of each member of a map.
pub(super) fn items(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    let members = match value {
        Value::Map(map) => map.members.as_slice(),
        Value::Absent => &[],
        other => return Err(format!("`items` needs a map, not {}", other.noun())),
    };
    budget.spend(3 * ITEM * members.len())?;
    let pairs = members.iter().map(|(key, value)| Value::list(vec![Value::Text(key.clone()), value.clone()]));
    Value::list(pairs.collect()).paid(budget)
}

/// The pairs of `items`, in the order of the keys.
pub(super) fn dict_sort(value: &Value, args: &Args, budget: &mut Budget) -> Outcome<Value> {
    let pairs = items(value, args, budget)?.items(budget)?;
    let key = |pair: &Value, budget: &mut Budget| item(pair, &Value::count(0), budget);
    sorted(&pairs.items, false, key, budget)
}

/// Sorts numbers or texts, stably; texts without regard to case unless asked.
pub(super) fn sort(value: &Value, args: &Args, budget: &mut Budget) -> Outcome<Value> {
    let key = |item: &Value, budget: &mut Budget| part(item, args[2].as_ref(), budget);
    let ascending = sorted(&value.items(budget)?.items, is_true(args, 1)?, key, budget)?;
    if is_true(args, 0)? { reverse(&ascending, args, budget) } else { Ok(ascending) }
}

fn sorted(
    items: &[Value],
    case_sensitive: bool,
    key: impl Fn(&Value, &mut Budget) -> Outcome<Value>,
    budget: &mut Budget,
) -> Outcome<Value> {
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let key = match key(item, budget)? {
            Value::Number(number) => (number.real(), String::new()),
            Value::Text(text) if case_sensitive => (f64::NAN, text.to_string()),
            Value::Text(text) => (f64::NAN, text.to_lowercase()),
            other => return Err(format!("{} cannot be sorted", other.noun())),
        };
        // Each of the comparisons to come reads the key.
        budget.spend((ITEM + key.1.len()) * (1 + items.len().ilog2() as usize))?;
        keyed.push((key, item));
    }
    keyed.sort_by(|((left, left_text), _), ((right, right_text), _)| {
        left.total_cmp(right).then_with(|| left_text.cmp(right_text))
    });
    Ok(Value::list(keyed.into_iter().map(|(_, item)| item.clone()).collect()))
}

pub(super) fn unique(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for item in &value.items(budget)?.items {
        let mut is_new = true;
        for other in &kept {
            is_new = is_new && !equal(item, other, budget)?;
        }
        if is_new {
            kept.push(item.clone());
        }
    }
    Value::list(kept).paid(budget)
}

/// The least item, in the order of `sort`.
pub(super) fn min(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    end(&in_order(value, budget)?, "first", budget)
}

/// The greatest item, in the order of `sort`.
pub(super) fn max(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    end(&in_order(value, budget)?, "last", budget)
}

fn in_order(value: &Value, budget: &mut Budget) -> Outcome<Value> {
    sorted(&value.items(budget)?.items, false, |item, _| Ok(item.clone()), budget)
}
