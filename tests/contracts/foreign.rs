//! What belongs to another team looks like what does not exist: same status, same body.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    VersionId,
    name::production,
    token::{Resolution, Signer, UnitKind},
};
use e2e::{Answer, Call, World, text};
use serde_json::{Value, json};

use crate::{
    api::{self, at, under},
    requests::Target,
};

/// What templates say that nobody else may read.
pub(crate) const INSIDE: &str = "for-insiders-alone";

/// What a team has.
pub(crate) struct Things {
    pub(crate) prompt: Value,
    version: String,
    run: String,
    test_set: String,
    experiment: String,
    canary: String,
    key: String,
    webhook: String,
    token: String,
}

impl Things {
    /// Requests about them; they are in production.
    pub(crate) fn target(&self) -> Target<'_> {
        Target {
            prompt: text(&self.prompt["prompt_id"]),
            live: &self.version,
            version: &self.version,
            run: &self.run,
            test_set: &self.test_set,
            experiment: &self.experiment,
            canary: &self.canary,
            key: &self.key,
            webhook: &self.webhook,
            team: text(&self.prompt["team_id"]),
            environment: "production",
            token: &self.token,
        }
    }
}

/// A prompt with two versions, live in production and staging, evaluated on a test set, with a trial in either place.
pub(crate) async fn things(world: &World, team: &str, name: &str) -> Things {
    let test_set = api::test_set(world, team).await;
    api::put_cases(world, &test_set, api::CASE).await;
    let prompt = world.prompt(team, name, &json!({ "test_set_id": test_set })).await;
    let first = world.version(&prompt, &json!({ "template_text": format!("one {INSIDE}") })).await;
    let second = world.version(&prompt, &json!({ "template_text": format!("two {INSIDE}") })).await;
    for (version, environment) in [(&first, "production"), (&second, "production"), (&first, "staging")] {
        world.promote(&prompt, version, environment).await.expect(200);
    }
    let [version, run] = ["version_id", "eval_run_id"].map(|name| text(&second[name]).to_owned());
    let variants = json!([{ "version_id": first["version_id"] }, { "version_id": version }]);
    let experiment = json!({ "environment": "staging", "variants": variants });
    let experiment = world.admin(Call::post(at(&prompt, "/experiments"), &experiment)).await.expect(201);
    let canary = json!({ "version_id": first["version_id"] });
    let canary = world.admin(Call::post(at(&prompt, "/rollouts"), &canary)).await.expect(201);
    let [experiment, canary] =
        [&experiment["experiment_id"], &canary["rollout_id"]].map(|id| text(id).to_owned());
    let key = world.key(team, "author").await.split('_').nth(1).unwrap().to_owned();
    let webhook = world.admin(Call::post("/api/webhooks", &api::webhook(team))).await.expect(201);
    let webhook = text(&webhook["webhook_id"]).to_owned();
    let token = token(world, text(&prompt["prompt_id"])).await;
    Things { prompt, version, run, test_set, experiment, canary, key, webhook, token }
}

/// A token as a resolve of this prompt would give it.
pub(crate) async fn token(world: &World, prompt: &str) -> String {
    let registry = world.registry();
    let key = registry.store.newest_signing_key().await.unwrap().unwrap();
    Signer::new(&key).unwrap().sign(&Resolution {
        prompt_id: prompt.parse().unwrap(),
        version_id: VersionId::from_bytes([0; 16]),
        environment: production(),
        assignment: None,
        unit_kind: UnitKind::Random,
        unit64: [0; 8],
        nonce: [0; 8],
        issued_at: registry.sources.now(),
    })
}

/// What an answer says, with the names in the question taken out of it.
pub(crate) fn said(answer: &Answer, asked: &Target) -> (u16, String) {
    let prompt = asked.prompt.replace("%2F", "/");
    let names = [
        asked.prompt,
        &prompt,
        asked.version,
        asked.run,
        asked.test_set,
        asked.experiment,
        asked.canary,
        asked.key,
        asked.webhook,
        asked.team,
    ];
    let body =
        names.iter().fold(api::without_instance(answer).to_string(), |body, name| body.replace(name, "…"));
    (answer.status.as_u16(), body)
}

#[tokio::test]
async fn a_prompt_that_is_not_visible_is_404_no_such_prompt() {
    let world = api::start().await;
    let theirs = things(&world, "theirs", "secret").await;
    let key = world.key("ours", "releaser").await;
    for address in [text(&theirs.prompt["prompt_id"]), "secret", "theirs%2Fsecret", "absent", "prm_damaged"] {
        for path in [
            format!("/api/prompts/{address}"),
            format!("/api/prompts/{address}/versions"),
            format!("/api/prompts/{address}/evals"),
            format!("/api/prompts/{address}/history"),
            format!("/api/prompts/{address}/environments/production"),
            format!("/api/prompts/{address}/diff?from=1&to=2"),
            format!("/api/prompts/by-name?name={address}"),
            format!("/api/resolve/{address}"),
            format!("/api/resolve?prompt={address}&env=staging"),
            format!("/api/resolve/{address}?min_revision=1"),
            format!("/api/resolve/{address}?min_revision=9"),
            format!("/api/resolve/{address}?env=nowhere"),
        ] {
            world.call(Call::get(&path).key(&key)).await.refused(404, "no-such-prompt");
        }
    }
}

