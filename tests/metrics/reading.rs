//! Reading over HTTP: what was counted is what is shown, to those whom it concerns.

mod ranking;
mod recount;
mod resolves;

use std::time::Duration;

use domain::{
    Timestamp,
    metric::{Batch, Event, Subject, Values, fold},
    money::Usd,
};
use e2e::{ADMIN, Answer, Call, Dice, World, any_seed, text};
use recount::Recount;
use serde_json::{Value, json};

/// A prompt of a team with two versions, one live in production and one in staging.
struct Told {
    prompt: Value,
    versions: [Value; 2],
    events: Vec<Event>,
}

const ENVIRONMENTS: [&str; 2] = ["production", "staging"];

/// The hours of a test, in which the clock stands at seven o'clock of the last day.
const SINCE: &str = "2026-11-18T00:00:00Z";

async fn told(world: &World, team: &str, name: &str, events: impl Fn(usize) -> Values) -> Told {
    let prompt = world.prompt(team, name, &json!({})).await;
    let mut versions = Vec::new();
    for environment in ENVIRONMENTS {
        let version = world.version(&prompt, &json!({ "template_text": environment })).await;
        world.promote(&prompt, &version, environment).await.expect(200);
        versions.push(version);
    }
    let versions: [Value; 2] = versions.try_into().unwrap();
    let event = |index: usize| Event {
        index,
        event_id: None,
        subject: Subject {
            prompt_id: text(&prompt["prompt_id"]).parse().unwrap(),
            version_id: text(&versions[index % 2]["version_id"]).parse().unwrap(),
            environment: ENVIRONMENTS[index / 2 % 2].parse().unwrap(),
            placement: None,
        },
        values: events(index),
    };
    let events: Vec<Event> = (0..400).map(event).collect();
    let batch = Batch { team_id: team.parse().unwrap(), batch_id: None, events: events.clone() };
    let registry = world.registry();
    let applied = registry.store.apply(&fold(&batch, &registry.sources), &registry.sources).await;
    assert!(applied.outcomes.iter().all(Result::is_ok), "{:?}", applied.outcomes);
    Told { prompt, versions, events }
}

/// Calls of the last 55 hours that say this and that.
fn any(dice: &Dice) -> Values {
    let hundredths = |dice: &Dice| f64::from(u8::try_from(dice.below(101)).unwrap()) / 100.0;
    let millis = |dice: &Dice| f64::from(1.2_f32.powi(i32::try_from(dice.below(60)).unwrap())).ceil();
    let count = |dice: &Dice| i64::try_from(dice.below(5_000)).unwrap();
    let now = "2026-11-20T07:00:00Z".parse::<Timestamp>().unwrap();
    let age = Duration::from_mins(u64::try_from(dice.below(55 * 60)).unwrap());
    Values {
        latency_ms: (!dice.once_in(5)).then(|| millis(dice)),
        cost: (!dice.once_in(3)).then(|| Usd::from_nanos(u64::try_from(dice.below(9_000_000)).unwrap())),
        input_tokens: (!dice.once_in(4)).then(|| count(dice)),
        output_tokens: Some(count(dice)),
        success: dice.once_in(2).then(|| dice.once_in(2)),
        error: Some(dice.once_in(6)),
        refusal: Some(dice.once_in(9)),
        slow: None,
        user_rating: dice.once_in(3).then(|| u8::try_from(1 + dice.below(5)).unwrap()),
        quality: dice.once_in(3).then(|| hundredths(dice)),
        eval_score: dice.once_in(3).then(|| hundredths(dice)),
        at: Some(now.minus(age)),
    }
}

async fn read(world: &World, key: &str, path: &str) -> Answer {
    world.call(Call::get(path).key(key)).await
}

fn metrics_of(told: &Told, query: &str) -> String {
    format!("/api/prompts/{}/metrics?{query}", text(&told.prompt["prompt_id"]))
}

/// What a row is of, as a recount names it.
fn group(row: &Value) -> String {
    let of = [&row["version_id"], &row["environment"], &row["prompt_id"]];
    let named: Vec<&str> = of.into_iter().filter_map(Value::as_str).collect();
    assert_eq!(named.len(), 1, "{row}");
    named[0].to_owned()
}

