//! Turns minijinja's syntax tree into ours, refuses what is not allowed, and finds the variables.

mod calls;
mod expressions;

use minijinja::machinery::{Span, ast};

use super::tree::{For, Node, Target};
use crate::template::{Fault, names::Names};

pub(super) struct Lowering<'s, 'n> {
    names: &'n mut Names,
    /// The names that the template itself has bound, innermost scope last.
    scopes: Vec<Vec<&'s str>>,
    loops: usize,
}

impl<'s, 'n> Lowering<'s, 'n> {
    pub(super) fn new(names: &'n mut Names) -> Self {
        Self { names, scopes: vec![Vec::new()], loops: 0 }
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
                Ok(Node::Capture(set.span().start_offset as usize, self.target(&set.target)?, body))
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
            ast::Stmt::AutoEscape(block) => {
                refuse(block.span(), "nothing is escaped here, so `autoescape` is not available")
            }
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
        let (target, condition, body) = self.scoped(|inner| {
            let target = inner.target(&each.target)?;
            // The loop begins behind its condition: there `loop` is still that of the loop around.
            let condition = each.filter_expr.as_ref().map(|test| inner.expr(test)).transpose()?;
            inner.loops += 1;
            let body = inner.nodes(&each.body)?;
            inner.loops -= 1;
            Ok((target, condition, body))
        })?;
        let otherwise = self.scoped(|inner| inner.nodes(&each.else_body))?;
        Ok(Node::For(Box::new(For { target, items, condition, body, otherwise })))
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
}

fn refuse<T>(span: Span, detail: &str) -> Result<T, Fault> {
    Err(Fault { at: span.start_offset as usize, detail: detail.to_owned() })
}
