//! Who reaches what: every operation, asked by every role of the thing's own team, of a foreign one and of all. What is
//! foreign looks like what does not exist: same status, same body.

use std::collections::BTreeSet;

use e2e::{Answer, Call, World, text};
use serde_json::{Value, json};

use crate::{
    api, authentication,
    document::{Operation, operations},
    foreign::{INSIDE, Things, said, things, token},
    requests::{Target, request},
    roles::{self, MOVES, ROLES, needed},
};

/// The operations by which somebody who is let in sees no difference. It may only shrink.
const ALIKE: &str = include_str!("tenants.txt");

/// The operations that leave what they are asked about as it was, or add to it alone.
const LEAVING: [&str; 20] = [
    "evaluations_create",
    "keys_create",
    "metrics_report",
    "models_set",
    "ofrep_evaluate",
    "ofrep_evaluate_all",
    "prompts_create",
    "resolve_batch",
    "resolve_by_body",
    "resolve_by_path_with_body",
    "teams_set",
    "test_sets_add_case",
    "test_sets_create",
    "test_sets_open_upload",
    "test_sets_put_cases",
    "versions_approve",
    "versions_create",
    "versions_render",
    "versions_try_out",
    "webhooks_create",
];

/// The id of a prompt that is nobody's.
const ABSENT: &str = "prm_00000000000000000000000000";

/// Somebody who asks.
struct Asking {
    team: &'static str,
    role: &'static str,
    key: String,
}

/// What somebody is to be answered about a thing of the team `theirs`.
#[derive(Debug, PartialEq)]
enum Expected {
    Forbidden,
    NotThere,
    There,
}

impl Asking {
    fn is_to_be_answered(&self, needed: &str) -> Expected {
        let rank = |role| ROLES.iter().position(|known| *known == role).unwrap();
        match (rank(self.role) < rank(needed), self.team) {
            (true, _) => Expected::Forbidden,
            (false, "ours") if self.role != "admin" => Expected::NotThere,
            (false, _) => Expected::There,
        }
    }
}

async fn everybody(world: &World) -> Vec<Asking> {
    let mut everybody = Vec::new();
    for team in ["ours", "theirs", "*"] {
        for role in ROLES {
            // A refusal names the key, which must not tell its team.
            let body = json!({ "team_id": team, "role": role, "name": "asking" });
            let made = world.admin(Call::post("/api/keys", &body)).await.expect(201);
            everybody.push(Asking { team, role, key: text(&made["secret"]).to_owned() });
        }
    }
    everybody
}

/// An operation, in an environment that may make a difference.
struct Question {
    operation: Operation<'static>,
    id: &'static str,
    environment: &'static str,
}

/// All but the open ones, those that change nothing first.
fn questions() -> Vec<Question> {
    let mut questions = Vec::new();
    for environment in ["production", "staging"] {
        for operation in operations().into_iter().filter(|operation| !operation.is_open()) {
            let id = text(&operation.value["operationId"]);
            if environment == "production" || MOVES.contains(&id) {
                questions.push(Question { operation, id, environment });
            }
        }
    }
    questions.sort_by_key(|question| question.operation.method != "GET");
    questions
}

/// Whether what was said tells of their things, to somebody who did not name them.
fn tells((_, said): &(u16, String), theirs: &Target) -> bool {
    let Target { prompt, version, run, test_set, key, webhook, team, .. } = *theirs;
    let names = [prompt, version, run, test_set, key, webhook, team, INSIDE];
    names.iter().any(|name| said.contains(name))
}

/// The newest entry of the prompt's audit.
async fn newest(world: &World, theirs: &Things) -> String {
    let path = format!("/api/audit?prompt_id={}&limit=1", theirs.target().prompt);
    world.admin(Call::get(path)).await.expect(200)["data"].to_string()
}

/// One operation, asked about what is theirs and about what is nobody's.
struct Asked<'a> {
    theirs: Answer,
    nobodys: Answer,
    targets: &'a [Target<'a>; 2],
}

