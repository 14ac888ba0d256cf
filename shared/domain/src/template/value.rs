//! Values as templates see them: JSON whose numbers keep the form they were written in.

use std::sync::Arc;

use super::{
    budget::{Budget, ITEM, Outcome},
    number::Number,
};

/// How deeply values may nest: printing, comparing and dropping them recurses.
pub(super) const MAX_DEPTH: usize = 100;

/// One value. Copies share what they hold.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing of this name exists: any use but `is defined` and `default` is an error.
    Undefined(Arc<str>),
    /// An optional variable that has no value: prints nothing, is false, holds no items.
    Absent,
    Null,
    Bool(bool),
    Number(Number),
    Text(Arc<str>),
    List(Arc<List>),
    Map(Arc<Map>),
}

/// Items and how deeply they nest.
#[derive(Debug)]
pub(super) struct List {
    pub(super) items: Vec<Value>,
    depth: usize,
}

/// Members in the order written, and how deeply they nest.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) members: Vec<(Arc<str>, Value)>,
    depth: usize,
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        let depth = 1 + items.iter().map(Self::depth).max().unwrap_or(0);
        Self::List(Arc::new(List { items, depth }))
    }

    pub(super) fn map(members: Vec<(Arc<str>, Self)>) -> Self {
        let depth = 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0);
        Self::Map(Arc::new(Map { members, depth }))
    }

    /// A count or position.
    pub(super) fn count(count: usize) -> Self {
        Self::Number(Number::Whole(i128::try_from(count).unwrap_or(i128::MAX)))
    }

    fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            _ => 0,
        }
    }

    /// Pays for a list or map that a template made of values it had, and refuses one that nests too deeply.
    pub(super) fn paid(self, budget: &mut Budget) -> Outcome<Self> {
        let members = match &self {
            Self::List(list) => list.items.len(),
            Self::Map(map) => 2 * map.members.len(),
            _ => 0,
        };
        budget.spend(members * ITEM)?;
        if self.depth() > MAX_DEPTH {
            return Err(format!("lists and maps nest more than {MAX_DEPTH} deep"));
        }
        Ok(self)
    }

    /// What a person calls this kind of value.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "undefined",
            Self::Absent => "a variable without a value",
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The value itself, or the error of using what does not exist.
    pub(super) fn defined(&self) -> Outcome<&Self> {
        match self {
            Self::Undefined(name) => {
                Err(format!("`{name}` is undefined; test it with `is defined`, or give it a `default`"))
            }
            value => Ok(value),
        }
    }

    /// Whether a condition holds: as in Jinja, everything empty or zero is false.
    pub(super) fn is_true(&self) -> Outcome<bool> {
        Ok(match self.defined()? {
            Self::Undefined(_) | Self::Absent | Self::Null => false,
            Self::Bool(yes) => *yes,
            Self::Number(number) => !number.is_zero(),
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Map(map) => !map.members.is_empty(),
        })
    }

    /// The member of this name. What has no members gives something undefined.
    pub(super) fn attribute(&self, name: &Arc<str>, budget: &mut Budget) -> Outcome<Self> {
        match self.defined()? {
            Self::Absent => Ok(Self::Absent),
            Self::Map(map) => {
                budget.spend(map.members.len())?;
                let member = map.members.iter().rfind(|(key, _)| key == name);
                Ok(member.map_or_else(|| Self::Undefined(name.clone()), |(_, value)| value.clone()))
            }
            _ => Ok(Self::Undefined(name.clone())),
        }
    }

    /// The items that a loop visits: those of a list, the keys of a map.
    pub(super) fn items(&self, budget: &mut Budget) -> Outcome<Arc<List>> {
        let items = match self.defined()? {
            Self::List(list) => return Ok(list.clone()),
            Self::Absent => Vec::new(),
            Self::Map(map) => map.members.iter().map(|(key, _)| Self::Text(key.clone())).collect(),
            other => return Err(format!("{} holds no items", other.noun())),
        };
        budget.spend(items.len() * ITEM)?;
        Ok(Arc::new(List { items, depth: 1 }))
    }

    /// The text that the value prints as.
    pub(super) fn to_text(&self, budget: &mut Budget) -> Outcome<Arc<str>> {
        if let Self::Text(text) = self {
            return Ok(text.clone());
        }
        let mut out = String::new();
        self.print(&mut out, budget)?;
        Ok(out.into())
    }

    /// Prints: text as it is, everything else as compact JSON, numbers as written.
    pub(super) fn print(&self, out: &mut String, budget: &mut Budget) -> Outcome<()> {
        match self {
            Self::Absent => Ok(()),
            Self::Text(text) => budget.push(out, text),
            other => other.print_json(out, Layout::COMPACT, budget),
        }
    }

    /// Prints as JSON.
    pub(super) fn print_json(&self, out: &mut String, layout: Layout, budget: &mut Budget) -> Outcome<()> {
        match self {
            Self::Undefined(_) => self.defined().map(drop),
            Self::Absent | Self::Null => budget.push(out, "null"),
            Self::Bool(yes) => budget.push(out, if *yes { "true" } else { "false" }),
            Self::Number(number) => budget.push(out, &number.written()),
            Self::Text(text) => budget.push(out, &quoted(text)),
            Self::List(list) => {
                let items = list.items.iter().map(|item| (None, item));
                layout.print(out, ['[', ']'], items, budget)
            }
            Self::Map(map) => {
                let members = map.members.iter().map(|(key, value)| (Some(key), value));
                layout.print(out, ['{', '}'], members, budget)
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// How JSON is laid out: on one line, or indented.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Spaces per level; `None` for one line without any.
    pub(super) indent: Option<usize>,
    level: usize,
}

impl Layout {
    pub(super) const COMPACT: Self = Self { indent: None, level: 0 };

    pub(super) fn indented(indent: usize) -> Self {
        Self { indent: Some(indent), level: 0 }
    }

    fn print<'v>(
        self,
        out: &mut String,
        brackets: [char; 2],
        members: impl ExactSizeIterator<Item = (Option<&'v Arc<str>>, &'v Value)>,
        budget: &mut Budget,
    ) -> Outcome<()> {
        let inner = Self { level: self.level + 1, ..self };
        let filled = members.len() > 0;
        budget.push(out, brackets[0].encode_utf8(&mut [0; 4]))?;
        for (index, (key, value)) in members.enumerate() {
            budget.push(out, if index > 0 { "," } else { "" })?;
            inner.new_line(out, budget)?;
            if let Some(key) = key {
                budget.push(out, &quoted(key))?;
                budget.push(out, if self.indent.is_some() { ": " } else { ":" })?;
            }
            value.print_json(out, inner, budget)?;
        }
        if filled {
            self.new_line(out, budget)?;
        }
        budget.push(out, brackets[1].encode_utf8(&mut [0; 4]))
    }

    fn new_line(self, out: &mut String, budget: &mut Budget) -> Outcome<()> {
        let Some(indent) = self.indent else { return Ok(()) };
        budget.push(out, "\n")?;
        budget.repeat(out, " ", indent.saturating_mul(self.level))
    }
}
