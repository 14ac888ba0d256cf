//! What is called by name: filters, tests, `range` and the few methods.

use minijinja::machinery::{
    Span,
    ast::{self, CallArg},
};

use super::{Lowering, refuse};
use crate::template::{
    Fault,
    jinja::{
        checks, filters,
        tree::{Expr, Kind},
    },
};

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

impl<'s> Lowering<'s, '_> {
    pub(super) fn filter(
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
                CallArg::Kwarg(name, value) => {
                    (filter.parameters.iter().position(|parameter| parameter == name), value)
                }
                CallArg::PosSplat(value) | CallArg::KwargSplat(value) => (None, value),
            };
            match position.and_then(|position| values.get_mut(position)) {
                Some(place) if place.is_none() => *place = Some(self.expr(value)?),
                _ => {
                    let known = filter.parameters.join(", ");
                    return refuse(value.span(), &format!("`{name}` takes no such argument, only ({known})"));
                }
            }
        }
        Ok(Kind::Filter(filter, self.boxed(input)?, values))
    }

    pub(super) fn check(&mut self, test: &ast::Test<'s>, span: Span) -> Result<Kind, Fault> {
        let Some((check, takes)) = checks::named(test.name) else {
            let known: Vec<_> = checks::CHECKS.iter().map(|(name, ..)| *name).collect();
            return refuse(
                span,
                &format!("there is no test `{}` here; there are {}", test.name, known.join(", ")),
            );
        };
        let argument = match (test.args.as_slice(), takes) {
            ([], false) => None,
            ([CallArg::Pos(value)], true) => Some(self.boxed(value)?),
            _ => {
                return refuse(
                    span,
                    &format!("`is {}` takes {} argument", test.name, if takes { "one" } else { "no" }),
                );
            }
        };
        Ok(Kind::Check(check, self.boxed(&test.expr)?, argument))
    }

    pub(super) fn call(&mut self, call: &ast::Call<'s>, span: Span) -> Result<Kind, Fault> {
        match &call.expr {
            ast::Expr::Var(function) if function.id == "range" && (1..=3).contains(&call.args.len()) => {
                let bounds = call.args.iter().map(|arg| match arg {
                    CallArg::Pos(value) => self.expr(value),
                    _ => refuse(span, "`range` takes its arguments by position"),
                });
                Ok(Kind::Range(bounds.collect::<Result<_, _>>()?))
            }
            ast::Expr::Var(function) => {
                refuse(span, &format!("there is no function `{}` here, only `range`", function.id))
            }
            ast::Expr::GetAttr(method) => match METHODS.iter().find(|(name, _)| *name == method.name) {
                Some((_, filter)) => self.filter(filter, &method.expr, &call.args, span),
                None => refuse(span, &format!("there is no method `{}` here; use a filter", method.name)),
            },
            _ => refuse(span, "only `range` can be called here"),
        }
    }
}
