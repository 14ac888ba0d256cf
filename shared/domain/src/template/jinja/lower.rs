//! Turns minijinja's syntax tree into ours, refuses what is not allowed, and finds the variables.

use minijinja::{
    Value as Constant,
    machinery::{
        Span,
        ast::{self, CallArg, UnaryOpKind},
    },
    value::ValueKind,
};

use super::{
    checks, filters,
    tree::{Expr, For, Kind, LoopField, Node, Target},
};
use crate::template::{Fault, names::Names, number::Number, value::Value};

/// Methods that Jinja2's users know from Python, and the filters that do the same.
const METHODS: [(&str, &str); 9] = [
    ("capitalize", "capitalize"),
    ("items", "items"),
    ("lower", "lower"),
    ("replace", "replace"),
    ("split", "split"),
    ("splitlines", "lines"),
    ("strip", "trim"),
    ("title", "title"),
    ("upper", "upper"),
];

pub(super) struct Lowering<'s, 'n> {
    names: &'n mut Names,
    /// The names that the template itself has bound, innermost scope last.
    scopes: Vec<Vec<&'s str>>,
    loops: usize,
}

impl<'s, 'n> Lowering<'s, 'n> {
    pub(super) fn new(names: &'n mut Names) -> Self {
        Self {
            names,
            scopes: vec![Vec::new()],
            loops: 0,
        }
    }

    pub(super) fn nodes(&mut self, statements: &[ast::Stmt<'s>]) -> Result<Vec<Node>, Fault> {
        statements.iter().map(|statement| self.node(statement)).collect()
    }

    /// What stands in a scope of its own: names bound there are unknown outside.
    fn scoped<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.scopes.push(Vec::new());
        let result = inside(self);
        self.scopes.pop();
        result
    }

    fn node(&mut self, statement: &ast::Stmt<'s>) -> Result<Node, Fault> {
        match statement {
            ast::Stmt::EmitRaw(raw) => Ok(Node::Raw(raw.span().start_offset as usize, raw.raw.into())),
            ast::Stmt::EmitExpr(emit) => Ok(Node::Print(self.expr(&emit.expr)?)),
            ast::Stmt::IfCond(condition) => self.condition(condition),
            ast::Stmt::ForLoop(each) => self.each(each, each.span()),
            ast::Stmt::Set(set) => {
                let value = self.expr(&set.expr)?;
                Ok(Node::Set(self.target(&set.target)?, value))
            }
            ast::Stmt::SetBlock(set) if set.filter.is_none() => {
                let body = self.scoped(|inner| inner.nodes(&set.body))?;
                Ok(Node::Capture(
                    set.span().start_offset as usize,
                    self.target(&set.target)?,
                    body,
                ))
            }
            ast::Stmt::WithBlock(with) => self.scoped(|inner| {
                let mut bound = Vec::new();
                for (target, value) in &with.assignments {
                    let value = inner.expr(value)?;
                    bound.push((inner.target(target)?, value));
                }
                Ok(Node::With(bound, inner.nodes(&with.body)?))
            }),
            ast::Stmt::SetBlock(set) => refuse(set.span(), "a filter on a `set` block is not available here"),
            ast::Stmt::FilterBlock(block) => refuse(block.span(), "`filter` blocks are not available here"),
            ast::Stmt::AutoEscape(block) => refuse(
                block.span(),
                "nothing is escaped here, so `autoescape` is not available",
            ),
            ast::Stmt::Do(call) => refuse(call.span(), "`do` is not available here"),
            ast::Stmt::Template(inner) => refuse(inner.span(), "templates do not nest"),
        }
    }

    /// `elif` chains come nested; they are laid flat.
    fn condition(&mut self, mut condition: &ast::IfCond<'s>) -> Result<Node, Fault> {
        let mut branches = Vec::new();
        loop {
            let test = self.expr(&condition.expr)?;
            branches.push((test, self.nodes(&condition.true_body)?));
            match condition.false_body.as_slice() {
                [ast::Stmt::IfCond(next)] => condition = next,
                otherwise => return Ok(Node::If(branches, self.nodes(otherwise)?)),
            }
        }
    }

    fn each(&mut self, each: &ast::ForLoop<'s>, span: Span) -> Result<Node, Fault> {
        if each.recursive {
            return refuse(span, "recursive loops are not available here");
        }
        let items = self.expr(&each.iter)?;
        self.loops += 1;
        let (target, condition, body) = self.scoped(|inner| {
            let target = inner.target(&each.target)?;
            let condition = each
                .filter_expr
                .as_ref()
                .map(|test| inner.expr(test))
                .transpose()?;
            Ok((target, condition, inner.nodes(&each.body)?))
        })?;
        self.loops -= 1;
        let otherwise = self.scoped(|inner| inner.nodes(&each.else_body))?;
        Ok(Node::For(Box::new(For {
            target,
            items,
            condition,
            body,
            otherwise,
        })))
    }

