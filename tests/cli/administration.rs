//! Profiles, keys, models, metrics, the audit, the doctor, completions.

use std::os::unix::fs::PermissionsExt as _;

use e2e::ADMIN;

use crate::stage::{Stage, tree};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_keeps_the_key_for_its_owner_alone_and_never_shows_it() {
    let stage = Stage::empty().await;
    let url = stage.platform.url();
    let run = async |arguments: &[&str], environment: &[(&str, &str)]| {
        let output = stage.program(arguments, environment).output().await.unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!said.contains(ADMIN), "the key is shown: {said}");
        (output.status.code().unwrap(), said)
    };
    let (code, said) = run(&["prompts", "list"], &[("CUECARD_URL", url)]).await;
    assert_eq!(code, 5, "{said}");
    let wrong = run(&["login", "--url", url, "--api-key", "cue_no_body"], &[]).await;
    assert_eq!(wrong.0, 5, "{}", wrong.1);
    let (code, said) = run(&["login", "--url", url], &[("CUECARD_API_KEY", ADMIN)]).await;
    assert_eq!(code, 0, "{said}");
    let file = stage.path("home/.config/cuecard/profiles.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(run(&["prompts", "list"], &[]).await.0, 0, "the profile knows where and who");
    // A key goes to its own place only, whatever else is said.
    let (code, said) = run(&["prompts", "list", "--url", &url.replace("127.0.0.1", "localhost")], &[]).await;
    assert_eq!(code, 5, "{said}");
    let (code, said) = run(&["prompts", "list", "--profile", "other"], &[]).await;
    assert!(code == 2 && said.contains("There is no profile `other`"), "{said}");

    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = run(&["prompts", "list"], &[]).await;
    assert!(code == 1 && said.contains("chmod 600"), "{said}");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(run(&["login", "--forget"], &[]).await.0, 0);
    assert!(!std::fs::read_to_string(&file).unwrap().contains("cue_"));
    let (_, help) = run(&["--help"], &[("CUECARD_API_KEY", ADMIN)]).await;
    assert!(help.contains("Exit codes:"), "{help}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_login_keeps_and_forgets_nothing() {
    let stage = Stage::empty().await;
    let file = stage.path("home/.config/cuecard/profiles.json");
    let (login, forget) = (["login", "--profile", "a"], ["login", "--profile", "a", "--forget"]);
    let said = stage.run(&[&login[..], &["--dry-run"]].concat()).await;
    assert!(said.stdout.starts_with("Would keep the key in profile `a`"), "{}{}", said.stdout, said.stderr);
    assert!(said.code == 0 && !file.exists());
    stage.fields(&login).await;
    let kept = std::fs::read(&file).unwrap();
    let said = stage.run(&[&forget[..], &["--dry-run"]].concat()).await;
    assert_eq!((said.code, said.stdout.as_str()), (0, "Would forget profile `a` and its key.\n"));
    assert_eq!(std::fs::read(&file).unwrap(), kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_that_are_asked_for_of_nobody_are_refused() {
    let stage = Stage::empty().await;
    stage.fields(&["prompts", "create", "support/greeting"]).await;
    for (arguments, advice) in [
        (&["--from", "30d"][..], "--of-team"),
        (&["--to", "1d"][..], "--of-team"),
        (&["--bucket", "day"][..], "--of-team"),
        (&["--group-by", "version"][..], "<PROMPT>"),
        (&["--of-team", "support", "--group-by", "version"][..], "cannot be used with"),
        (&["--of-team", "support", "--bucket", "hour"][..], "day"),
        (&["support/greeting", "--of-team", "support"][..], "cannot be used with"),
    ] {
        let said = stage.run(&[&["metrics"][..], arguments].concat()).await;
        assert!(said.code == 2 && said.stderr.contains(advice), "{arguments:?}: {}", said.stderr);
    }
    stage.fields(&["metrics", "--of-team", "support", "--bucket", "day", "--from", "30d"]).await;
    let of_prompt = ["metrics", "support/greeting", "--group-by", "version", "--from", "2d", "--to", "1d"];
    stage.fields(&of_prompt).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_made_and_its_secret_replaced_until_it_is_deleted() {
    let mut stage = Stage::empty().await;
    let url = "https://hooks.example.com/cuecard";
    let create = ["webhooks", "create", url, "--on", "promotion,rollback", "--of-team", "support"];
    let made = stage.fields(&create).await;
    let id = made["webhook_id"].as_str().unwrap().to_owned();
    stage.shows(&["webhooks", "list", "--of-team", "support"], 0).await;
    stage.shows(&["webhooks", "rotate", &id], 0).await;
    stage.shows(&["webhooks", "delete", &id], 0).await;
    stage.shows(&["webhooks", "list", "--of-team", "support"], 0).await;
    for (url, on, advice) in [
        ("http://hooks.example.com", "promotion", "begins with https://"),
        ("https://hooks.example.com", "promoted", "promoted"),
    ] {
        let said = stage.run(&["webhooks", "create", url, "--on", on, "--of-team", "support"]).await;
        assert!(said.code == 2 && said.stderr.contains(advice), "{url}: {}", said.stderr);
    }
    insta::assert_snapshot!(stage.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_models_metrics_audit_and_doctor() {
    let mut stage = Stage::empty().await;
    let made =
        stage.fields(&["keys", "create", "support-ci", "--role", "author", "--of-team", "support"]).await;
    let id = made["key_id"].as_str().unwrap().to_owned();
    stage.shows(&["keys", "list", "--of-team", "support"], 0).await;
    stage.shows(&["keys", "rotate", &id], 0).await;
    stage.shows(&["keys", "revoke", &id], 2).await;
    stage.shows(&["keys", "revoke", &id, "--yes"], 0).await;
    let set = ["models", "set", "gpt-x", "--provider", "openai", "--input", "0.15", "--output-price", "0.60"];
    stage.shows(&[&set[..], &["--secret", "OPENAI_API_KEY"]].concat(), 0).await;
    let models = stage.fields(&["models", "list"]).await;
    assert!(models["data"].as_array().unwrap().iter().any(|model| model["model_id"] == "gpt-x"));
    stage.fields(&["prompts", "create", "support/greeting"]).await;
    stage.shows(&["metrics"], 0).await;
    stage.shows(&["metrics", "support/greeting", "--from", "2d", "--bucket", "day"], 0).await;
    stage.shows(&["metrics", "--of-team", "support"], 0).await;
    stage.shows(&["audit", "list", "support/greeting"], 0).await;
    stage.shows(&["audit", "list", "--of-team", "support"], 0).await;
    stage.shows(&["audit", "export", "--to", "audit.jsonl"], 0).await;
    stage.shows(&["audit", "verify", "audit.jsonl"], 0).await;
    let altered = stage.text("audit.jsonl").replace("support-ci", "support-cj");
    stage.put("altered.jsonl", &altered);
    stage.shows(&["audit", "verify", "altered.jsonl"], 1).await;
    let kept = tree(&stage.platform.folder().join("objects/cuecard/audit/checkpoints"));
    stage.put("first.json", &kept[0].1);
    stage.shows(&["audit", "verify", "audit.jsonl", "--checkpoint", "first.json"], 0).await;
    let whole = stage.text("audit.jsonl");
    let part: Vec<_> = whole.lines().filter(|line| !line.contains(r#""chain":"team:*""#)).collect();
    stage.put("part.jsonl", &part.join("\n"));
    stage.shows(&["audit", "verify", "part.jsonl"], 0).await;
    stage.shows(&["audit", "verify", "part.jsonl", "--checkpoint", "first.json"], 1).await;
    stage.shows(&["audit", "verify", "part.jsonl", "--partial", "--checkpoint", "first.json"], 0).await;
    assert_eq!(stage.run(&["audit", "verify", "part.jsonl", "--checkpoint", "part.jsonl"]).await.code, 2);
    stage.shows(&["doctor"], 0).await;
    insta::assert_snapshot!(stage.transcript());

    let (url, key) = (stage.platform.url().to_owned(), ("CUECARD_API_KEY", ADMIN));
    stage.platform.stop().await;
    // The audit is verified where there is no platform at all.
    let folder = tempfile::TempDir::new().unwrap();
    let program = e2e::bootstrap("cuecard", e2e::Profile::Dev);
    let run = async |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(&program);
        let command = command.args(arguments).env_clear().env("HOME", folder.path()).envs([key]);
        command.env("CUECARD_URL", &url).output().await.unwrap()
    };
    for arguments in [&["doctor"][..], &["prompts", "list"]] {
        let output = run(arguments).await;
        assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).await.stdout;
        assert!(String::from_utf8(script).unwrap().contains("rollback"), "{shell}");
    }
}