impl<'a> Asked<'a> {
    async fn of(world: &World, operation: &Operation<'_>, key: &str, targets: &'a [Target<'a>; 2]) -> Self {
        let [theirs, nobodys] =
            targets.each_ref().map(|target| world.call(request(operation, target).key(key)));
        Self { theirs: theirs.await, nobodys: nobodys.await, targets }
    }

    /// Whether the two are told apart.
    fn tells_apart(&self) -> bool {
        let [theirs, nobodys] = self.targets;
        let told = said(&self.nobodys, nobodys);
        said(&self.theirs, theirs) != told || tells(&told, theirs)
    }
}

/// The ways to name what is theirs, each beside what is nobody's.
fn addresses(theirs: &Things) -> Vec<[String; 2]> {
    let [id, name] = ["prompt_id", "name"].map(|member| text(&theirs.prompt[member]).to_owned());
    let whole = format!("theirs%2F{name}");
    vec![
        [id, ABSENT.to_owned()],
        [name.clone(), "absent".to_owned()],
        [whole.clone(), "theirs%2Fabsent".to_owned()],
        [whole, format!("nobody%2F{name}")],
    ]
}

/// Asks everything of everybody.
struct Inquiry {
    world: World,
    theirs: Things,
    /// A token of ours for a prompt that is nobody's.
    nobodys_token: String,
    /// How often they were made anew, because somebody had changed them.
    made: usize,
    /// The operations by which somebody who was let in saw no difference.
    alike: BTreeSet<&'static str>,
}

impl Inquiry {
    /// Without a key, whatever it is about.
    async fn without_a_key(&self, question: &Question, words: &Value) -> Value {
        let target = Target { environment: question.environment, ..self.theirs.target() };
        let answer = self.world.call(request(&question.operation, &target)).await;
        // It says so without a word.
        if question.id.starts_with("ofrep_") {
            assert_eq!((answer.status.as_u16(), answer.text().as_str()), (401, ""));
            return words.clone();
        }
        authentication::refused(&answer)
    }

    async fn ask(&mut self, question: &Question, asking: &Asking) {
        let expected = asking.is_to_be_answered(needed(question.id, question.environment));
        let changes = question.operation.method != "GET";
        let before = if changes { newest(&self.world, &self.theirs).await } else { String::new() };
        let addresses = addresses(&self.theirs);
        let ways = if expected == Expected::NotThere { &addresses[..] } else { &addresses[..1] };
        for way in ways {
            let spoilt = self.ask_in(way, question, asking, &expected).await;
            if spoilt {
                self.made += 1;
                self.theirs = things(&self.world, "theirs", &format!("secret-{}", self.made)).await;
            } else if changes && expected != Expected::There {
                assert_eq!(newest(&self.world, &self.theirs).await, before, "{} does nothing", question.id);
            }
        }
    }

    /// Asks in one of the ways to name things. Returns whether that may have changed them.
    async fn ask_in(
        &mut self,
        [theirs, nobodys]: &[String; 2],
        question: &Question,
        asking: &Asking,
        expected: &Expected,
    ) -> bool {
        let Question { operation, id, environment } = question;
        let targets = [
            Target { prompt: theirs, environment, ..self.theirs.target() },
            Target { prompt: nobodys, environment, token: &self.nobodys_token, ..Target::nobody() },
        ];
        let asked = Asked::of(&self.world, operation, &asking.key, &targets).await;
        let (status, apart) = (asked.theirs.status, asked.tells_apart());
        let case = format!(
            "{id} in {environment}, {} of {}, {expected:?}: {} {}",
            asking.role,
            asking.team,
            asked.theirs.text(),
            asked.nobodys.text()
        );
        assert_eq!(status == 403, *expected == Expected::Forbidden, "{case}");
        assert_ne!(status, 401, "{case}");
        if *expected != Expected::There {
            assert!(!apart, "{case}");
            return false;
        }
        self.alike.extend((!apart).then_some(*id));
        status.is_success() && operation.method != "GET" && !LEAVING.contains(id)
    }
}

#[tokio::test]
async fn each_route_answers_by_the_role_that_it_needs_and_by_whose_the_thing_is() {
    let world = api::start().await;
    let everybody = everybody(&world).await;
    let words = authentication::refused(&world.call(Call::get("/api/teams")).await);
    let theirs = things(&world, "theirs", "secret").await;
    let nobodys_token = token(&world, ABSENT).await;
    let mut inquiry = Inquiry { world, theirs, nobodys_token, made: 0, alike: BTreeSet::new() };
    let questions = questions();
    for question in &questions {
        assert_eq!(inquiry.without_a_key(question, &words).await, words, "{}", question.id);
        for asking in &everybody {
            inquiry.ask(question, asking).await;
        }
    }
    let ids: BTreeSet<_> = questions.iter().map(|question| question.id).collect();
    assert!(roles::named().chain(LEAVING).all(|id| ids.contains(id)), "{ids:?}");
    let listed: BTreeSet<_> = ALIKE.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(inquiry.alike, listed, "tenants.txt lists what shows no difference, and nothing else");
}