#[tokio::test]
async fn a_prompts_figures_equal_a_recount_by_hour_and_by_day() {
    let world = World::start().await;
    let dice = Dice::new(any_seed());
    let told = told(&world, "a", "greeter", |_| any(&dice)).await;
    let key = world.key("a", "resolver").await;
    for (bucket, length) in [("hour", 13), ("day", 10)] {
        for group_by in ["version", "environment"] {
            let query = format!("from={SINCE}&bucket={bucket}&group_by={group_by}");
            let shown = read(&world, &key, &metrics_of(&told, &query)).await.expect(200);
            assert_eq!((&shown["bucket"], &shown["group_by"]), (&json!(bucket), &json!(group_by)));
            let whole = |event: &Event| {
                let at = event.values.at.unwrap().to_string();
                let of = &event.subject;
                let group = if group_by == "version" {
                    of.version_id.to_string()
                } else {
                    of.environment.to_string()
                };
                (at[..length].to_owned(), group)
            };
            let recounted = Recount::of(&told.events, whole);
            let rows = shown["data"].as_array().unwrap();
            assert_eq!(rows.len(), recounted.len(), "{query}");
            for row in rows {
                let start = &text(&row["bucket_start"])[..length];
                recounted[&(start.to_owned(), group(row))].assert_is(row);
                let version = told.versions.iter().find(|version| version["version_id"] == row["version_id"]);
                assert_eq!(
                    row["version_number"],
                    version.map_or(Value::Null, |of| of["version_number"].clone())
                );
            }
            let left_out = [&shown["versions_left_out"], &shown["environments_left_out"]];
            assert_eq!(left_out, [&json!(0), &json!(0)]);
        }
    }
}

#[tokio::test]
async fn a_teams_days_are_the_sums_of_its_prompts() {
    let world = World::start().await;
    let dice = Dice::new(any_seed());
    let one = told(&world, "a", "one", |_| any(&dice)).await;
    let two = told(&world, "a", "two", |_| any(&dice)).await;
    told(&world, "b", "foreign", |_| any(&dice)).await;
    let key = world.key("a", "resolver").await;
    let shown = read(&world, &key, &format!("/api/teams/a/metrics?from={SINCE}")).await.expect(200);
    let events: Vec<Event> = one.events.into_iter().chain(two.events).collect();
    let days = Recount::of(&events, |event| {
        (event.values.at.unwrap().to_string()[..10].to_owned(), event.subject.prompt_id.to_string())
    });
    let rows = shown["data"].as_array().unwrap();
    assert_eq!(rows.len(), days.len(), "{shown}");
    for row in rows {
        let day = &text(&row["bucket_start"])[..10];
        days[&(day.to_owned(), group(row))].assert_day_is(row);
    }
    let one_day = "/api/teams/a/metrics?from=2026-11-19T00:00:00Z&to=2026-11-20T00:00:00Z&bucket=day";
    let one_day = read(&world, &key, one_day).await.expect(200);
    assert_eq!(one_day["to"], "2026-11-20T00:00:00.000Z");
    assert!(one_day["data"].as_array().unwrap().iter().all(|row| row["bucket_start"] == one_day["from"]));
}

#[tokio::test]
async fn what_nobody_reported_is_null_and_a_bucket_of_nothing_is_left_out() {
    let world = World::start().await;
    let calls = |index: usize| Values {
        at: Some(
            if index == 0 { "2026-11-20T06:59:59.999Z" } else { "2026-11-20T05:00:00Z" }.parse().unwrap(),
        ),
        ..Values::default()
    };
    let told = told(&world, "a", "greeter", calls).await;
    let key = world.key("a", "resolver").await;
    let shown = read(&world, &key, &metrics_of(&told, "from=2026-11-20T06:00:00Z")).await.expect(200);
    assert_eq!(
        shown["data"],
        json!([{
            "bucket_start": "2026-11-20T06:00:00.000Z", "version_id": told.versions[0]["version_id"],
            "version_number": 1, "environment": null, "experiment_id": null, "variant": null, "calls": 1,
            "resolves": 0, "error_rate": 0.0, "refusal_rate": 0.0, "success_rate": null, "latency": null,
            "input_tokens": 0, "output_tokens": 0,
            "tokens_per_call": 0.0, "cost_usd": 0.0, "cost_per_call_usd": null,
            "rating": { "mean": null, "histogram": [0, 0, 0, 0, 0] }, "quality": null, "eval_score": null,
        }])
    );
    for empty in ["from=2026-11-18T00:00:00Z&to=2026-11-18T05:00:00Z", "to=2026-11-20T05:00:00Z"] {
        let shown = read(&world, &key, &metrics_of(&told, empty)).await.expect(200);
        assert_eq!(shown["data"], json!([]), "{empty}");
    }
    let fresh = world.prompt("a", "fresh", &json!({})).await;
    let path = format!("/api/prompts/{}/metrics", text(&fresh["prompt_id"]));
    let shown = read(&world, &key, &path).await.expect(200);
    assert_eq!(shown["data"], json!([]));
    assert_eq!((text(&shown["from"]), text(&shown["bucket"])), ("2026-11-19T07:00:00.000Z", "hour"));
    assert_eq!((text(&shown["to"]), text(&shown["group_by"])), ("2026-11-20T08:00:00.000Z", "version"));
}

