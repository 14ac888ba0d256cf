//! Runs a compiled template.

use std::sync::Arc;

use minijinja::machinery::ast::BinOpKind;

use super::{
    operators,
    tree::{Expr, For, Kind, LoopField, Node, Target},
};
use crate::template::{
    Fault,
    budget::{Budget, ITEM, Outcome, STEP},
    number::Number,
    value::Value,
};

/// One render under way.
pub(super) struct Run<'r> {
    /// The values of the declared variables: their names have the first numbers.
    inputs: &'r [Value],
    /// What the template has bound, by number; the last one counts.
    locals: Vec<(usize, Value)>,
    /// Where each loop stands, and how many items it visits.
    loops: Vec<(usize, usize)>,
    budget: &'r mut Budget,
}

impl<'r> Run<'r> {
    pub(super) fn new(inputs: &'r [Value], budget: &'r mut Budget) -> Self {
        Self { inputs, locals: Vec::new(), loops: Vec::new(), budget }
    }

    pub(super) fn nodes(&mut self, nodes: &[Node], out: &mut String) -> Result<(), Fault> {
        nodes.iter().try_for_each(|node| self.node(node, out))
    }

    fn node(&mut self, node: &Node, out: &mut String) -> Result<(), Fault> {
        match node {
            Node::Raw(at, text) => self.budget.push(out, text).map_err(|detail| Fault { at: *at, detail }),
            Node::Print(expr) => {
                let value = self.value(expr)?;
                value.print(out, self.budget).map_err(expr.fault())
            }
            Node::If(branches, otherwise) => {
                for (condition, body) in branches {
                    if self.is_true(condition)? {
                        return self.nodes(body, out);
                    }
                }
                self.nodes(otherwise, out)
            }
            Node::For(each) => self.each(each, out),
            Node::Set(target, expr) => {
                let value = self.defined(expr)?;
                self.bind(target, value).map_err(expr.fault())
            }
            Node::Capture(at, target, body) => {
                let mut text = String::new();
                self.scoped(|run| run.nodes(body, &mut text))?;
                self.bind(target, Value::Text(text.into())).map_err(|detail| Fault { at: *at, detail })
            }
            Node::With(bound, body) => self.scoped(|run| {
                for (target, expr) in bound {
                    let value = run.defined(expr)?;
                    run.bind(target, value).map_err(expr.fault())?;
                }
                run.nodes(body, out)
            }),
        }
    }

    /// Forgets what is bound inside.
    fn scoped(&mut self, inside: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        let bound = self.locals.len();
        let result = inside(self);
        self.locals.truncate(bound);
        result
    }

    fn each(&mut self, each: &For, out: &mut String) -> Result<(), Fault> {
        let all = self.value(&each.items)?.items(self.budget).map_err(each.items.fault())?;
        let mut visited = Vec::new();
        for item in &all.items {
            let wanted = match &each.condition {
                None => true,
                Some(condition) => {
                    let bound = self.locals.len();
                    self.bind(&each.target, item.clone()).map_err(each.items.fault())?;
                    let wanted = self.is_true(condition)?;
                    self.locals.truncate(bound);
                    wanted
                }
            };
            if wanted {
                visited.push(item);
            }
        }
        for (index, item) in visited.iter().enumerate() {
            self.loops.push((index, visited.len()));
            self.scoped(|run| {
                run.bind(&each.target, (*item).clone()).map_err(each.items.fault())?;
                run.nodes(&each.body, out)
            })?;
            self.loops.pop();
        }
        if visited.is_empty() {
            return self.scoped(|run| run.nodes(&each.otherwise, out));
        }
        Ok(())
    }

    fn bind(&mut self, target: &Target, value: Value) -> Outcome<()> {
        self.budget.spend(STEP)?;
        if let ([name], false) = (target.names.as_slice(), target.unpacks) {
            self.locals.push((*name, value));
            return Ok(());
        }
        let parts = value.items(self.budget)?;
        if parts.items.len() != target.names.len() {
            return Err(format!("{} names cannot take {} items", target.names.len(), parts.items.len()));
        }
        self.locals.extend(target.names.iter().copied().zip(parts.items.iter().cloned()));
        Ok(())
    }

    fn is_true(&mut self, expr: &Expr) -> Result<bool, Fault> {
        self.value(expr)?.is_true().map_err(expr.fault())
    }

    fn defined(&mut self, expr: &Expr) -> Result<Value, Fault> {
        let value = self.value(expr)?;
        value.defined().map_err(expr.fault())?;
        Ok(value)
    }

    fn pair(&mut self, pair: &[Expr; 2]) -> Result<[Value; 2], Fault> {
        Ok([self.defined(&pair[0])?, self.defined(&pair[1])?])
    }

    fn values(&mut self, exprs: &[Expr]) -> Result<Vec<Value>, Fault> {
        exprs.iter().map(|expr| self.defined(expr)).collect()
    }

    /// A whole number, or the error of being none.
    fn whole(&mut self, expr: &Expr) -> Result<i64, Fault> {
        let value = self.defined(expr)?;
        let whole = if let Value::Number(number) = &value { number.index() } else { None };
        whole.ok_or_else(|| expr.fault()(format!("a whole number is needed here, not {}", value.noun())))
    }

