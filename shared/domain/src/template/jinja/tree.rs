//! What a Jinja template is compiled to: an owned tree whose names are numbers.

use std::sync::Arc;

use minijinja::machinery::ast::BinOpKind;

use super::{checks::Check, filters::Filter};
use crate::template::value::Value;

/// One piece of a template.
#[derive(Debug)]
pub(super) enum Node {
    /// Text between tags, and the byte of the source where it begins.
    Raw(usize, Box<str>),
    Print(Expr),
    /// The branches in order, and what stands in `else`.
    If(Vec<(Expr, Vec<Node>)>, Vec<Node>),
    For(Box<For>),
    Set(Target, Expr),
    /// `{% set name %}…{% endset %}`, and the byte where it begins.
    Capture(usize, Target, Vec<Node>),
    With(Vec<(Target, Expr)>, Vec<Node>),
}

#[derive(Debug)]
pub(super) struct For {
    pub(super) target: Target,
    pub(super) items: Expr,
    pub(super) condition: Option<Expr>,
    pub(super) body: Vec<Node>,
    /// What stands in for the body when nothing was visited.
    pub(super) otherwise: Vec<Node>,
}

/// The names that a value is bound to.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) names: Vec<usize>,
    /// Whether the value is a list with one item for each name.
    pub(super) unpacks: bool,
}

/// An expression and the byte of the source where it begins.
#[derive(Debug)]
pub(super) struct Expr {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Constant(Value),
    Name(usize, Arc<str>),
    Loop(LoopField),
    Attribute(Box<Expr>, Arc<str>),
    Item(Box<[Expr; 2]>),
    Slice(Box<Expr>, [Option<Box<Expr>>; 2]),
    Not(Box<Expr>),
    Negated(Box<Expr>),
    Binary(BinOpKind, Box<[Expr; 2]>),
    /// `then if condition else otherwise`, in the order condition, then.
    Choice(Box<[Expr; 2]>, Option<Box<Expr>>),
    Filter(&'static Filter, Box<Expr>, Vec<Option<Expr>>),
    Check(Check, Box<Expr>, Option<Box<Expr>>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Range(Vec<Expr>),
}

/// What a template may ask of the innermost loop.
#[derive(Debug, Clone, Copy)]
pub(super) enum LoopField {
    Index,
    Index0,
    RevIndex,
    RevIndex0,
    First,
    Last,
    Length,
}

impl LoopField {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "index" => Self::Index,
            "index0" => Self::Index0,
            "revindex" => Self::RevIndex,
            "revindex0" => Self::RevIndex0,
            "first" => Self::First,
            "last" => Self::Last,
            "length" => Self::Length,
            _ => return None,
        })
    }
}
