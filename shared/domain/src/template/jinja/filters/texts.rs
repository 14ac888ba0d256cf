//! Filters that make text.

use std::sync::Arc;

use super::{Args, is_true, lists::part, size};
use crate::template::{
    budget::{Budget, ITEM, Outcome},
    value::Value,
};

/// The text of an argument.
fn argument(args: &Args, place: usize, default: &str, budget: &mut Budget) -> Outcome<Arc<str>> {
    args[place].as_ref().map_or_else(|| Ok(default.into()), |value| value.to_text(budget))
}

/// Text made of another by a rule that may make it up to three times as long (as case mappings can).
fn mapped(value: &Value, budget: &mut Budget, rule: impl FnOnce(&str) -> String) -> Outcome<Value> {
    let text = value.to_text(budget)?;
    budget.spend(3 * text.len())?;
    Ok(Value::Text(rule(&text).into()))
}

pub(super) fn upper(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    mapped(value, budget, str::to_uppercase)
}

pub(super) fn lower(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    mapped(value, budget, str::to_lowercase)
}

pub(super) fn capitalize(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    mapped(value, budget, |text| with_capitals(text, |_| false))
}

pub(super) fn title(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    mapped(value, budget, |text| with_capitals(text, |c| c.is_whitespace() || "-([{<".contains(c)))
}

/// Lower case, with capitals at the start and behind what begins a word.
fn with_capitals(text: &str, begins_word: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at_start = true;
    for c in text.chars() {
        if at_start {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        at_start = begins_word(c);
    }
    out
}

pub(super) fn trim(value: &Value, args: &Args, budget: &mut Budget) -> Outcome<Value> {
    let text = value.to_text(budget)?;
    budget.spend(text.len())?;
    let Some(chars) = &args[0] else {
        return Ok(Value::text(text.trim()));
    };
    let chars = chars.to_text(budget)?;
    budget.spend(text.len().saturating_mul(chars.len()))?;
    Ok(Value::text(text.trim_matches(|c| chars.contains(c))))
}

pub(super) fn replace(value: &Value, args: &Args, budget: &mut Budget) -> Outcome<Value> {
    let text = value.to_text(budget)?;
    let (old, new) = (argument(args, 0, "", budget)?, argument(args, 1, "", budget)?);
    if old.is_empty() {
        return Err("`replace` needs the text to look for".to_owned());
    }
    let mut out = String::new();
    for (index, piece) in text.split(&*old).enumerate() {
        budget.push(&mut out, if index > 0 { &new } else { "" })?;
        budget.push(&mut out, piece)?;
    }
    Ok(Value::Text(out.into()))
}

pub(super) fn join(value: &Value, args: &Args, budget: &mut Budget) -> Outcome<Value> {
    let separator = argument(args, 0, "", budget)?;
    let mut out = String::new();
    for (index, item) in value.items(budget)?.items.iter().enumerate() {
        budget.push(&mut out, if index > 0 { &separator } else { "" })?;
        part(item, args[1].as_ref(), budget)?.print(&mut out, budget)?;
    }
    Ok(Value::Text(out.into()))
}

/// The parts between separators; without one, between white space.
pub(super) fn split(value: &Value, args: &Args, budget: &mut Budget) -> Outcome<Value> {
    let text = value.to_text(budget)?;
    if args[0].is_none() {
        return pieces(text.split_whitespace(), budget);
    }
    let separator = argument(args, 0, "", budget)?;
    if separator.is_empty() {
        return Err("`split` needs the text to split at".to_owned());
    }
    pieces(text.split(&*separator), budget)
}

pub(super) fn lines(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    pieces(value.to_text(budget)?.lines(), budget)
}

fn pieces<'t>(pieces: impl Iterator<Item = &'t str>, budget: &mut Budget) -> Outcome<Value> {
    let paid = pieces.map(|piece| {
        budget.spend(ITEM + piece.len())?;
        Ok(Value::text(piece))
    });
    Ok(Value::list(paid.collect::<Outcome<_>>()?))
}

/// `width` spaces in front of each line but the first and the blank ones.
pub(super) fn indent(value: &Value, args: &Args, budget: &mut Budget) -> Outcome<Value> {
    let text = value.to_text(budget)?;
    let (width, first, blank) = (size(args, 0, 4)?, is_true(args, 1)?, is_true(args, 2)?);
    let mut out = String::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if (index > 0 || first) && (blank || !line.trim().is_empty()) {
            budget.repeat(&mut out, " ", width)?;
        }
        budget.push(&mut out, line)?;
    }
    Ok(Value::Text(out.into()))
}

/// At most `length` characters with the `end`, cut between words unless `killwords`; `leeway` more are left whole.
pub(super) fn truncate(value: &Value, args: &Args, budget: &mut Budget) -> Outcome<Value> {
    let text = value.to_text(budget)?;
    let (length, leeway, end) = (size(args, 0, 255)?, size(args, 3, 5)?, argument(args, 2, "...", budget)?);
    budget.spend(text.len())?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(Value::Text(text));
    }
    let kept = length.saturating_sub(end.chars().count());
    let byte = text.char_indices().nth(kept).map_or(text.len(), |(byte, _)| byte);
    let mut cut = &text[..byte];
    if !is_true(args, 1)? {
        cut = cut.rsplit_once(' ').map_or(cut, |(words, _)| words);
    }
    let mut out = String::new();
    budget.push(&mut out, cut)?;
    budget.push(&mut out, &end)?;
    Ok(Value::Text(out.into()))
}

pub(super) fn word_count(value: &Value, _: &Args, budget: &mut Budget) -> Outcome<Value> {
    let text = value.to_text(budget)?;
    budget.spend(text.len())?;
    Ok(Value::count(text.split_whitespace().count()))
}
