//! Functions that fail, processes that die, hang or never come up.

use super::*;

/// Notes its start, complains and ends.
const FAILING: &str = r#"echo started >> "$MARK"; echo "no table" >&2; exit 1"#;

#[tokio::test]
async fn an_error_of_the_function_leaves_the_sandbox_as_it_is() {
    let scene = Scene::new(SLEEPER, 1);
    let process = scene.process().await;
    let pids = scene.function.pids();
    let failing = async {
        let (id, _) = process.next().await;
        process.post(&id, "error", json!({ "errorType": "Refused", "errorMessage": "not today" })).await;
    };
    let (answer, ()) = join!(scene.function.invoke(json!(1)), failing);
    assert_eq!(answer.unwrap_err().to_string(), "the function failed: Refused: not today");
    assert_eq!(join!(scene.function.invoke(json!(2)), process.respond(json!(3))).0, Ok(json!(3)));
    assert_eq!(scene.function.pids(), pids);
}

#[tokio::test]
async fn a_sandbox_that_dies_in_the_midst_fails_its_event_and_is_started_for_the_next() {
    let scene = Scene::new(&format!("echo dying >&2; {SLEEPER}"), 1);
    let process = scene.process().await;
    let pids = scene.function.pids();
    let dying = async {
        process.next().await;
        scene.function.kill_one(0).await;
    };
    let (answer, ()) = join!(scene.function.invoke(json!(1)), dying);
    assert_eq!(answer, Err(InvokeError::Died("dying".to_owned())));
    assert_eq!(scene.function.pids(), [None]);

    let again = async { scene.process().await.respond(json!(3)).await };
    assert_eq!(join!(scene.function.invoke(json!(2)), again), (Ok(json!(3)), json!(2)));
    assert!(scene.function.pids()[0].is_some() && scene.function.pids() != pids);
}

#[tokio::test]
async fn a_dead_sandbox_stays_dead_while_another_is_free() {
    let scene = Scene::new(r#"echo "$$ $AWS_LAMBDA_RUNTIME_API"; exec sleep 1000"#, 2);
    let lines = scene.function.lines.wait(2).await;
    let survivor = scene.function.pids()[1].unwrap();
    scene.function.kill_one(0).await;
    let address = lines.iter().find_map(|line| line.strip_prefix(&format!("{survivor} "))).unwrap();
    let process = Process::new(address);
    let (answer, _) = join!(scene.function.invoke(json!(1)), process.respond(json!(2)));
    assert_eq!((answer, scene.function.pids()), (Ok(json!(2)), vec![None, Some(survivor)]));
}

#[tokio::test]
async fn who_does_not_answer_in_time_is_killed() {
    // Long enough for the event to arrive first on a machine that is busy.
    let patience = Duration::from_secs(2);
    let scene = Scene::with(SLEEPER, 1, 1, patience);
    let process = scene.process().await;
    let (answer, _) = join!(scene.function.invoke(json!(1)), process.next());
    assert_eq!(answer, Err(InvokeError::TimedOut(patience)));
    assert_eq!(scene.function.pids(), [None]);
}

#[tokio::test]
async fn a_function_whose_sandboxes_never_start_fails_with_what_they_say() {
    let scene = Scene::new(FAILING, 2);
    for _ in 0..2 {
        let Err(InvokeError::InitFailed(said)) = scene.function.invoke(json!(1)).await else {
            panic!("it did not fail to start");
        };
        assert!(said.contains("ended before it asked") && said.ends_with("no table"), "{said}");
    }
    assert_eq!(scene.starts(), 6);
}

#[tokio::test]
async fn a_start_that_fails_is_tried_again_for_an_event() {
    let script = format!(r#"[ -e "$MARK" ] || {{ {FAILING}; }}; {SLEEPER}"#);
    let scene = Scene::new(&script, 1);
    let process = async { scene.process().await.respond(json!(2)).await };
    assert_eq!(join!(scene.function.invoke(json!(1)), process), (Ok(json!(2)), json!(1)));
    assert_eq!(scene.starts(), 1);
}

#[tokio::test]
async fn who_is_killed_before_it_asks_for_an_event_did_not_fail_to_start() {
    let scene = Scene::new(SLEEPER, 1);
    let killing = async {
        for _ in 0..4 {
            scene.process().await;
            assert!(scene.function.kill_one(0).await);
        }
        scene.process().await.respond(json!(2)).await
    };
    let both = async { join!(scene.function.invoke(json!(1)), killing) };
    let answered = tokio::time::timeout(Duration::from_secs(30), both).await;
    assert_eq!(answered.expect("it goes on"), (Ok(json!(2)), json!(1)));
}

#[tokio::test]
async fn where_nothing_runs_nothing_is_killed() {
    let scene = Scene::new(SLEEPER, 1);
    scene.process().await;
    let (first, second) = join!(scene.function.kill_one(0), scene.function.kill_one(0));
    assert!(first && !second, "both met the same process");
    assert!(!scene.function.kill_one(0).await && !scene.function.kill_one(1).await);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let settings = Settings {
        program: "/nowhere/bootstrap".into(),
        name: "resolve".to_owned(),
        environment: Vec::new(),
        sandboxes: 1,
        concurrency: 1,
        timeout: Duration::from_secs(1),
    };
    let failed = Function::start(settings).invoke(json!(1)).await.unwrap_err().to_string();
    assert!(failed.contains("no sandbox starts: /nowhere/bootstrap: "), "{failed}");
}

#[tokio::test]
async fn stopping_ends_the_processes_and_fails_what_waits() {
    let scene = Scene::new(SLEEPER, 1);
    let process = scene.process().await;
    let stopping = async {
        process.next().await;
        scene.function.stop().await;
    };
    let (busy, waiting, ()) =
        join!(scene.function.invoke(json!(1)), scene.function.invoke(json!(2)), stopping);
    assert_eq!((busy, waiting), (Err(InvokeError::Stopped), Err(InvokeError::Stopped)));
    assert_eq!(scene.function.pids(), [None]);
    assert_eq!(scene.function.invoke(json!(3)).await, Err(InvokeError::Stopped));
}

#[tokio::test]
async fn dropping_ends_the_processes() {
    let scene = Scene::new(SLEEPER, 1);
    let process = scene.process().await;
    let pid = scene.function.pids()[0].unwrap().to_string();
    let _asking = tokio::spawn(async move { process.next().await });
    let runs = || Command::new("kill").args(["-0", &pid]).output().unwrap().status.success();
    assert!(runs());
    drop(scene);
    let gone = async {
        while runs() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
}
