//! The reference of the API: whoever follows it does with each operation what its example shows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use axum::http::Method;
use e2e::{ADMIN, Answer, Call, World, WorldSettings, text};
use regex::Regex;
use serde_json::{Value, json};
use testkit::provider::{Reply, ScriptedProvider};

use crate::crawl::is_whole;

/// The order in which one example can go after the other.
const EXAMPLES: &str = include_str!("../../functions/console/examples.json");
const DOCUMENT: &str = include_str!("../../functions/authoring/openapi.json");

/// The pages, by their addresses.
async fn pages(world: &World) -> BTreeMap<String, Answer> {
    let overview = world.call(Call::get("/docs")).await;
    let leads = Regex::new(r##"href="(/docs/[^"#]+)""##).unwrap();
    let paths: BTreeSet<String> =
        leads.captures_iter(&overview.text()).map(|found| found[1].to_owned()).collect();
    let mut pages = BTreeMap::from([("/docs".to_owned(), overview)]);
    for path in paths {
        let page = world.call(Call::get(path.as_str())).await;
        pages.insert(path, page);
    }
    pages
}

#[tokio::test]
async fn it_is_open_to_everybody_light_and_complete_in_itself() {
    let world = World::start().await;
    let pages = pages(&world).await;
    assert!(pages.len() > 10, "{:?}", pages.keys());
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let ids: BTreeSet<_> = operations.map(|operation| text(&operation["operationId"])).collect();
    let anchor = Regex::new(r#" id="([^"]+)""#).unwrap();
    let lead = Regex::new(r#"(?:href|src)="([^"]+)""#).unwrap();
    let mut shown = BTreeSet::new();
    for (path, page) in &pages {
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-security-policy").contains("default-src 'none'"), "{path}");
        let html = page.text();
        is_whole(path, &html);
        let anchors: BTreeSet<_> = anchor.captures_iter(&html).map(|found| found[1].to_owned()).collect();
        for lead in lead.captures_iter(&html) {
            let known = match lead[1].split_once('#') {
                Some(("", anchor)) => anchors.contains(anchor),
                Some((page, anchor)) => pages[page].text().contains(&format!(" id=\"{anchor}\"")),
                None => lead[1].starts_with('/'),
            };
            assert!(known, "{path} leads to {}", &lead[1]);
        }
        shown.extend(ids.iter().copied().filter(|id| anchors.contains(&format!("example-{id}"))));
    }
    assert_eq!(shown, ids, "each operation is shown with an example");
    assert_eq!(world.call(Call::get("/docs/nothing")).await.status, 404);
}

/// Somebody who types the examples.
struct Reader {
    world: World,
    /// What stands in braces in examples.
    known: HashMap<&'static str, String>,
}

/// The members of answers that examples name.
const NAMED: [&str; 7] =
    ["version_id", "eval_run_id", "test_set_id", "key_id", "webhook_id", "experiment_id", "rollout_id"];

impl Reader {
    /// Beside a version that an author wrote and the gate finds too close to call.
    async fn start(provider: &ScriptedProvider) -> Self {
        let model = json!({
            "model_id": "gpt-4o-mini", "provider": "openai", "base_url": provider.url(),
            "input_usd_per_mtok": 1, "output_usd_per_mtok": 2,
        });
        let builtin = vec![serde_json::from_value(model).unwrap()];
        let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
        let body = json!({ "name": "Replies", "team_id": "support" });
        let set = world.admin(Call::post("/api/test-sets", &body)).await.expect(201);
        let case = |at: usize| {
            json!({ "vars": { "m": "a" }, "expected": if at < 14 { "b" } else { "a" } }).to_string()
        };
        let cases = (0..60).map(case).collect::<Vec<_>>().join("\n");
        let put = Call::new(Method::PUT, format!("/api/test-sets/{}/versions", text(&set["test_set_id"])));
        world.admin(put.bytes("application/jsonl", cases)).await.expect(201);
        let more = json!({ "test_set_id": set["test_set_id"], "gate": null });
        let prompt = world.prompt("support", "reply-drafter", &more).await;
        let author = world.key("support", "author").await;
        let path = format!("/api/prompts/{}/versions", text(&prompt["prompt_id"]));
        let says = json!({ "template_text": "{{ m }}", "model_id": "gpt-4o-mini" });
        let version = world.call(Call::post(path, &says).key(&author)).await.expect(201);
        world.work().await;
        let mut reader = Self { world, known: HashMap::new() };
        reader.learn(&version);
        reader
    }

    fn learn(&mut self, answer: &Value) {
        for name in NAMED {
            if let Some(id) = answer[name].as_str() {
                self.known.insert(name, id.to_owned());
            }
        }
    }

    /// What has to be there for some examples, and needs no second one.
    async fn prepare(&mut self, operation: &str) {
        let path = |rest: &str| format!("/api/prompts/ticket-classifier/{rest}");
        match operation {
            "versions_diff" => {
                let says = json!({ "template_text": "{{ message }}.", "model_id": "gpt-4o-mini" });
                let version = self.world.admin(Call::post(path("versions"), &says)).await.expect(201);
                self.known.insert("other_version_id", text(&version["version_id"]).to_owned());
            }
            "evaluations_read" => self.world.work().await,
            "environments_read" => {
                for name in ["version_id", "other_version_id"] {
                    let body = json!({ "version_id": self.known[name], "environment": "production" });
                    self.world.admin(Call::post(path("promote"), &body)).await.expect(200);
                }
            }
            _ => {}
        }
    }

    /// Does what a command says, as a shell and curl would.
    async fn types(&mut self, operation: &str, command: &str) {
        let known = self.known.iter();
        let command =
            known.fold(command.to_owned(), |command, (name, id)| command.replace(&format!("{{{name}}}"), id));
        let part =
            |pattern: &str| Regex::new(pattern).unwrap().captures(&command).map(|found| found[1].to_owned());
        let method = part(r"^curl -X (\w+) ").unwrap_or_else(|| "GET".to_owned());
        let path = part(r#" "\$CUECARD_URL(/[^"{}]*)""#).unwrap_or_else(|| panic!("{operation}: {command}"));
        let asked = Regex::new(r"(?m)^  --data-urlencode '(\w+)=([^']*)'").unwrap();
        let mut query = form_urlencoded::Serializer::new(String::new());
        for found in asked.captures_iter(&command) {
            query.append_pair(&found[1], &found[2]);
        }
        let mut call = Call::new(method.parse().unwrap(), path).key(ADMIN);
        let query = query.finish();
        if !query.is_empty() {
            assert!(command.starts_with("curl -G "), "{operation}: {command}");
            call = call.also_asking(&query);
        }
        if let Some(body) = part(r"(?s) --data-binary '([^']*)'$") {
            call = call.bytes(&part("'Content-Type: ([^']+)'").unwrap(), body);
        }
        let answer = self.world.call(call).await;
        assert!(answer.status.is_success(), "{operation}: {command}\n{} {}", answer.status, answer.text());
        if answer.status == 201 || answer.status == 202 {
            self.learn(&answer.json());
        }
        if operation == "resolve_by_body" {
            self.known.insert("resolution_token", text(&answer.json()["resolution_token"]).to_owned());
        }
    }
}

/// What a page says, without its marks.
fn unescaped(html: &str) -> String {
    let marks = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    marks.iter().fold(html.to_owned(), |text, (mark, letter)| text.replace(mark, letter))
}

#[tokio::test]
async fn each_example_does_what_it_says() {
    let provider = ScriptedProvider::start(|call| Reply::Answer(call.user().to_owned())).unwrap();
    let mut reader = Reader::start(&provider).await;
    let html: String = pages(&reader.world).await.values().map(Answer::text).collect();
    let shown = Regex::new(r#"(?s) id="example-(\w+)">(.*?)</pre>"#).unwrap();
    let shown: HashMap<_, _> =
        shown.captures_iter(&html).map(|found| (found[1].to_owned(), unescaped(&found[2]))).collect();
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
    assert_eq!(examples.len(), shown.len(), "each is shown once");
    for example in &examples {
        let operation = text(&example["operation"]);
        reader.prepare(operation).await;
        reader.types(operation, &shown[operation]).await;
    }
}
