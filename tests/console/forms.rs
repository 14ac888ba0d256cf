//! What a form refuses comes back as it was typed, with what is wrong beside it.

use e2e::Call;

use crate::{browser::Browser, scene::Scene};

/// A form, what is typed into it, and what the page that comes back must hold.
struct Refused {
    path: String,
    typed: Vec<(&'static str, &'static str)>,
    status: u16,
    said: &'static str,
}

fn refused(path: String, typed: &[(&'static str, &'static str)], status: u16, said: &'static str) -> Refused {
    Refused { path, typed: typed.to_vec(), status, said }
}

async fn all(scene: &Scene) -> Vec<Refused> {
    let prompt = format!("/console/prompts/{}", scene.prompt_id());
    let live = scene.world.admin(Call::get(format!("/api/prompts/{}", scene.prompt_id()))).await.expect(200);
    let version = format!("/console/versions/{}", live["production_version_id"].as_str().unwrap());
    let set = format!("/console/test-sets/{}", scene.test_set["test_set_id"].as_str().unwrap());
    let because = ("reason", "because of Tuesday");
    vec![
        refused(
            "/console/prompts/new".into(),
            &[("name", " bad"), ("team_id", "Not A Team"), ("tags", "kept-tag")],
            422,
            "A team id is",
        ),
        refused(
            format!("{prompt}/settings"),
            &[("name", "renamed"), ("mode", "required"), ("min_pass_rate", "7")],
            422,
            "lies between 0 and 1",
        ),
        refused(
            format!("{prompt}/versions"),
            &[("kind", "text"), ("template_text", "Hi {{ name"), ("note", "kept note")],
            422,
            "line 1",
        ),
        refused(
            format!("{prompt}/versions"),
            &[("kind", "text"), ("template_text", "kept text"), ("temperature", "hot")],
            422,
            "invalid float",
        ),
        refused(
            format!("{version}/promote"),
            &[("environment", "production"), because, ("expected_revision", "99")],
            412,
            "moved since you looked",
        ),
        refused(
            format!("{prompt}/rollback"),
            &[("environment", "production"), because, ("expected_revision", "99")],
            412,
            "moved since you looked",
        ),
        refused(
            format!("{prompt}/lock"),
            &[("environment", "production"), ("hours", "1"), ("reason", "")],
            422,
            "A lock says why",
        ),
        refused(
            format!("{version}/canary"),
            &[("environment", "production"), ("percents", "5, 3"), because],
            422,
            "larger than the one before",
        ),
        refused(
            format!("{prompt}/experiments"),
            &[("control", "ver_x"), ("min_samples", "77")],
            422,
            "is not a version id",
        ),
        refused("/console/test-sets".into(), &[("name", ""), ("team_id", "support")], 422, "1 to 200"),
        refused(
            format!("{set}/cases"),
            &[("format", "jsonl"), ("cases", "{\"vars\": 1}\nnot json\n")],
            422,
            "line 2",
        ),
        refused(format!("{set}/case"), &[("case", "{\"kept\": tru")], 422, "This is no JSON"),
        refused(format!("{set}/delete"), &[("confirm", "another name")], 422, "Type the name"),
        refused(
            format!("/console/experiments/{}/stop", scene.experiment),
            &[("winner_version_id", "ver_x"), because],
            422,
            "is not a version id",
        ),
        refused(
            format!("/console/canaries/{}/step", scene.canary),
            &[("step", "sideways"), because],
            422,
            "advanced, paused",
        ),
        refused(
            "/console/keys".into(),
            &[("name", "Ann"), ("team_id", "*"), ("role", "author"), ("expires_days", "0")],
            422,
            "1 to 3,660 days",
        ),
        refused(
            "/console/models".into(),
            &[
                ("model_id", "kept/model"),
                ("provider", "openai"),
                ("input_usd_per_mtok", "cheap"),
                ("output_usd_per_mtok", "1"),
            ],
            422,
            "invalid float",
        ),
        refused(
            format!("{version}/approvals"),
            &[("environment", "production"), because],
            403,
            "Whoever wrote a version",
        ),
        refused(
            format!("{version}/evals"),
            &[("model_id", "test/model"), ("repeats", "11")],
            422,
            "repeats lies between 1 and",
        ),
        refused(
            format!("/console/runs/{}/review", scene.run),
            &[("decision", "approve"), because],
            403,
            "Whoever wrote a version",
        ),
    ]
}

#[tokio::test]
async fn nothing_typed_is_lost() {
    let scene = Scene::of("words").await;
    let browser = Browser::of_admin(&scene.world).await;
    for Refused { path, typed, status, said } in all(&scene).await {
        let answer = browser.submit(&path, &typed).await;
        let page = answer.text();
        assert_eq!(answer.status, status, "{path}: {page}");
        assert!(page.contains("role=\"alert\"") && page.contains(said), "{path} does not say {said}: {page}");
        // What nobody typed: it is chosen by the page, or by a button.
        let hidden = [
            "environment",
            "expected_revision",
            "control",
            "kind",
            "decision",
            "step",
            "winner_version_id",
            "repeats",
        ];
        for (name, text) in typed.into_iter().filter(|(name, _)| !hidden.contains(name)) {
            let shown = text.replace('&', "&amp;").replace('"', "&quot;");
            let selected = format!("<option value=\"{shown}\" selected>");
            let said = format!("<q>{shown}</q>");
            let kept = [format!("value=\"{shown}\""), format!("\n{shown}</textarea>"), selected, said];
            assert!(kept.iter().any(|kept| page.contains(kept)), "{path} lost {name}: {page}");
        }
    }
}

#[tokio::test]
async fn whoever_is_refused_stays_on_the_page_of_the_form() {
    let scene = Scene::of("words").await;
    let world = &scene.world;
    let admin = Browser::of_admin(world).await;
    let author = Browser::with_key(world, &world.key("support", "author").await).await;
    let key = world.key("support", "resolver").await;
    let key = format!("/console/keys/{}", key.split('_').nth(1).unwrap());
    assert_eq!(admin.submit(&format!("{key}/revoke"), &[]).await.status, 303);
    let prompt = format!("/console/prompts/{}", scene.prompt_id());
    let run = format!("/console/runs/{}", scene.run);
    let settings = "<h1>Settings</h1>";
    for (browser, path, status, said, place) in [
        (&author, format!("{prompt}/unlock"), 403, "releaser", "What is live"),
        (&author, format!("{prompt}/archive"), 403, "releaser", settings),
        (&author, format!("{prompt}/restore"), 403, "releaser", settings),
        (&admin, format!("{run}/cancel"), 409, "there is nothing to stop", "Evaluation of"),
        (&admin, format!("{key}/rotate?team=support"), 409, "only a live key", "Keys of support"),
        (&admin, "/console/keys/none/revoke".to_owned(), 404, "No such key", "<h1>Keys</h1>"),
    ] {
        let answer = browser.submit(&path, &[("environment", "production")]).await;
        let page = answer.text();
        assert_eq!(answer.status, status, "{path}: {page}");
        for wanted in ["role=\"alert\"", said, place] {
            assert!(page.contains(wanted), "{path}: {wanted}: {page}");
        }
    }
}
