//! The filters of Jinja: what may stand after `|`.

mod lists;
mod numbers;
mod texts;

use super::checks::is_missing;
use crate::template::{
    budget::{Budget, Outcome},
    value::{Layout, Value},
};

/// A filter and what it takes.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) name: &'static str,
    /// Its arguments' names, in their order.
    pub(super) parameters: &'static [&'static str],
    /// Whether the arguments can be given by name only.
    pub(super) by_name: bool,
    /// Whether it takes what is undefined.
    pub(super) takes_missing: bool,
    pub(super) apply: Apply,
}

/// The filter's work: value, arguments in the order of the parameters, budget.
type Apply = fn(&Value, &Args, &mut Budget) -> Outcome<Value>;

/// The arguments; `None` where the template gives none.
type Args = [Option<Value>];

const fn filter(name: &'static str, parameters: &'static [&'static str], apply: Apply) -> Filter {
    Filter { name, parameters, by_name: false, takes_missing: false, apply }
}

pub(super) static FILTERS: [Filter; 35] = [
    filter("abs", &[], numbers::abs),
    filter("capitalize", &[], texts::capitalize),
    filter("count", &[], lists::length),
    Filter { takes_missing: true, ..filter("d", &["default_value", "boolean"], default) },
    Filter { takes_missing: true, ..filter("default", &["default_value", "boolean"], default) },
    filter("dictsort", &[], lists::dict_sort),
    filter("first", &[], lists::first),
    filter("float", &[], numbers::float),
    filter("indent", &["width", "first", "blank"], texts::indent),
    filter("int", &[], numbers::int),
    filter("items", &[], lists::items),
    filter("join", &["d", "attribute"], texts::join),
    filter("last", &[], lists::last),
    filter("length", &[], lists::length),
    filter("lines", &[], texts::lines),
    filter("list", &[], lists::list),
    filter("lower", &[], texts::lower),
    Filter { by_name: true, ..filter("map", &["attribute"], lists::map) },
    filter("max", &[], lists::max),
    filter("min", &[], lists::min),
    filter("replace", &["old", "new"], texts::replace),
    filter("reverse", &[], lists::reverse),
    filter("round", &["precision", "method"], numbers::round),
    filter("safe", &[], |value, _, _| Ok(value.clone())),
    filter("sort", &["reverse", "case_sensitive", "attribute"], lists::sort),
    filter("split", &["separator"], texts::split),
    filter("string", &[], |value, _, budget| value.to_text(budget).map(Value::Text)),
    filter("sum", &["attribute", "start"], numbers::sum),
    filter("title", &[], texts::title),
    filter("tojson", &["indent"], to_json),
    filter("trim", &["chars"], texts::trim),
    filter("truncate", &["length", "killwords", "end", "leeway"], texts::truncate),
    filter("unique", &[], lists::unique),
    filter("upper", &[], texts::upper),
    filter("wordcount", &[], texts::word_count),
];

/// The filter of this name.
pub(super) fn named(name: &str) -> Option<&'static Filter> {
    FILTERS.iter().find(|filter| filter.name == name)
}

/// `default`: the argument where there is no value; with `true`, also where the value is false.
fn default(value: &Value, args: &Args, _: &mut Budget) -> Outcome<Value> {
    let fills = is_missing(value) || (is_true(args, 1)? && !value.is_true()?);
    Ok(if fills { args[0].clone().unwrap_or(Value::Absent) } else { value.clone() })
}

fn to_json(value: &Value, args: &Args, budget: &mut Budget) -> Outcome<Value> {
    let layout = match &args[0] {
        None => Layout::COMPACT,
        Some(_) => Layout::indented(size(args, 0, 0)?),
    };
    let mut out = String::new();
    value.print_json(&mut out, layout, budget)?;
    Ok(Value::Text(out.into()))
}

/// Whether the argument at this place is given and true.
fn is_true(args: &Args, place: usize) -> Outcome<bool> {
    args[place].as_ref().map_or(Ok(false), Value::is_true)
}

/// The count at this place.
fn size(args: &Args, place: usize, default: usize) -> Outcome<usize> {
    match &args[place] {
        None => Ok(default),
        Some(Value::Number(number)) => number
            .index()
            .and_then(|index| usize::try_from(index).ok())
            .ok_or_else(|| format!("a count is needed here, not {}", number.written())),
        Some(other) => Err(format!("a count is needed here, not {}", other.noun())),
    }
}
