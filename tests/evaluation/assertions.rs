//! Every type of assertion, through a whole run: from the line of a test set to the outcome of its case.

use serde_json::{Value, json};

use crate::lab::{Lab, echo, tally};

/// An assertion, an output, and whether the one holds for the other.
fn each_type() -> Vec<(Value, &'static str, bool)> {
    let schema =
        json!({ "type": "object", "required": ["label"], "properties": { "label": { "enum": ["a", "b"] } } });
    vec![
        (json!({ "type": "equals", "value": "Refund" }), "Refund", true),
        (json!({ "type": "equals", "value": "Refund" }), "Refund.", false),
        (json!({ "type": "equals", "value": { "a": [1, 2] } }), "{\"a\": [1, 2]}", true),
        (json!({ "type": "contains", "value": "fun" }), "Refund", true),
        (json!({ "type": "contains", "value": "FUN" }), "Refund", false),
        (json!({ "type": "icontains", "value": "FUN" }), "Refund", true),
        (json!({ "type": "icontains", "value": "loss" }), "Refund", false),
        (json!({ "type": "starts-with", "value": "Re" }), "Refund", true),
        (json!({ "type": "starts-with", "value": "fund" }), "Refund", false),
        (json!({ "type": "regex", "value": "^[A-Z][a-z]+$" }), "Refund", true),
        (json!({ "type": "regex", "value": "^[A-Z][a-z]+$" }), "refund", false),
        (json!({ "type": "is-json" }), "{\"label\": 1}", true),
        (json!({ "type": "is-json" }), "label", false),
        (json!({ "type": "is-json", "value": schema.clone() }), "{\"label\": \"a\"}", true),
        (json!({ "type": "is-json", "value": schema }), "{\"label\": \"c\"}", false),
    ]
}

fn case(id: &str, output: &str, rest: &Value) -> Value {
    let mut case = json!({ "case_id": id, "vars": { "message": output } });
    case.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    case
}

#[tokio::test]
async fn each_type_and_its_negation_decides_the_outcome_of_its_case() {
    let mut cases = Vec::new();
    for (number, (assertion, output, holds)) in each_type().into_iter().enumerate() {
        let mut negated = assertion.clone();
        negated["type"] = json!(format!("not-{}", assertion["type"].as_str().unwrap()));
        let outcome = |holds: bool| if holds { "passed" } else { "failed" };
        for (assertion, holds) in [(assertion, holds), (negated, !holds)] {
            let id = format!("{} {} {number}", outcome(holds), assertion["type"].as_str().unwrap());
            cases.push(case(&id, output, &json!({ "assert": [assertion] })));
        }
    }
    let lab = Lab::new(echo).await;
    let version = lab.version("types", &cases).await;
    let run = lab.finished(&version).await;
    assert_eq!(tally(&run), json!([30, 30, 15, 15, 0]));
    for found in lab.cases(&version, "").await {
        let id = found["case_id"].as_str().unwrap();
        assert_eq!(found["outcome"], id.split(' ').next().unwrap(), "{found}");
        assert_eq!(found["assertions"][0]["type"], id.split(' ').nth(1).unwrap());
    }
}

#[tokio::test]
async fn weights_thresholds_and_expected_make_the_score_of_a_case() {
    let three = json!([
        { "type": "contains", "value": "a", "weight": 7 },
        { "type": "contains", "value": "b", "metric": "tone" },
        { "type": "contains", "value": "z", "weight": 2 },
    ]);
    let shown =
        json!([{ "type": "contains", "value": "a" }, { "type": "contains", "value": "z", "weight": 0 }]);
    let cases = [
        case("all must hold", "ab", &json!({ "assert": three })),
        case("reached", "ab", &json!({ "assert": three, "threshold": 0.8 })),
        case("not reached", "ab", &json!({ "assert": three, "threshold": 0.81 })),
        case("weight 0 is shown", "a", &json!({ "assert": shown })),
        case("expected", "  yes\n", &json!({ "expected": "yes " })),
        case("expected otherwise", "yes", &json!({ "expected": "Yes" })),
        case(
            "expected for readers",
            "yes",
            &json!({ "expected": "no", "assert": [{ "type": "contains", "value": "yes" }] }),
        ),
    ];
    let lab = Lab::new(echo).await;
    let version = lab.version("scores", &cases).await;
    let run = lab.finished(&version).await;
    let found = lab.cases(&version, "").await;
    let seen: Vec<_> =
        found.iter().map(|case| json!([case["case_id"], case["outcome"], case["score"]])).collect();
    assert_eq!(
        json!(seen),
        json!([
            ["all must hold", "failed", 0.8],
            ["reached", "passed", 0.8],
            ["not reached", "failed", 0.8],
            ["weight 0 is shown", "passed", 1.0],
            ["expected", "passed", 1.0],
            ["expected otherwise", "failed", 0.0],
            ["expected for readers", "passed", 1.0],
        ])
    );
    let assertion = |case: usize, place: usize| found[case]["assertions"][place].clone();
    assert_eq!(
        assertion(0, 1),
        json!({ "type": "contains", "metric": "tone", "passed": true, "score": 1.0, "weight": 1.0, "reason": "as expected" })
    );
    assert_eq!(
        assertion(0, 2)["reason"],
        "expected the output to contain \"z\", got \"ab\"",
        "what fails says why"
    );
    assert_eq!((&assertion(3, 1)["passed"], &assertion(3, 1)["score"]), (&json!(true), &json!(0.0)));
    let average = run["avg_score"].as_f64().unwrap();
    assert!((average - (3.0 * 0.8 + 3.0) / 7.0).abs() < 1e-9, "{average}");
}
