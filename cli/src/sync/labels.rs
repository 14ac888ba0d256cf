//! A description and tags, in a file and in the registry: they are the prompt's, and no version holds them.

use client::{
    audit::AuditQuery,
    prompts::{Prompt, PromptUpdate},
};
use domain::{content::Literal, diff::FieldChange};
use serde_json::{Value, json, value::to_raw_value};

use crate::{failure::Result, files::PromptFile, session::Session};

/// How a file's description and tags differ from the prompt's.
#[derive(Default)]
pub struct Labels {
    /// From the prompt's to the file's.
    pub changes: Vec<FieldChange>,
    /// Whether somebody changed the file's: then the prompt never had such ones.
    pub are_edited: bool,
    /// What a push tells the prompt. What a file leaves out stays: files that people write say little.
    pub update: PromptUpdate,
}

impl Labels {
    /// Compares a file with a prompt; what the prompt had before, the audit knows.
    pub async fn of(session: &Session, prompt: &Prompt, file: &PromptFile) -> Result<Self> {
        let there = json!({ "description": prompt.description, "tags": prompt.tags });
        let here = json!({ "description": file.description, "tags": file.tags });
        let differs = |name: &&str| there[*name] != here[*name];
        let differing: Vec<_> = ["description", "tags"].into_iter().filter(differs).collect();
        if differing.is_empty() || prompt.archived_at.is_some() {
            return Ok(Self::default());
        }
        let query = AuditQuery { prompt_id: Some(prompt.prompt_id.to_string()), ..AuditQuery::default() };
        let mut entries = session.client.audit(&query, usize::MAX).await?.data;
        entries.retain(|entry| entry.action == "prompt_updated");
        let is_edited = |name: &str| {
            differing.contains(&name) && entries.iter().all(|entry| entry.before[name] != here[name])
        };
        let (description, tags) = (is_edited("description"), is_edited("tags"));
        Ok(Self {
            changes: differing.iter().map(|name| change(name, &there[*name], &here[*name])).collect(),
            are_edited: description || tags,
            update: PromptUpdate {
                description: file.description.clone().map(Some).filter(|_| description),
                tags: Some(file.tags.clone()).filter(|said| tags && !said.is_empty()),
                ..PromptUpdate::default()
            },
        })
    }

    /// Whether a push leaves some of the prompt's as they are.
    pub fn stay(&self) -> bool {
        let PromptUpdate { description, tags, .. } = &self.update;
        usize::from(description.is_some()) + usize::from(tags.is_some()) < self.changes.len()
    }
}

fn change(field: &str, from: &Value, to: &Value) -> FieldChange {
    let literal = |value: &Value| to_raw_value(value).ok().filter(|_| !value.is_null()).map(Literal);
    FieldChange { field: field.to_owned(), from: literal(from), to: literal(to) }
}