#[tokio::test]
async fn a_request_that_names_a_foreign_thing_in_its_body_is_answered_as_if_it_were_not_there() {
    let world = api::start().await;
    let theirs = things(&world, "theirs", "secret").await;
    let ours = things(&world, "ours", "open").await;
    let key = world.key("ours", "releaser").await;
    let nobody = Target::nobody();
    let version = json!({ "version_id": ours.version });
    let calls = |things: [&str; 3]| {
        let [version_id, test_set_id, team_id] = things;
        vec![
            Call::post(
                at(&ours.prompt, "/promote"),
                &json!({ "version_id": version_id, "environment": "staging" }),
            ),
            Call::post(
                at(&ours.prompt, "/rollback"),
                &json!({ "environment": "staging", "target_version_id": version_id }),
            ),
            Call::get(at(&ours.prompt, &format!("/diff?from={version_id}&to=1"))),
            Call::patch(at(&ours.prompt, ""), &json!({ "test_set_id": test_set_id })),
            Call::post(under(&version, "/evals"), &json!({ "test_set_id": test_set_id })),
            Call::post(
                at(&ours.prompt, "/versions"),
                &json!({ "template_text": "three", "based_on": version_id }),
            ),
            Call::post(
                "/api/prompts",
                &json!({ "name": "new", "team_id": "ours", "test_set_id": test_set_id }),
            ),
            Call::post("/api/prompts", &json!({ "name": "secret", "team_id": team_id })),
            Call::get(format!("/api/audit?team_id={team_id}")),
        ]
    };
    let foreign = [theirs.version.as_str(), theirs.test_set.as_str(), "theirs"];
    let absent = [nobody.version, nobody.test_set, nobody.team];
    for (asked, missing) in calls(foreign).into_iter().zip(calls(absent)) {
        let name = format!("{asked:?}");
        let asked = world.call(asked.key(&key)).await;
        let missing = world.call(missing.key(&key)).await;
        assert!(asked.status.is_client_error(), "{name}");
        let said = |answer: &Answer, names: [&str; 3]| {
            names.iter().fold(api::without_instance(answer).to_string(), |body, name| body.replace(name, "…"))
        };
        assert_eq!((asked.status, said(&asked, foreign)), (missing.status, said(&missing, absent)), "{name}");
    }
}

#[tokio::test]
async fn asking_for_a_foreign_name_reads_no_more_of_the_table_than_asking_for_none() {
    let world = api::start().await;
    things(&world, "theirs", "secret").await;
    let key = world.key("ours", "releaser").await;
    let mut reads = Vec::new();
    for name in ["warm", "secret", "absent", "theirs%2Fsecret", "theirs%2Fabsent"] {
        let before: u64 = world.faults().all_calls().values().sum();
        for path in [format!("/api/prompts/{name}"), format!("/api/resolve/{name}")] {
            world.call(Call::get(path).key(&key)).await.refused(404, "no-such-prompt");
        }
        reads.push(world.faults().all_calls().values().sum::<u64>() - before);
    }
    assert_eq!(reads[1..], [reads[1]; 4], "{reads:?}");
}

#[tokio::test]
async fn lists_show_what_is_the_teams_own_alone() {
    let world = api::start().await;
    things(&world, "theirs", "secret").await;
    things(&world, "ours", "open").await;
    let key = world.key("ours", "releaser").await;
    for (path, count) in [
        ("/api/prompts", 1),
        ("/api/prompts?q=secret", 0),
        ("/api/prompts?team_id=theirs", 0),
        ("/api/test-sets", 1),
        ("/api/test-sets?team_id=theirs", 0),
        ("/api/evals?status=queued", 2),
        ("/api/changes?since=2026-11-20T07:00:00Z", 5),
        ("/api/teams", 1),
    ] {
        let listed = world.call(Call::get(path).key(&key)).await.expect(200);
        assert_eq!(listed["data"].as_array().unwrap().len(), count, "{path}: {listed}");
        assert!(!listed.to_string().contains("theirs"), "{path}: {listed}");
    }
    let export = world.call(Call::get("/api/audit/export").key(&key)).await;
    export.expect(200);
    assert!(!export.text().contains("theirs") && export.text().contains("open"), "{}", export.text());
}

/// The cursors of a list, walked one thing at a time.
async fn cursors(world: &World, key: &str, path: &str) -> Vec<String> {
    let mut cursors: Vec<String> = Vec::new();
    loop {
        let cursor = cursors.last().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = world.call(Call::get(format!("{path}&limit=1{cursor}")).key(key)).await.expect(200);
        match page["next_cursor"].as_str() {
            Some(next) => cursors.push(next.to_owned()),
            None => return cursors,
        }
    }
}

#[tokio::test]
async fn a_cursor_says_nothing_of_the_foreign_thing_that_it_stands_behind() {
    let world = api::start().await;
    things(&world, "theirs", "secret").await;
    let key = world.key("ours", "releaser").await;
    for path in ["/api/changes?since=2026-11-20T07:00:00Z", "/api/evals?status=queued"] {
        let cursors = cursors(&world, &key, path).await;
        assert!(cursors.len() > 1, "{path} passes what is foreign");
        for cursor in cursors {
            let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let said = String::from_utf8_lossy(&bytes);
            for part in ["prm_", "evl_", "PROMPT", "2026-"] {
                assert!(!said.contains(part), "{path}: {said}");
            }
        }
    }
}
