//! The client's types know every field of the API's own document, and no other.

use client::{
    audit, environments, evals, experiments, gate, health, keys, metrics, models, moves, prompts, resolve,
    rollouts, snapshot, teams, test_sets, trials, versions, webhooks,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// The document as it is served.
const DOCUMENT: &str = include_str!("../../functions/authoring/openapi.json");

/// Schemas that the client has no type for, and why.
const LEFT_OUT: [(&str, &str); 24] = [
    ("BatchAnswer", "applications resolve in batches"),
    ("BatchBody", "applications resolve in batches"),
    ("BatchEntry", "applications resolve in batches"),
    ("ContentView", "a version holds it"),
    ("Fields", "applications leave out what they do not read"),
    ("MetricEventBody", "a resolver in the process has no tokens to report with"),
    ("MetricsBody", "a resolver in the process has no tokens to report with"),
    ("EvaluatedFlag", "OpenFeature has clients of its own"),
    ("EvaluatedFlags", "OpenFeature has clients of its own"),
    ("EvaluationBody", "OpenFeature has clients of its own"),
    ("EvaluationFailure", "OpenFeature has clients of its own"),
    ("FlagErrorCode", "OpenFeature has clients of its own"),
    ("FlagMetadata", "OpenFeature has clients of its own"),
    ("FlagReason", "OpenFeature has clients of its own"),
    ("FlagValue", "OpenFeature has clients of its own"),
    ("GeneralFailure", "OpenFeature has clients of its own"),
    ("Resolved", "`SignedAnswer` holds it"),
    ("SettingsView", "an experiment holds it"),
    ("UploadedBody", "larger test sets are uploaded by the console"),
    ("UploadView", "larger test sets are uploaded by the console"),
    ("AskBody", "the client asks for what people ask"),
    ("Problem", "it holds whatever the API tells beside its own fields"),
    ("ModelList", "it is a page"),
    ("TeamList", "it is a page"),
];

/// A schema, and what its sample becomes in the client and back.
type Known = (&'static str, fn(Value) -> Result<Value, serde_json::Error>);

fn back<T: Serialize + DeserializeOwned>(sample: Value) -> Result<Value, serde_json::Error> {
    // By text, as answers come: some values are kept as they are written.
    serde_json::to_value(serde_json::from_str::<T>(&sample.to_string())?)
}

fn known() -> Vec<Known> {
    vec![
        ("CaseView", back::<evals::Case>),
        ("ComparisonView", back::<evals::Comparison>),
        ("DecisionView", back::<experiments::Decision>),
        ("DependencyView", back::<health::Dependency>),
        ("DiffView", back::<versions::Diff>),
        ("EntryView", back::<audit::Entry>),
        ("EnvironmentSummary", back::<prompts::EnvironmentSummary>),
        ("EnvironmentView", back::<environments::Environment>),
        ("EvalView", back::<evals::Eval>),
        ("ExperimentView", back::<experiments::Experiment>),
        ("ExplanationView", back::<resolve::Explanation>),
        ("FreshKeyView", back::<keys::FreshKey>),
        ("FreshWebhookView", back::<webhooks::FreshWebhook>),
        ("GateBody", back::<gate::NewGate>),
        ("GateView", back::<gate::Gate>),
        ("GuardrailSchema", back::<experiments::Guardrail>),
        ("HealthView", back::<health::Health>),
        ("KeyView", back::<keys::Key>),
        ("LatencyView", back::<metrics::Latency>),
        ("LockBody", back::<environments::NewLock>),
        ("LockView", back::<environments::Lock>),
        ("MatrixCell", back::<evals::MatrixCell>),
        ("MatrixRow", back::<evals::MatrixRow>),
        ("MatrixView", back::<evals::Matrix>),
        ("MetricsAnswer", back::<metrics::Taken>),
        ("MetricsRow", back::<metrics::PromptMetricsRow>),
        ("MetricsView", back::<metrics::PromptMetrics>),
        ("ModelBody", back::<models::NewModel>),
        ("ModelView", back::<models::Model>),
        ("NewEvalBody", back::<evals::NewEval>),
        ("NewExperimentBody", back::<experiments::NewExperiment>),
        ("NewKeyBody", back::<keys::NewKey>),
        ("NewPromptBody", back::<prompts::NewPrompt>),
        ("NewRolloutBody", back::<rollouts::NewRollout>),
        ("NewTestSetBody", back::<test_sets::NewTestSet>),
        ("NewVersionBody", back::<versions::NewVersion>),
        ("NewWebhookBody", back::<webhooks::NewWebhook>),
        ("OtherModelView", back::<metrics::OtherModel>),
        ("OverrideBody", back::<moves::Override>),
        ("OverridesBody", back::<environments::Overrides>),
        ("OverridesView", back::<environments::Overrides>),
        ("PointerView", back::<versions::Pointer>),
        ("PromoteBody", back::<moves::Promotion>),
        ("PromotedView", back::<moves::Promoted>),
        ("PromptUpdateBody", back::<prompts::PromptUpdate>),
        ("PromptView", back::<prompts::Prompt>),
        ("RankedView", back::<metrics::Ranked>),
        ("RankingView", back::<metrics::Ranking>),
        ("RatingView", back::<metrics::Rating>),
        ("ReadyView", back::<health::Readiness>),
        ("RejectedEvent", back::<metrics::Rejected>),
        ("RenderedView", back::<versions::Rendered>),
        ("RollbackBody", back::<moves::Rollback>),
        ("RolledBackView", back::<moves::RolledBack>),
        ("RolloutView", back::<rollouts::Rollout>),
        ("SignedAnswer", back::<resolve::Resolved>),
        ("SnapshotEntry", back::<snapshot::Entry>),
        ("SnapshotVersion", back::<snapshot::Version>),
        ("SnapshotView", back::<snapshot::Snapshot>),
        ("StageView", back::<rollouts::Stage>),
        ("StopBody", back::<experiments::Stop>),
        ("TeamBody", back::<teams::TeamDefaults>),
        ("TeamMetricsRow", back::<metrics::TeamMetricsRow>),
        ("TeamMetricsView", back::<metrics::TeamMetrics>),
        ("TeamView", back::<teams::Team>),
        ("TestSetVersionView", back::<test_sets::TestSetVersion>),
        ("TestSetView", back::<test_sets::TestSet>),
        ("TrialView", back::<trials::Trial>),
        ("TryBody", back::<trials::NewTrial>),
        ("VariantBody", back::<experiments::NewVariant>),
        ("VariantView", back::<experiments::Variant>),
        ("VersionView", back::<versions::Version>),
        ("WebhookView", back::<webhooks::Webhook>),
        ("WeightView", back::<experiments::Weight>),
        ("WeightsView", back::<experiments::Weights>),
    ]
}

/// Bodies that the client sends without a type of its own: one or two fields each.
const SMALL: [&str; 4] = ["ApprovalBody", "RenderBody", "ReviewBody", "StepBody"];

fn schemas() -> Map<String, Value> {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    document["components"]["schemas"].as_object().unwrap().clone()
}

/// A value that a schema allows, with every field there is.
fn sample(schemas: &Map<String, Value>, field: &str, schema: &Value) -> Value {
    if let Some(target) = schema["$ref"].as_str() {
        return sample(schemas, field, &schemas[target.rsplit('/').next().unwrap()]);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().flat_map(|part| sample(schemas, field, part).as_object().unwrap().clone());
        return Value::Object(parts.collect());
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let some = choices.iter().find(|choice| choice["type"] != "null").unwrap();
            return sample(schemas, field, some);
        }
    }
    if let Some(opaque) = opaque(field) {
        return if schema["type"] == "array" || schema["type"] == json!(["array", "null"]) {
            json!([opaque])
        } else {
            opaque
        };
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or_default();
    match kind {
        "object" => {
            let of = |(name, schema): (&String, &Value)| (name.clone(), sample(schemas, name, schema));
            let named = schema["properties"].as_object().into_iter().flatten().map(of);
            let others = schema.get("additionalProperties").filter(|schema| schema.is_object());
            let other = others.map(|schema| ("any".to_owned(), sample(schemas, "any", schema)));
            named.chain(other).collect()
        }
        "array" => json!([sample(schemas, field, &schema["items"])]),
        "integer" => json!(1),
        "number" => json!(1.5),
        "boolean" => json!(true),
        _ => json!(text(field)),
    }
}

/// A text that such a field may hold.
fn text(field: &str) -> &'static str {
    const ID: [(&str, &str); 7] = [
        ("version_id", "ver_01M7WB040Z9H4WVFXV68AR44E7"),
        ("prompt_id", "prm_01M7WB040Z9H4WVFXV68AR44E7"),
        ("eval_run_id", "evl_01M7WB040Z9H4WVFXV68AR44E7"),
        ("test_set_id", "tst_01M7WB040Z9H4WVFXV68AR44E7"),
        ("experiment_id", "exp_01M7WB040Z9H4WVFXV68AR44E7"),
        ("rollout_id", "rol_01M7WB040Z9H4WVFXV68AR44E7"),
        ("audit_id", "aud_01M7WB040Z9H4WVFXV68AR44E7"),
    ];
    if let Some((_, id)) =
        ID.iter().find(|(name, _)| field.ends_with(name) || (*name == "version_id" && field == "based_on"))
    {
        return id;
    }
    let moments =
        ["at", "from", "to", "until", "start_date", "end_date", "deadline", "bucket_start", "stage_since"];
    match field {
        _ if moments.contains(&field) || ["_at", "_until"].iter().any(|end| field.ends_with(end)) => {
            "2026-11-20T07:00:00.007Z"
        }
        "template_format" => "mustache",
        _ => "text",
    }
}

/// What stands in a field that the document calls an object without saying more.
fn opaque(field: &str) -> Option<Value> {
    let (run, at) = (text("eval_run_id"), text("at"));
    Some(match field {
        "few_shot_examples" => json!({ "input": "a", "output": "b" }),
        "messages" => json!({ "role": "user", "content": "a" }),
        "variables" => {
            json!({ "name": "a", "type": "json", "required": true, "default": 1.5, "description": "b" })
        }
        "actor" => json!({ "id": "key_a", "name": "b", "role": "author", "user": "c" }),
        "review" => json!({ "eval_run_id": run, "approved": true, "by": "a", "at": at, "reason": "b" }),
        "approvals" => json!({ "environment": "a", "by": "b", "at": at, "reason": "c" }),
        "drift" => json!({ "eval_run_id": run, "at": at, "reason": "a" }),
        "models_passed" => json!({ "a": run }),
        "scores" => json!({ "metric": "a", "difference": 1.5, "lower_bound": 1.5, "dropped": true }),
        "assertions" => json!({
            "type": "a", "metric": "b", "passed": true, "score": 1.5, "weight": 1.5, "reason": "c"
        }),
        "overrides" => json!({ "temperature": 1.5, "max_tokens": 1, "model_id": "a" }),
        "allocation" => json!({
            "trial": text("experiment_id"), "iteration": 1, "allocation_version": 1,
            "rule": { "split": { "enrolled": 1.5 } },
            "arms": [{ "key": "a", "version": { "number": 1, "id": text("version_id") }, "weight": 1.5 }]
        }),
        "fields" => json!({ "field": "a", "from": 1, "to": 2 }),
        "text" => json!({ "field": "a", "level": "word", "hunks": [{
            "old_start": 1, "old_lines": 1, "new_start": 1, "new_lines": 1,
            "lines": [{ "tag": "insert", "text": "b", "pieces": [{ "changed": true, "text": "b" }] }]
        }] }),
        _ => return None,
    })
}

#[test]
fn every_field_of_every_schema_goes_through_the_client_and_back() {
    let schemas = schemas();
    let mut wrong = Vec::new();
    for (name, back) in known() {
        let sample = sample(&schemas, name, &schemas[name]);
        match back(sample.clone()) {
            Ok(found) if found == sample => {}
            Ok(found) => wrong.push(format!("{name}:\n  {sample}\nbecomes\n  {found}")),
            Err(error) => wrong.push(format!("{name}: {error}: {sample}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_schema_is_known_or_left_out_with_a_reason() {
    let known: Vec<_> = known().into_iter().map(|(name, _)| name).collect();
    let left_out: Vec<_> = LEFT_OUT.iter().map(|(name, _)| *name).collect();
    let listed = |name: &str| known.contains(&name) || left_out.contains(&name) || SMALL.contains(&name);
    let schemas = schemas();
    let missing: Vec<_> =
        schemas.keys().filter(|name| !listed(name) && !name.starts_with("Listed_")).collect();
    let gone: Vec<_> =
        known.iter().chain(&left_out).chain(&SMALL).filter(|name| !schemas.contains_key(**name)).collect();
    assert!(missing.is_empty() && gone.is_empty(), "new: {missing:?}, gone: {gone:?}");
}