    fn value(&mut self, expr: &Expr) -> Result<Value, Fault> {
        self.budget.spend(STEP).map_err(expr.fault())?;
        let value = match &expr.kind {
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Name(number, name) => self.lookup(*number, name),
            Kind::Loop(field) => Ok(self.loop_field(*field)),
            Kind::Attribute(inner, name) => self.value(inner)?.attribute(name, self.budget),
            Kind::Item(pair) => {
                let [container, key] = self.pair(pair)?;
                operators::item(&container, &key, self.budget)
            }
            Kind::Slice(inner, [start, stop]) => {
                let inner = self.value(inner)?;
                let start = start.as_ref().map(|start| self.whole(start)).transpose()?;
                let stop = stop.as_ref().map(|stop| self.whole(stop)).transpose()?;
                operators::slice(&inner, [start, stop], self.budget)
            }
            Kind::Not(inner) => Ok(Value::Bool(!self.is_true(inner)?)),
            Kind::Negated(inner) => match self.defined(inner)? {
                Value::Number(number) => number.negated().map(Value::Number),
                other => Err(format!("{} has no negative", other.noun())),
            },
            Kind::Binary(BinOpKind::ScAnd, pair) => return self.either(pair, false),
            Kind::Binary(BinOpKind::ScOr, pair) => return self.either(pair, true),
            Kind::Binary(operator, pair) => {
                let [left, right] = self.pair(pair)?;
                operators::binary(*operator, &left, &right, self.budget)
            }
            Kind::Choice(pair, otherwise) => {
                if self.is_true(&pair[0])? {
                    return self.value(&pair[1]);
                }
                return otherwise.as_ref().map_or(Ok(Value::Absent), |otherwise| self.value(otherwise));
            }
            Kind::Filter(filter, input, args) => {
                let input = if filter.takes_missing { self.value(input)? } else { self.defined(input)? };
                let args = self.arguments(args)?;
                (filter.apply)(&input, &args, self.budget)
            }
            Kind::Check(check, input, argument) => {
                let input = self.value(input)?;
                let argument = argument.as_ref().map(|argument| self.defined(argument)).transpose()?;
                check(&input, &argument.unwrap_or(Value::Absent), self.budget).map(Value::Bool)
            }
            Kind::List(items) => Value::list(self.values(items)?).paid(self.budget),
            Kind::Map(members) => Value::map(self.members(members)?).paid(self.budget),
            Kind::Range(bounds) => {
                let bounds = bounds.iter().map(|bound| self.whole(bound));
                range(&bounds.collect::<Result<Vec<_>, _>>()?, self.budget)
            }
        };
        value.map_err(expr.fault())
    }

    /// What is bound to a name: by the template, else by the caller.
    fn lookup(&mut self, number: usize, name: &Arc<str>) -> Outcome<Value> {
        self.budget.spend(self.locals.len())?;
        let local = self.locals.iter().rfind(|(bound, _)| *bound == number);
        let value = local.map(|(_, value)| value).or_else(|| self.inputs.get(number));
        Ok(value.cloned().unwrap_or_else(|| Value::Undefined(name.clone())))
    }

    fn arguments(&mut self, args: &[Option<Expr>]) -> Result<Vec<Option<Value>>, Fault> {
        let args = args.iter().map(Option::as_ref);
        args.map(|arg| arg.map(|arg| self.defined(arg)).transpose()).collect()
    }

    /// The members of a map literal; of two with one key, the last.
    fn members(&mut self, members: &[(Expr, Expr)]) -> Result<Vec<(Arc<str>, Value)>, Fault> {
        let mut made: Vec<(Arc<str>, Value)> = Vec::with_capacity(members.len());
        for (key, value) in members {
            let key = self.defined(key)?.to_text(self.budget).map_err(key.fault())?;
            made.retain(|(known, _)| *known != key);
            made.push((key, self.defined(value)?));
        }
        Ok(made)
    }

    /// `and`, `or`: the left side if it decides, else the right.
    fn either(&mut self, pair: &[Expr; 2], decides: bool) -> Result<Value, Fault> {
        let left = self.value(&pair[0])?;
        let is_true = left.is_true().map_err(pair[0].fault())?;
        if is_true == decides { Ok(left) } else { self.value(&pair[1]) }
    }

    fn loop_field(&self, field: LoopField) -> Value {
        let (index, length) = self.loops.last().copied().unwrap_or_default();
        let number = match field {
            LoopField::First => return Value::Bool(index == 0),
            LoopField::Last => return Value::Bool(index + 1 == length),
            LoopField::Index => index + 1,
            LoopField::Index0 => index,
            LoopField::RevIndex => length - index,
            LoopField::RevIndex0 => length - index - 1,
            LoopField::Length => length,
        };
        Value::count(number)
    }
}

impl Expr {
    /// Says that a mistake happened here.
    fn fault(&self) -> impl Fn(String) -> Fault + use<> {
        let at = self.at;
        move |detail| Fault { at, detail }
    }
}

/// `range(stop)`, `range(start, stop)`, `range(start, stop, step)`.
fn range(bounds: &[i64], budget: &mut Budget) -> Outcome<Value> {
    let (first, end, by) = match *bounds {
        [first, end, by] => (first, end, by),
        [first, end] => (first, end, 1),
        _ => (0, bounds[0], 1),
    };
    if by == 0 {
        return Err("`range` needs a step other than 0".to_owned());
    }
    let mut items = Vec::new();
    let mut next = i128::from(first);
    while next != i128::from(end) && (next < i128::from(end)) == (by > 0) {
        budget.spend(ITEM)?;
        items.push(Value::Number(Number::Whole(next)));
        next += i128::from(by);
    }
    Ok(Value::list(items))
}
