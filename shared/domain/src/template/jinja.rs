//! Jinja. The language is parsed by minijinja; it is run here.
//!
//! minijinja's engine bounds the number of steps only: its operators build text of any size in one step
//! (`"a" * 100000000`, `{% set x = x ~ x %}`), and no hook can stop them. Its numbers also forget how they were
//! written. So its syntax tree is turned into one of ours, which holds nothing but what is allowed here, and each
//! step, byte and item that a render makes is paid from one budget.
//!
//! Differences from Jinja2: booleans, `none`, lists and maps print as JSON; `tojson` escapes nothing for HTML;
//! text is no list of characters; there are no macros, no inheritance and no namespaces, and of Python's methods
//! only those that are filters too.

mod checks;
mod filters;
mod lower;
mod operators;
mod run;
mod scan;
mod tree;

use minijinja::{
    machinery::{ast::Stmt, parse},
    syntax::SyntaxConfig,
};

use super::{Fault, budget::Budget, names::Names, value::Value};
use crate::template::budget::Outcome;

/// Names that mean something to Jinja, so no variable can have them.
pub(crate) const RESERVED_NAMES: [&str; 17] = [
    "true", "True", "false", "False", "none", "None", "loop", "self", "and", "or", "not", "if", "else",
    "elif", "in", "is", "for",
];

/// A compiled template.
#[derive(Debug)]
pub(super) struct Program {
    nodes: Vec<tree::Node>,
    /// Bytes of the source: about what a render prints.
    size: usize,
}

impl Program {
    /// Compiles a template, or says what is wrong and where.
    pub(super) fn parse(source: &str, names: &mut Names) -> Result<Self, Fault> {
        let syntax = syntax().map_err(|detail| Fault { at: 0, detail })?;
        scan::scan(source, syntax.clone())?;
        let template = parse(source, "template", syntax).map_err(|error| Fault {
            at: error.range().map_or(0, |range| range.start),
            detail: error.detail().unwrap_or("the template does not parse").to_owned(),
        })?;
        let Stmt::Template(template) = &template else {
            return Err(Fault { at: 0, detail: "this is no template".to_owned() });
        };
        let nodes = lower::Lowering::new(names).nodes(&template.children)?;
        Ok(Self { nodes, size: source.len() })
    }

    /// Renders with the declared variables' values, in their order.
    pub(super) fn render(&self, inputs: &[Value], budget: &mut Budget) -> Result<String, Fault> {
        let mut out = String::with_capacity(self.size);
        run::Run::new(inputs, budget).nodes(&self.nodes, &mut out)?;
        Ok(out)
    }
}

fn syntax() -> Outcome<SyntaxConfig> {
    SyntaxConfig::builder().keep_trailing_newline(true).build().map_err(|error| error.to_string())
}
