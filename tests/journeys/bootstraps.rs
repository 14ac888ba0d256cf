//! What only the built programs can show: they are killed and go on, take several requests at once, and count.

use std::{collections::HashSet, time::Duration};

use e2e::{Call, FleetSettings, text};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::lambda::Lambda;

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_a_storm_of_promotions_they_lose_nothing() {
    const SEED: u64 = 20_261_120;
    const MOVES: usize = 40;
    println!("seed {SEED}");
    let lambda = Lambda::start(FleetSettings::default()).await;
    let mut prompts = Vec::new();
    for name in ["a", "b", "c"] {
        prompts.push(lambda.prompt(name).await);
    }
    let storm = async {
        let moves = (0..MOVES).map(|number| {
            let (prompt, versions) = &prompts[number % prompts.len()];
            let body = json!({ "version_id": versions[number / 3 % 2], "environment": "production" });
            let call = Call::post(format!("/api/prompts/{prompt}/promote"), &body);
            let lambda = &lambda;
            async move { lambda.insist(call, &format!("move {number}")).await.expect(200) }
        });
        futures_util::future::join_all(moves).await
    };
    let over = std::sync::atomic::AtomicBool::new(false);
    let killer = async {
        let mut random = SEED;
        let mut kills = 0;
        while !over.load(std::sync::atomic::Ordering::SeqCst) {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let draw = usize::try_from(random >> 40).unwrap();
            let function = ["authoring", "authoring", "dispatch", "propagate"][draw % 4];
            lambda.fleet.function(function).kill_one(draw / 4 % 2).await;
            kills += 1;
            sleep(Duration::from_millis(20 + random % 100)).await;
        }
        kills
    };
    let storm = async {
        let answers = storm.await;
        over.store(true, std::sync::atomic::Ordering::SeqCst);
        answers
    };
    let (answers, kills) = tokio::join!(storm, killer);
    println!("{} moves, {kills} kills", answers.len());
    assert!(kills > 5, "the storm was over before anybody was killed");
    for (prompt, _) in &prompts {
        check_records(&lambda, prompt, &answers).await;
    }
}

/// Ref, history, audit and archive tell one story.
async fn check_records(lambda: &Lambda, prompt: &str, answers: &[Value]) {
    let told: HashSet<u64> = answers
        .iter()
        .filter(|answer| answer["prompt_id"] == prompt)
        .map(|answer| answer["revision"].as_u64().unwrap())
        .collect();
    let get = async |path: String| lambda.insist(Call::get(path), "read").await.expect(200);
    let reference = get(format!("/api/prompts/{prompt}/environments/production")).await;
    let history = get(format!("/api/prompts/{prompt}/history?limit=100")).await;
    let moves = history["data"].as_array().unwrap();
    let revisions: HashSet<u64> =
        moves.iter().map(|entry| entry["after"]["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions, told, "each move was told once, and each that was told was made");
    assert_eq!(reference["revision"], json!(moves.len()), "the ref moved as often as its history says");
    assert_eq!(moves[0]["after"]["version_id"], reference["version_id"]);
    let export = lambda.insist(Call::get(format!("/api/audit/export?prompt_id={prompt}")), "read").await;
    domain::audit::export::verify(&export.text()).unwrap();
    let entries = export.text().lines().filter(|line| line.contains("\"audit_id\"")).count();
    let s3 = testkit::clients(lambda.fleet.engines.endpoints()).s3;
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let listed = s3.list_objects_v2().bucket("cuecard").prefix(format!("audit/{prompt}/")).send().await;
        let archived = listed.unwrap().contents.unwrap_or_default().len();
        if archived == entries {
            return;
        }
        assert!(Instant::now() < deadline, "{archived} of {entries} entries are archived");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_of_resolve_takes_several_requests_at_once_and_counts_them() {
    let settings = FleetSettings { sandboxes: 1, concurrency: 8, ..FleetSettings::default() };
    let lambda = Lambda::start(settings).await;
    let (prompt, [version, _]) = lambda.prompt("counted").await;
    let body = json!({ "version_id": version, "environment": "production" });
    lambda.insist(Call::post(format!("/api/prompts/{prompt}/promote"), &body), "promote").await.expect(200);
    let ask = || lambda.admin(Call::get(format!("/api/resolve/{prompt}?min_revision=1")));
    let answers = futures_util::future::join_all((0..64).map(|_| ask())).await;
    for answer in answers {
        assert_eq!(answer.expect(200)["resolved_text"], "one");
    }
    lambda.admin(Call::get("/api/resolve/nothing")).await.refused(404, "no-such-prompt");
    // What is kept back goes out with a request that comes a second later.
    sleep(Duration::from_millis(1100)).await;
    ask().await.expect(200);
    let lines = lambda.fleet.function("resolve").take_lines();
    let lines: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let metrics: Vec<_> = lines.iter().filter(|line| line["_aws"].is_object()).collect();
    let latencies: usize = metrics.iter().filter_map(|line| Some(line["latency"].as_array()?.len())).sum();
    assert_eq!(latencies, 66, "{metrics:?}");
    assert_eq!(metrics.iter().filter(|line| line["cold_start"].is_number()).count(), 1);
    let requests = lines.iter().filter(|line| line["message"] == "request").count();
    assert_eq!(requests, 66, "each request has its line in the log");
    for line in metrics {
        let described = &line["_aws"]["CloudWatchMetrics"][0];
        for metric in described["Metrics"].as_array().unwrap() {
            assert!(!line[text(&metric["Name"])].is_null(), "{line}");
        }
        for dimension in described["Dimensions"][0].as_array().unwrap() {
            assert!(line[text(dimension)].is_string(), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_batch_only_what_failed_comes_again() {
    let lambda = Lambda::start(FleetSettings { sandboxes: 1, ..FleetSettings::default() }).await;
    let message = |id: &str, body: &str| json!({ "messageId": id, "body": body, "attributes": {}, "messageAttributes": {} });
    let ended = json!({
        "prompt_id": "prm_01M7WKKAVHM0D9325AYWBBGFRZ", "eval_run_id": "evl_01M7WKKAVHM0D9325AYWBBGFRZ",
        "number": 1, "offset": 0, "length": 1, "attempt": 1,
    });
    // The run of the first is not there any more: there is nothing to do. The second is no message of ours.
    let event = json!({ "Records": [message("gone", &ended.to_string()), message("garbage", "{")] });
    let answer = lambda.fleet.invoke("eval-worker", event).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([{ "itemIdentifier": "garbage" }]));
}
