//! A candidate beside what is in production, case by case: what is worse is refused, and said by name.

use e2e::text;
use serde_json::{Value, json};

use crate::lab::{Lab, cases, ids_of, members, tally, without};

/// The cases here: below some 45 pairs a comparison is always for a person to look at.
const CASES: usize = 60;

/// Production, `v1`, misses the first five questions.
fn misses(version: &str, number: usize) -> bool {
    match version {
        "v1" => number <= 5,
        "worse" => [1, 2].contains(&number) || (11..=22).contains(&number),
        "close" => number <= 5 || [31, 32].contains(&number),
        "careless" => number == 40,
        _ => false,
    }
}

/// `v1` is live.
async fn live() -> (Lab, Value, Value) {
    let lab = Lab::new(without(misses)).await;
    let mut cases = cases(CASES, 0);
    cases[39]["tags"] = json!(["critical"]);
    let prompt = lab.prompt("compared", &cases).await;
    let v1 = lab.saying(&prompt, "v1").await;
    assert_eq!(lab.finished(&v1).await["gate_result"], "pass");
    lab.world.promote(&prompt, &v1, "production").await.expect(200);
    (lab, prompt, v1)
}

#[tokio::test]
async fn what_improves_passes_beside_production_and_goes_live() {
    let (lab, prompt, v1) = live().await;
    let better = lab.saying(&prompt, "better").await;
    let run = lab.finished(&better).await;
    assert_eq!((&run["gate_result"], &run["baseline_version_id"]), (&json!("pass"), &v1["version_id"]));
    assert_eq!(run["baseline_eval_run_id"], v1["eval_run_id"], "production is not measured again");
    let figures = ["baseline_version_number", "pairs", "regressed", "improved"];
    assert_eq!(members(&run["comparison"], &figures), json!([1, 60, 0, 5]));
    let beside =
        "No case that production passes fails here; 5 improve (compared with version 1 on 60 cases).";
    assert_eq!(run["gate_reasons"][1], beside);
    assert_eq!(lab.provider.calls(), 2 * CASES as u64);
    lab.world.promote(&prompt, &better, "production").await.expect(200);
}

#[tokio::test]
async fn what_regresses_fails_and_every_reader_sees_which_cases() {
    let (lab, prompt, _) = live().await;
    let worse = lab.saying(&prompt, "worse").await;
    let run = lab.finished(&worse).await;
    assert_eq!((&run["gate_result"], lab.status(&worse).await.as_str()), (&json!("fail"), "failed"));
    let regressed: Vec<String> = (11..=22).map(|number| format!("c{number}")).collect();
    let figures = ["pairs", "regressed", "improved", "critical_regressed", "regressed_cases"];
    assert_eq!(members(&run["comparison"], &figures), json!([60, 12, 3, 0, regressed]));
    let reasons = json!([
        "46 of 60 cases pass (76.7 %); the gate asks for 80.0 %.",
        "12 cases that production passes fail here; 3 improve (compared with version 1 on 60 cases).",
        "Regressed: `c11`, `c12`, `c13`, `c14`, `c15` and 7 more.",
        "By chance alone that many would regress in 1.8 % of such runs.",
    ]);
    for reason in reasons.as_array().unwrap() {
        assert!(run["gate_reasons"].as_array().unwrap().contains(reason), "{reason}: {run}");
    }
    assert_eq!(ids_of(&lab.cases(&worse, "?outcome=regressed").await), regressed);
    assert_eq!(ids_of(&lab.cases(&worse, "?outcome=regressed&limit=5").await), regressed[..5]);

    let summary = lab.summary(&worse).await;
    for words in [
        "### Evaluation ❌ failed",
        "| beside version 1 in production | compared | regressed | improved |",
        "\n| | 60 | 12 | 3 | -15.0 % |",
        "| c22 | regressed | expected the output to equal \"question 22\", got \"no\" |\n| c1 | failed |",
    ] {
        assert!(summary.contains(words), "`{words}` is missing:\n{summary}");
    }
    let refused = lab.world.promote(&prompt, &worse, "production").await.refused(409, "gate-failed");
    assert_eq!(ids_of(refused["failing_cases"].as_array().unwrap()), regressed[..10], "regressed ones first");
    assert_eq!(refused["gate_reasons"], run["gate_reasons"]);
}

#[tokio::test]
async fn a_critical_case_that_regresses_fails_alone_and_what_is_unclear_goes_to_a_person() {
    let (lab, prompt, _) = live().await;
    let careless = lab.saying(&prompt, "careless").await;
    let run = lab.finished(&careless).await;
    let figures = ["regressed", "improved", "critical_regressed"];
    assert_eq!(
        (&run["gate_result"], members(&run["comparison"], &figures)),
        (&json!("fail"), json!([1, 5, 1]))
    );
    assert!(run["gate_reasons"].to_string().contains("1 critical case that production passes fails here."));

    let close = lab.saying(&prompt, "close").await;
    let run = lab.finished(&close).await;
    assert_eq!((&run["gate_result"], tally(&run)), (&json!("manual_review"), json!([60, 60, 53, 7, 0])));
    assert!(
        run["gate_reasons"].to_string().contains("For all that 60 cases can tell, it could be worse"),
        "{run}"
    );
    lab.world.promote(&prompt, &close, "production").await.refused(409, "review-needed");
}

#[tokio::test]
async fn nothing_regresses_in_a_run_that_was_compared_with_nothing() {
    let (lab, _, v1) = live().await;
    let run = lab.run(&v1).await;
    assert_eq!(members(&run, &["comparison", "baseline_version_id"]), json!([null, null]));
    let path = format!("/api/evals/{}/cases?outcome=regressed", text(&v1["eval_run_id"]));
    lab.world.admin(e2e::Call::get(path)).await.refused(422, "invalid");
}
