//! Parses all templates of a version's content and finds the variables that they use.

use std::collections::{HashMap, HashSet};

use super::{Fault, budget::Budget, jinja::Program, mustache::Mustache, names::Names, value::Value};
use crate::{
    Error, ErrorKind, FieldProblem, Result,
    content::{Body, Content, MessageTemplate, Role, TemplateFormat, Variable, VariableType},
};

/// The parsed texts, in the shape of the content's body.
#[derive(Debug)]
pub(super) enum Texts {
    Single { system_prompt: Option<Text>, text: Text },
    Messages(Vec<Message>),
}

#[derive(Debug)]
pub(super) enum Message {
    Template(Role, Text),
    /// The number of the variable that holds the messages.
    Placeholder(usize),
}

/// One template and where it stands in the content.
#[derive(Debug)]
pub(super) struct Text {
    pointer: String,
    source: Box<str>,
    template: Template,
}

#[derive(Debug)]
enum Template {
    Plain,
    Mustache(Mustache),
    Jinja(Program),
}

/// A place where a variable is used.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) number: usize,
    pointer: String,
    /// Line and column; `None` for a placeholder.
    pub(super) place: Option<(usize, usize)>,
}

/// Parses all templates; every one that does not parse is reported.
pub(super) fn parse(content: &Content, names: &mut Names) -> Result<(Texts, Vec<Use>)> {
    let mut parser =
        Parser { format: content.template_format, names, uses: Vec::new(), problems: Vec::new() };
    let texts = match &content.body {
        Body::Text { template_text, system_prompt, .. } => Texts::Single {
            system_prompt: system_prompt
                .as_ref()
                .map(|prompt| parser.text("/system_prompt".to_owned(), prompt)),
            text: parser.text("/template_text".to_owned(), template_text),
        },
        Body::Messages(messages) => {
            let messages = messages.iter().enumerate();
            Texts::Messages(messages.map(|(index, message)| parser.message(index, message)).collect())
        }
    };
    Error::check(parser.problems)?;
    Ok((texts, parser.uses))
}

/// The variables that the templates use, in the order of their first use: required text, or for a placeholder JSON.
pub(crate) fn derive(content: &Content) -> Result<Vec<Variable>> {
    let mut names = Names::default();
    let (_, uses) = parse(content, &mut names)?;
    let mut variables: Vec<Variable> = Vec::new();
    let mut positions = HashMap::new();
    for used in uses {
        let position = *positions.entry(used.number).or_insert(variables.len());
        if position == variables.len() {
            variables.push(Variable {
                name: names.name(used.number).to_owned(),
                kind: VariableType::String,
                required: true,
                default: None,
                description: None,
            });
        }
        if used.place.is_none() {
            variables[position].kind = VariableType::Json;
        }
    }
    Ok(variables)
}

/// Reports each variable that is used without being one of the first `declared` names.
pub(super) fn check_declared(uses: &[Use], names: &Names, declared: usize) -> Result<()> {
    let mut problems = Vec::new();
    let mut reported = HashSet::new();
    for used in uses {
        if used.number < declared || !reported.insert(used.number) {
            continue;
        }
        let place = used.place.map(|place| format!("{}: ", line_and_column(place))).unwrap_or_default();
        let name = names.name(used.number);
        let detail =
            format!("{place}`{name}` is not declared in `variables`: declare it, or leave `variables` out.");
        problems.push(FieldProblem { pointer: used.pointer.clone(), detail });
    }
    Error::check(problems)
}

struct Parser<'n> {
    format: TemplateFormat,
    names: &'n mut Names,
    uses: Vec<Use>,
    problems: Vec<FieldProblem>,
}

impl Parser<'_> {
    fn message(&mut self, index: usize, message: &MessageTemplate) -> Message {
        match message {
            MessageTemplate::Message(message) => {
                let pointer = format!("/messages/{index}/content");
                Message::Template(message.role, self.text(pointer, &message.content))
            }
            MessageTemplate::Placeholder(placeholder) => {
                let number = self.names.number(&placeholder.name);
                self.uses.push(Use { number, pointer: format!("/messages/{index}/name"), place: None });
                Message::Placeholder(number)
            }
        }
    }

    /// The parsed template. One with a problem, which is noted, stands in as plain text.
    fn text(&mut self, pointer: String, source: &str) -> Text {
        let parsed = match self.format {
            TemplateFormat::Plain => Ok(Template::Plain),
            TemplateFormat::Mustache => Ok(Template::Mustache(Mustache::parse(source, self.names))),
            TemplateFormat::Jinja => Program::parse(source, self.names).map(Template::Jinja),
        };
        let (mut from, mut place) = (0, START);
        for (number, at) in self.names.take_uses() {
            place = place_after(place, &source[from..at]);
            from = at;
            self.uses.push(Use { number, pointer: pointer.clone(), place: Some(place) });
        }
        let template = parsed.unwrap_or_else(|fault| {
            let detail = format!("{}: {}.", place_of(source, &fault), fault.detail);
            self.problems.push(FieldProblem { pointer: pointer.clone(), detail });
            Template::Plain
        });
        Text { pointer, source: source.into(), template }
    }
}

impl Text {
    /// Renders with the declared variables' values, in their order.
    pub(super) fn render(&self, inputs: &[Value], budget: &mut Budget) -> Result<String> {
        let anywhere = |detail| Fault { at: 0, detail };
        let rendered = match &self.template {
            Template::Plain => Ok(self.source.to_string()),
            Template::Mustache(mustache) => mustache.render(&self.source, inputs, budget).map_err(anywhere),
            Template::Jinja(program) => program.render(inputs, budget),
        };
        let printed = rendered.and_then(|text| budget.printed(&text).map(|()| text).map_err(anywhere));
        printed.map_err(|fault| {
            let place = place_of(&self.source, &fault);
            let detail = format!("The template does not render: {} ({place}).", fault.detail);
            Error::new(ErrorKind::NotRendered, detail.clone()).at(self.pointer.clone(), detail)
        })
    }
}

/// Line and column of the first character. Columns count characters.
const START: (usize, usize) = (1, 1);

/// Line and column behind some more text.
fn place_after((line, column): (usize, usize), text: &str) -> (usize, usize) {
    match text.rsplit_once('\n') {
        None => (line, column + text.chars().count()),
        Some((lines, last)) => (line + lines.matches('\n').count() + 1, last.chars().count() + 1),
    }
}

fn place_of(source: &str, fault: &Fault) -> String {
    line_and_column(place_after(START, source.get(..fault.at).unwrap_or(source)))
}

fn line_and_column((line, column): (usize, usize)) -> String {
    format!("line {line}, column {column}")
}