#[tokio::test]
async fn a_range_that_is_none_is_refused_with_its_place() {
    let world = World::start().await;
    world.prompt("a", "greeter", &json!({})).await;
    let key = world.key("a", "resolver").await;
    for (path, place) in [
        ("/api/prompts/greeter/metrics?from=yesterday", "/from"),
        ("/api/prompts/greeter/metrics?from=2026-11-20T07:00:00Z", "/from"),
        ("/api/prompts/greeter/metrics?from=2026-10-20T06:59:59Z", "/from"),
        ("/api/prompts/greeter/metrics?from=2025-10-16T06:59:59Z&bucket=day", "/from"),
        ("/api/prompts/greeter/metrics?to=2028-01-01T00:00:00Z", "/to"),
        ("/api/prompts/greeter/metrics?bucket=week", "/bucket"),
        ("/api/prompts/greeter/metrics?group_by=model", "/group_by"),
        ("/api/prompts/greeter/metrics?until=2026-11-20T07:00:00Z", "/until"),
        ("/api/teams/a/metrics?bucket=hour", "/bucket"),
        ("/api/teams/a/metrics?from=2025-10-16T06:59:59Z", "/from"),
        ("/api/metrics/summary?sort=name", "/sort"),
        ("/api/metrics/summary?days=0", "/days"),
        ("/api/metrics/summary?days=401", "/days"),
    ] {
        let problem = read(&world, &key, path).await.refused(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], place, "{path}: {problem}");
    }
    for path in [
        "/api/prompts/greeter/metrics?from=2026-10-20T07:00:00Z",
        "/api/prompts/greeter/metrics?from=2025-10-16T07:00:00Z&bucket=day",
        "/api/prompts/greeter/metrics?to=0000-01-01T00:00:00Z",
        "/api/prompts/greeter/metrics?group_by=variant",
        "/api/teams/a/metrics?to=0000-01-01T00:00:00Z",
        "/api/metrics/summary?days=400",
    ] {
        read(&world, &key, path).await.expect(200);
    }
}

#[tokio::test]
async fn a_foreign_teams_figures_are_as_if_they_were_not_there() {
    let world = World::start().await;
    let dice = Dice::new(any_seed());
    let told = told(&world, "theirs", "secret", |_| any(&dice)).await;
    let key = world.key("ours", "releaser").await;
    let path = metrics_of(&told, "bucket=day");
    read(&world, &key, &path).await.refused(404, "no-such-prompt");
    read(&world, &key, "/api/teams/theirs/metrics").await.refused(404, "not-found");
    read(&world, ADMIN, "/api/teams/nobodys/metrics").await.refused(404, "not-found");
    let ours = read(&world, &key, "/api/teams/ours/metrics").await.expect(200);
    assert_eq!(ours["data"], json!([]));
    let ranked = read(&world, &key, "/api/metrics/summary").await.expect(200);
    assert_eq!(ranked["data"], json!([]));
    let of_all = read(&world, ADMIN, "/api/metrics/summary").await.expect(200);
    assert_eq!(of_all["data"][0]["name"], "secret", "an admin sees every team");
}

/// What all 400 calls of a prompt say alike, at six o'clock of a day.
fn alike(day: &str, nanos: u64, rating: Option<u8>, error: bool) -> Values {
    Values {
        cost: Some(Usd::from_nanos(nanos)),
        input_tokens: Some(1_000),
        output_tokens: Some(10),
        error: Some(error),
        user_rating: rating,
        at: Some(format!("{day}T06:00:00Z").parse().unwrap()),
        ..Values::default()
    }
}

#[tokio::test]
async fn versions_that_are_neither_new_nor_live_are_counted_as_left_out() {
    let world = World::start().await;
    let told = told(&world, "a", "greeter", |_| alike("2026-11-20", 1, None, false)).await;
    // Staging goes on to the third version: the first one is live as well, and the second one nowhere.
    for number in 0..101 {
        let version = world.version(&told.prompt, &json!({ "template_text": number.to_string() })).await;
        if number == 0 {
            world.promote(&told.prompt, &version, "staging").await.expect(200);
        }
    }
    let shown = read(&world, ADMIN, &metrics_of(&told, "")).await.expect(200);
    assert_eq!(shown["versions_left_out"], 1, "the second");
    let rows = shown["data"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{shown}");
    assert_eq!(rows[0]["version_id"], told.versions[0]["version_id"]);
}
