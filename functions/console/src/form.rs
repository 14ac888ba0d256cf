//! A form as its page shows it: what was typed, and what is wrong with it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use domain::{Error, ErrorKind};
use serde::Serialize;
use web::Fields;

use crate::failure::Failure;

/// What was typed and what is wrong with it; nothing of both on a fresh page.
#[derive(Debug, Default, Serialize)]
pub(crate) struct FormState {
    /// By field.
    values: BTreeMap<String, String>,
    /// By field.
    problems: BTreeMap<String, String>,
    /// Those of no field of the form.
    others: Vec<String>,
    /// What is wrong as a whole.
    detail: Option<String>,
    title: Option<&'static str>,
}

impl FormState {
    /// A form that nobody has sent yet.
    pub(crate) fn fresh() -> (StatusCode, Self) {
        (StatusCode::OK, Self::default())
    }

    /// A fresh form with these values.
    pub(crate) fn of(fields: &Fields) -> Self {
        let values = fields.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        Self { values, ..Self::default() }
    }

    /// What was typed under a name.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The form as it was sent, with what was refused. What went wrong on our side is no matter of the form.
    pub(crate) fn refused(fields: &Fields, error: Error) -> Result<(StatusCode, Self), Failure> {
        if error.kind() == ErrorKind::Internal {
            return Err(error.into());
        }
        let mut form = Self::of(fields);
        let (status, _, title) = web::describe(error.kind());
        for problem in error.problems() {
            let name = problem.pointer.trim_start_matches('/');
            // `/gate/min_cases` is of the field `min_cases`, `/variables/0/name` of the field `variables`.
            let field = match name {
                "override/reason" => "override_reason",
                name => name.trim_start_matches("gate/").split('/').next().unwrap_or(name),
            };
            let said = form.problems.entry(field.to_owned()).or_default();
            if !said.is_empty() {
                said.push(' ');
            }
            said.push_str(&problem.detail);
            form.others.push(format!("{name}: {}", problem.detail));
        }
        form.detail = Some(error.detail().to_owned());
        form.title = Some(title);
        Ok((status, form))
    }
}
