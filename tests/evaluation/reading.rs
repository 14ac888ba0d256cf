//! A run as people read it: case by case, as Markdown, as a table, among others.

use e2e::{Call, text};
use serde_json::{Value, json};
use testkit::provider::Reply;

use crate::lab::{Lab, cases, echo, members, run_path};

fn ids(cases: &[Value]) -> Vec<&str> {
    cases.iter().map(|case| text(&case["case_id"])).collect()
}

#[tokio::test]
async fn cases_are_listed_by_outcome_page_by_page() {
    let lab = Lab::new(|call| match call.user() {
        "question 3" => Reply::Status(400, None),
        _ => echo(call),
    })
    .await;
    let version = lab.version("listed", &cases(7, 5)).await;
    lab.finished(&version).await;
    assert_eq!(ids(&lab.cases(&version, "?outcome=passed").await), ["c1", "c2", "c4", "c5", "c6", "c7"]);
    assert_eq!(ids(&lab.cases(&version, "?outcome=errored").await), ["c3"]);
    assert_eq!(lab.cases(&version, "").await.len(), 12);

    let mut failed = Vec::new();
    let mut path = run_path(&version, "/cases?outcome=failed&limit=2");
    let mut pages = 0;
    loop {
        let page = lab.get(&path).await;
        failed.extend(page["data"].as_array().unwrap().iter().map(|case| text(&case["case_id"]).to_owned()));
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = run_path(&version, &format!("/cases?outcome=failed&limit=2&cursor={cursor}"));
    }
    assert_eq!(failed, ["c8", "c9", "c10", "c11", "c12"]);
    assert!(pages >= 3, "{pages}");

    for outcome in ["regressed", "none"] {
        let path = run_path(&version, &format!("/cases?outcome={outcome}"));
        let refused = lab.world.admin(Call::get(path)).await.refused(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], "/outcome");
    }
}

#[tokio::test]
async fn a_long_output_is_kept_whole() {
    let long = "naïve – ".repeat(4000);
    let answer = long.clone();
    let lab = Lab::new(move |_| Reply::Answer(answer.clone())).await;
    let version = lab.version("long", &cases(1, 0)).await;
    lab.finished(&version).await;
    let case = lab.cases(&version, "").await[0].clone();
    assert_eq!((&case["outcome"], text(&case["output"])), (&json!("failed"), long.as_str()));
    let csv = lab.world.admin(Call::get(run_path(&version, "/cases.csv"))).await.text();
    assert!(csv.contains("naïve – naïve") && csv.len() < long.len(), "a table shows the beginning alone");
}

#[tokio::test]
async fn the_summary_and_the_table_say_what_happened_and_carry_no_code() {
    let lab = Lab::new(echo).await;
    let case = |id: &str, message: &str| json!({ "case_id": id, "vars": { "message": message }, "expected": "fine" });
    let picture = case("c4", "![x](https://example.com/x.png) @all");
    let cases = [case("c1", "fine"), case("a|b <b>", "=1+1"), case("quoted \"c\"", "two\nlines"), picture];
    let version = lab.version("summary", &cases).await;
    let waiting = lab.world.admin(Call::get(run_path(&version, "/summary"))).await;
    assert!(waiting.text().starts_with("### Evaluation ⏳ running"), "{}", waiting.text());
    lab.finished(&version).await;

    let summary = lab.world.admin(Call::get(run_path(&version, "/summary"))).await;
    assert_eq!(
        (summary.status.as_u16(), summary.header("content-type")),
        (200, "text/markdown; charset=utf-8")
    );
    let summary = summary.text();
    for words in [
        "### Evaluation ❌ failed",
        "- 1 of 4 cases pass (25.0 %); the gate asks for 80.0 %.",
        "| 1 | test/model |",
        " v1 | 4 | 1 | 3 | 0 | 0 ms | $0 |",
        "| a\\|b &lt;b> | failed | expected the output to equal \"fine\", got \"=1+1\" |",
        "got \"!&#91;x](https:&#47;&#47;example.com/x.png) &#64;all\" |",
    ] {
        assert!(summary.contains(words), "`{words}` is missing:\n{summary}");
    }
    assert!(!summary.contains("| c1 |"), "what passed is not listed");

    let csv = lab.world.admin(Call::get(run_path(&version, "/cases.csv"))).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let csv = csv.text();
    let begins = "case_id,outcome,score,critical,latency_ms,input_tokens,output_tokens,cost_usd,why,output\r\n\
        \"c1\",passed,1,false,0,1,1,0,\"\",\"fine\"\r\n";
    assert!(csv.starts_with(begins), "{csv}");
    assert!(csv.contains(",\"'=1+1\"\r\n"), "a spreadsheet must not run it: {csv}");
    assert!(csv.contains("\"quoted \"\"c\"\"\",failed,0,") && csv.contains(",\"two\nlines\"\r\n"), "{csv}");
}

#[tokio::test]
async fn runs_are_found_by_prompt_and_by_where_they_stand() {
    let lab = Lab::new(echo).await;
    let done = lab.version("done", &cases(2, 0)).await;
    lab.finished(&done).await;
    let queued = lab.version("queued", &cases(2, 0)).await;
    let running = lab.version("running", &cases(2, 0)).await;
    let stopped = lab.version("stopped", &cases(2, 0)).await;
    lab.post(&run_path(&stopped, "/cancel"), &json!({}), 200).await;

    let listed = async |path: String| {
        let listed = lab.get(&path).await;
        let data = listed["data"].as_array().unwrap();
        data.iter().map(|run| text(&run["eval_run_id"]).to_owned()).collect::<Vec<_>>()
    };
    let with = async |status: &str| listed(format!("/api/evals?status={status}")).await;
    let id = |version: &Value| text(&version["eval_run_id"]).to_owned();
    assert_eq!(with("queued").await, [id(&running), id(&queued)], "newest first");
    assert_eq!((with("completed").await, with("cancelled").await), (vec![id(&done)], vec![id(&stopped)]));
    lab.world.step_stream().await;
    assert_eq!(with("running").await, [id(&running), id(&queued)]);
    assert!(with("queued").await.is_empty() && with("errored").await.is_empty());

    let prompt = format!("/api/prompts/{}/evals", text(&done["prompt_id"]));
    assert_eq!(listed(prompt).await, [id(&done)]);
    let author = lab.world.key("growth", "author").await;
    let foreign = lab.world.call(Call::get("/api/evals?status=completed").key(&author)).await.expect(200);
    assert_eq!(members(&foreign, &["data"]), json!([[]]), "another team sees none of it");
    for path in ["", "/cases", "/cases.csv", "/summary"] {
        lab.world.call(Call::get(run_path(&done, path)).key(&author)).await.refused(404, "not-found");
    }
}
