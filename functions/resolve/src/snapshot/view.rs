//! What a snapshot looks like.

use std::collections::BTreeMap;

use cache::{Answer, LoadedVersion, Pair};
use domain::{
    Environment, PromptId, PromptName, TeamId, VersionId,
    allocation::Allocation,
    content::{Body, FewShotExample, MessageTemplate, TemplateFormat, Variable},
    reference::Overrides,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What a team's prompts are in an environment: a page of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotView<'a> {
    /// The team.
    team_id: &'a str,
    /// The environment.
    environment: &'a str,
    /// Its prompts, by each name that they have or had.
    data: Vec<SnapshotEntry<'a>>,
    /// The versions that these name, each once.
    versions: Vec<SnapshotVersion<'a>>,
    /// For the next page; null at the end.
    next_cursor: Option<String>,
}

/// A prompt, by one of its names.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotEntry<'a> {
    /// The name by which it is asked for: its present one, or a former one.
    alias: &'a str,
    /// The prompt.
    #[schema(value_type = String)]
    prompt_id: PromptId,
    /// Its present name.
    name: &'a str,
    /// Whether it is archived.
    archived: bool,
    /// What is live; null where nothing is.
    #[schema(value_type = Option<String>)]
    version_id: Option<VersionId>,
    /// The ref's revision; 0 where there is none.
    revision: u64,
    /// What stands instead of the live version's own settings: `{temperature, max_tokens, model_id}`.
    #[schema(value_type = Object)]
    overrides: Overrides,
    /// What splits the traffic: `{trial, iteration, allocation_version, rule, arms: [{key, version, weight}]}`.
    #[schema(value_type = Option<Object>)]
    allocation: Option<&'a Allocation>,
}

/// What a version says: it never changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotVersion<'a> {
    /// Its id.
    #[schema(value_type = String)]
    version_id: VersionId,
    /// 1, 2, 3, … within the prompt.
    version_number: u32,
    /// The template; null with messages.
    template_text: Option<&'a str>,
    /// The system prompt.
    system_prompt: Option<&'a str>,
    /// Literal examples.
    #[schema(value_type = Vec<Object>)]
    few_shot_examples: &'a [FewShotExample],
    /// A whole conversation instead of a template.
    #[schema(value_type = Option<Vec<Object>>)]
    messages: Option<&'a [MessageTemplate]>,
    /// How templates are written.
    #[schema(value_type = String)]
    template_format: TemplateFormat,
    /// What the templates take.
    #[schema(value_type = Vec<Object>)]
    variables: &'a [Variable],
    /// The model that it was written for.
    model_id: &'a str,
    /// Sampling temperature.
    temperature: f64,
    /// The most tokens of an answer.
    max_tokens: u32,
    /// Further parameters of the model.
    #[schema(schema_with = web::schema::any_object)]
    params: &'a Map<String, Value>,
    /// The team's own settings.
    #[schema(schema_with = web::schema::any_object)]
    config: &'a Map<String, Value>,
}

impl<'a> SnapshotView<'a> {
    pub(super) fn new(
        team: &'a TeamId,
        environment: &'a Environment,
        entries: &'a [(PromptName, PromptId, Answer<Pair>)],
        next_cursor: Option<String>,
    ) -> Self {
        let data =
            entries.iter().map(|(alias, prompt_id, found)| SnapshotEntry::new(alias, *prompt_id, found));
        let versions = entries.iter().flat_map(|(.., found)| match &found.value {
            Pair::Live(live) if !live.reference.archived => {
                live.arms.iter().chain([&live.version]).collect::<Vec<_>>()
            }
            _ => Vec::new(),
        });
        let versions: BTreeMap<_, _> =
            versions.map(|version| (version.version.version_id, SnapshotVersion::new(version))).collect();
        Self {
            team_id: team.as_str(),
            environment: environment.as_str(),
            data: data.collect(),
            versions: versions.into_values().collect(),
            next_cursor,
        }
    }
}

impl<'a> SnapshotEntry<'a> {
    fn new(alias: &'a PromptName, prompt_id: PromptId, found: &'a Answer<Pair>) -> Self {
        let alias = alias.as_str();
        match &found.value {
            // What is archived is served to nobody, and so its texts are told to nobody.
            Pair::Live(live) => Self {
                alias,
                prompt_id,
                name: live.reference.prompt_name.as_str(),
                archived: live.reference.archived,
                version_id: live.reference.version_id().filter(|_| !live.reference.archived),
                revision: live.reference.revision,
                overrides: live.reference.overrides.clone(),
                allocation: live.reference.allocation.as_ref().filter(|_| !live.reference.archived),
            },
            Pair::NotLive { owner, revision } => Self {
                alias,
                prompt_id,
                name: owner.as_ref().map_or(alias, |owner| owner.name.as_str()),
                archived: owner.as_ref().is_some_and(|owner| owner.archived_at.is_some()),
                version_id: None,
                revision: *revision,
                overrides: Overrides::default(),
                allocation: None,
            },
        }
    }
}

impl<'a> SnapshotVersion<'a> {
    fn new(loaded: &'a LoadedVersion) -> Self {
        let version = &loaded.version;
        let content = &version.content;
        let (template_text, system_prompt, few_shot_examples, messages): (_, _, &[_], _) = match &content.body
        {
            Body::Text { template_text, system_prompt, few_shot_examples } => {
                (Some(template_text.as_str()), system_prompt.as_deref(), few_shot_examples.as_slice(), None)
            }
            Body::Messages(messages) => (None, None, &[], Some(messages.as_slice())),
        };
        Self {
            version_id: version.version_id,
            version_number: version.number,
            template_text,
            system_prompt,
            few_shot_examples,
            messages,
            template_format: content.template_format,
            variables: &content.variables,
            model_id: &content.model_id,
            temperature: content.temperature,
            max_tokens: content.max_tokens,
            params: &content.params,
            config: &content.config,
        }
    }
}
