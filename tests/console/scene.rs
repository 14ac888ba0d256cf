//! A platform with something of everything: what people and models wrote in it is chosen by the test.

use e2e::{Call, World, WorldSettings, text};
use serde_json::{Value, json};
use testkit::provider::{Reply, ScriptedProvider};

/// A platform with prompts, evaluations, a canary and an experiment.
pub(crate) struct Scene {
    pub(crate) world: World,
    /// A prompt with an experiment.
    pub(crate) tried: Value,
    pub(crate) test_set: Value,
    pub(crate) run: String,
    pub(crate) experiment: String,
    pub(crate) canary: String,
    _provider: ScriptedProvider,
}

impl Scene {
    /// `say` stands wherever somebody may write something.
    pub(crate) async fn of(say: &str) -> Self {
        let provider = ScriptedProvider::start(|call| Reply::Answer(call.user().to_owned())).unwrap();
        let model = json!({
            "model_id": "test/model", "provider": "openai", "base_url": provider.url(),
            "input_usd_per_mtok": 1, "output_usd_per_mtok": 2,
        });
        let builtin = vec![serde_json::from_value(model).unwrap()];
        let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
        let test_set = test_set(&world, say).await;
        let tried = prompt(&world, &format!("tried {say}"), say, &test_set).await;
        let grown = prompt(&world, &format!("grown {say}"), say, &test_set).await;
        let second = world.version(&tried, &content(say, "v2")).await;
        let third = world.version(&grown, &content(say, "v2")).await;
        world.work().await;
        let control = world.admin(Call::get(path_of(&tried))).await.expect(200);
        let variants = json!([
            { "version_id": control["production_version_id"] }, { "version_id": second["version_id"] }
        ]);
        let experiment = start(&world, &tried, "experiments", &json!({ "variants": variants })).await;
        let canary = json!({ "version_id": third["version_id"], "stages": [
            { "percent": 5.0, "min_samples": 10, "bake_minutes": 5 }], "reason": say });
        let canary = start(&world, &grown, "rollouts", &canary).await;
        let lock = json!({ "reason": say });
        let path = format!("/api/prompts/{}/environments/staging/lock", text(&grown["prompt_id"]));
        world.admin(Call::put(path, &lock)).await.expect(200);
        Self {
            run: text(&second["eval_run_id"]).to_owned(),
            experiment: text(&experiment["experiment_id"]).to_owned(),
            canary: text(&canary["rollout_id"]).to_owned(),
            tried,
            test_set,
            world,
            _provider: provider,
        }
    }

    pub(crate) fn prompt_id(&self) -> &str {
        text(&self.tried["prompt_id"])
    }
}

async fn test_set(world: &World, say: &str) -> Value {
    let body = json!({ "name": format!("cases {say}"), "team_id": "support" });
    let set = world.admin(Call::post("/api/test-sets", &body)).await.expect(201);
    let case = |at: usize| {
        let message = format!("{say} {at}");
        let expected = if at == 0 { "another".to_owned() } else { format!("v2 {message}") };
        json!({ "case_id": format!("c{at} {say}"), "vars": { "message": message }, "expected": expected })
    };
    let lines: Vec<_> = (0..4).map(|at| case(at).to_string()).collect();
    let path = format!("/api/test-sets/{}/versions", text(&set["test_set_id"]));
    let put = Call::new(axum::http::Method::PUT, path).bytes("application/jsonl", lines.join("\n"));
    world.admin(put).await.expect(201);
    set
}

fn content(say: &str, begins: &str) -> Value {
    json!({
        "template_text": format!("{begins} {{{{ message }}}}"), "system_prompt": say, "note": say,
        "few_shot_examples": [{ "input": say, "output": say }], "config": { "said": say },
    })
}

/// A prompt whose first version is live.
async fn prompt(world: &World, name: &str, say: &str, test_set: &Value) -> Value {
    let more = json!({ "description": say, "tags": [say.chars().take(60).collect::<String>()], "test_set_id": test_set["test_set_id"] });
    let prompt = world.prompt("support", name, &more).await;
    let first = world.version(&prompt, &content(say, "v1")).await;
    for environment in ["staging", "production"] {
        let path = format!("/api/prompts/{}/promote", text(&prompt["prompt_id"]));
        let body = json!({ "version_id": first["version_id"], "environment": environment, "reason": say });
        world.admin(Call::post(path, &body)).await.expect(200);
    }
    prompt
}

async fn start(world: &World, prompt: &Value, kind: &str, body: &Value) -> Value {
    world.admin(Call::post(format!("{}/{kind}", path_of(prompt)), body)).await.expect(201)
}

fn path_of(prompt: &Value) -> String {
    format!("/api/prompts/{}", text(&prompt["prompt_id"]))
}
