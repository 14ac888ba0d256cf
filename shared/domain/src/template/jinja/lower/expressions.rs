//! Expressions.

use minijinja::{
    Value as Constant,
    machinery::{
        Span,
        ast::{self, UnaryOpKind},
    },
    value::ValueKind,
};

use super::{Lowering, refuse};
use crate::template::{
    Fault,
    jinja::tree::{Expr, Kind, LoopField},
    number::Number,
    value::Value,
};

impl<'s> Lowering<'s, '_> {
    pub(super) fn boxed(&mut self, expr: &ast::Expr<'s>) -> Result<Box<Expr>, Fault> {
        self.expr(expr).map(Box::new)
    }

    fn optional(&mut self, expr: Option<&ast::Expr<'s>>) -> Result<Option<Box<Expr>>, Fault> {
        expr.map(|expr| self.boxed(expr)).transpose()
    }

    fn list(&mut self, items: &[ast::Expr<'s>]) -> Result<Kind, Fault> {
        Ok(Kind::List(items.iter().map(|item| self.expr(item)).collect::<Result<_, _>>()?))
    }

    pub(super) fn expr(&mut self, expr: &ast::Expr<'s>) -> Result<Expr, Fault> {
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
                let bounds = [self.optional(slice.start.as_ref())?, self.optional(slice.stop.as_ref())?];
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
                Kind::Choice(Box::new([condition, then]), self.optional(choice.false_expr.as_ref())?)
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
        let number = if bound { self.names.number(name) } else { self.names.used(name, at) };
        Ok(Kind::Name(number, name.into()))
    }

    fn attribute(&mut self, get: &ast::GetAttr<'s>) -> Result<Kind, Fault> {
        match &get.expr {
            ast::Expr::Var(variable) if variable.id == "loop" => match LoopField::named(get.name) {
                Some(field) if self.loops > 0 => Ok(Kind::Loop(field)),
                Some(_) => refuse(variable.span(), "`loop` stands outside a loop"),
                None => refuse(variable.span(), &format!("`loop.{}` is not available here", get.name)),
            },
            inner => Ok(Kind::Attribute(self.boxed(inner)?, get.name.into())),
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