    fn target(&mut self, target: &ast::Expr<'s>) -> Result<Target, Fault> {
        let (targets, unpacks) = match target {
            ast::Expr::List(list) => (list.items.as_slice(), true),
            single => (std::slice::from_ref(single), false),
        };
        let mut names = Vec::new();
        for target in targets {
            let ast::Expr::Var(variable) = target else {
                return refuse(target.span(), "only plain names can be assigned to");
            };
            names.push(self.names.number(variable.id));
            if let Some(scope) = self.scopes.last_mut() {
                scope.push(variable.id);
            }
        }
        Ok(Target { names, unpacks })
    }

    fn boxed(&mut self, expr: &ast::Expr<'s>) -> Result<Box<Expr>, Fault> {
        self.expr(expr).map(Box::new)
    }

    fn optional(&mut self, expr: Option<&ast::Expr<'s>>) -> Result<Option<Box<Expr>>, Fault> {
        expr.map(|expr| self.boxed(expr)).transpose()
    }

    fn list(&mut self, items: &[ast::Expr<'s>]) -> Result<Kind, Fault> {
        Ok(Kind::List(
            items
                .iter()
                .map(|item| self.expr(item))
                .collect::<Result<_, _>>()?,
        ))
    }

    fn expr(&mut self, expr: &ast::Expr<'s>) -> Result<Expr, Fault> {
        let mut at = expr.span().start_offset as usize;
        let kind = match expr {
            ast::Expr::Const(constant) => Kind::Constant(constant_value(&constant.value, expr.span())?),
            ast::Expr::Var(variable) => self.name(variable.id, at)?,
            ast::Expr::GetAttr(get) => self.attribute(get)?,
            ast::Expr::GetItem(get) => {
                Kind::Item(Box::new([self.expr(&get.expr)?, self.expr(&get.subscript_expr)?]))
            }
            ast::Expr::Slice(slice) => {
                if slice.step.is_some() {
                    return refuse(slice.span(), "a slice takes no step here");
                }
                let bounds = [
                    self.optional(slice.start.as_ref())?,
                    self.optional(slice.stop.as_ref())?,
                ];
                Kind::Slice(self.boxed(&slice.expr)?, bounds)
            }
            ast::Expr::UnaryOp(unary) => match unary.op {
                UnaryOpKind::Not => Kind::Not(self.boxed(&unary.expr)?),
                UnaryOpKind::Neg => Kind::Negated(self.boxed(&unary.expr)?),
            },
            ast::Expr::BinOp(binary) => {
                let left = self.expr(&binary.left)?;
                // The parser's own place of a comparison is that of the token before it.
                at = left.at;
                Kind::Binary(binary.op, Box::new([left, self.expr(&binary.right)?]))
            }
            ast::Expr::Compare(chain) => {
                return refuse(chain.expr.span(), "write `a < b and b < c` for `a < b < c`");
            }
            ast::Expr::IfExpr(choice) => {
                let then = self.expr(&choice.true_expr)?;
                at = then.at;
                let condition = self.expr(&choice.test_expr)?;
                Kind::Choice(
                    Box::new([condition, then]),
                    self.optional(choice.false_expr.as_ref())?,
                )
            }
            ast::Expr::Filter(filter) => {
                let Some(input) = &filter.expr else {
                    return refuse(filter.span(), "a filter needs a value");
                };
                self.filter(filter.name, input, &filter.args, filter.span())?
            }
            ast::Expr::Test(test) => self.check(test, test.span())?,
            ast::Expr::Call(call) => self.call(call, call.span())?,
            ast::Expr::List(list) => self.list(&list.items)?,
            ast::Expr::Tuple(tuple) => self.list(&tuple.items)?,
            ast::Expr::Map(map) => {
                let members = map.keys.iter().zip(&map.values);
                let members = members.map(|(key, value)| Ok((self.expr(key)?, self.expr(value)?)));
                Kind::Map(members.collect::<Result<_, Fault>>()?)
            }
        };
        Ok(Expr { at, kind })
    }

    fn name(&mut self, name: &'s str, at: usize) -> Result<Kind, Fault> {
        if name == "loop" || name == "self" {
            return Err(Fault {
                at,
                detail: format!("`{name}` stands for nothing by itself; ask for `loop.index`"),
            });
        }
        let bound = self.scopes.iter().flatten().any(|bound| *bound == name);
        let number = if bound {
            self.names.number(name)
        } else {
            self.names.used(name, at)
        };
        Ok(Kind::Name(number, name.into()))
    }

    fn attribute(&mut self, get: &ast::GetAttr<'s>) -> Result<Kind, Fault> {
        match &get.expr {
            ast::Expr::Var(variable) if variable.id == "loop" => match LoopField::named(get.name) {
                Some(field) if self.loops > 0 => Ok(Kind::Loop(field)),
                Some(_) => refuse(variable.span(), "`loop` stands outside a loop"),
                None => refuse(
                    variable.span(),
                    &format!("`loop.{}` is not available here", get.name),
                ),
            },
            inner => Ok(Kind::Attribute(self.boxed(inner)?, get.name.into())),
        }
    }

    fn filter(
        &mut self,
        name: &str,
        input: &ast::Expr<'s>,
        args: &[CallArg<'s>],
        span: Span,
    ) -> Result<Kind, Fault> {
        let Some(filter) = filters::named(name) else {
            let known: Vec<_> = filters::FILTERS.iter().map(|filter| filter.name).collect();
            return refuse(
                span,
                &format!("there is no filter `{name}` here; there are {}", known.join(", ")),
            );
        };
        let mut values: Vec<Option<Expr>> = filter.parameters.iter().map(|_| None).collect();
        for (index, arg) in args.iter().enumerate() {
            let (position, value) = match arg {
                CallArg::Pos(value) => (Some(index).filter(|_| !filter.by_name), value),
                CallArg::Kwarg(name, value) => (
                    filter.parameters.iter().position(|parameter| parameter == name),
                    value,
                ),
                CallArg::PosSplat(value) | CallArg::KwargSplat(value) => (None, value),
            };
            match position.and_then(|position| values.get_mut(position)) {
                Some(place) if place.is_none() => *place = Some(self.expr(value)?),
                _ => {
                    let known = filter.parameters.join(", ");
                    return refuse(
                        value.span(),
                        &format!("`{name}` takes no such argument, only ({known})"),
                    );
                }
            }
        }
        Ok(Kind::Filter(filter, self.boxed(input)?, values))
    }

    fn check(&mut self, test: &ast::Test<'s>, span: Span) -> Result<Kind, Fault> {
        let Some((check, takes)) = checks::named(test.name) else {
            let known: Vec<_> = checks::CHECKS.iter().map(|(name, ..)| *name).collect();
            return refuse(
                span,
                &format!(
                    "there is no test `{}` here; there are {}",
                    test.name,
                    known.join(", ")
                ),
            );
        };
        let argument = match (test.args.as_slice(), takes) {
            ([], false) => None,
            ([CallArg::Pos(value)], true) => Some(self.boxed(value)?),
            _ => {
                return refuse(
                    span,
                    &format!(
                        "`is {}` takes {} argument",
                        test.name,
                        if takes { "one" } else { "no" }
                    ),
                );
            }
        };
        Ok(Kind::Check(check, self.boxed(&test.expr)?, argument))
    }

    fn call(&mut self, call: &ast::Call<'s>, span: Span) -> Result<Kind, Fault> {
        match &call.expr {
            ast::Expr::Var(function) if function.id == "range" && (1..=3).contains(&call.args.len()) => {
                let bounds = call.args.iter().map(|arg| match arg {
                    CallArg::Pos(value) => self.expr(value),
                    _ => refuse(span, "`range` takes its arguments by position"),
                });
                Ok(Kind::Range(bounds.collect::<Result<_, _>>()?))
            }
            ast::Expr::Var(function) => refuse(
                span,
                &format!("there is no function `{}` here, only `range`", function.id),
            ),
            ast::Expr::GetAttr(method) => match METHODS.iter().find(|(name, _)| *name == method.name) {
                Some((_, filter)) => self.filter(filter, &method.expr, &call.args, span),
                None => refuse(
                    span,
                    &format!("there is no method `{}` here; use a filter", method.name),
                ),
            },
            _ => refuse(span, "only `range` can be called here"),
        }
    }
}

fn constant_value(constant: &Constant, span: Span) -> Result<Value, Fault> {
    Ok(match constant.kind() {
        ValueKind::Bool => Value::Bool(constant.is_true()),
        ValueKind::None => Value::Null,
        ValueKind::String => Value::text(constant.as_str().unwrap_or_default()),
        _ => match Number::read(&constant.to_string()) {
            Some(number) => Value::Number(number),
            None => return refuse(span, "this is no constant"),
        },
    })
}

fn refuse<T>(span: Span, detail: &str) -> Result<T, Fault> {
    Err(Fault {
        at: span.start_offset as usize,
        detail: detail.to_owned(),
    })
}
