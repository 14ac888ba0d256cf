//! What a person is told once the platform serves: where, with which key, and three commands to begin with.

use domain::{Caller, Environment, Error, ErrorKind, PromptId, Result, STAGING};

use crate::{Output, Platform, demo};

/// The team and the prompt that the commands are about when there is no demo workspace.
const PLAYGROUND: (&str, &str) = ("playground", "hello");

/// Says where the platform is and how to begin.
pub(crate) async fn show(platform: &Platform, output: Output) -> Result<()> {
    output.say(&format!(
        "\nCuecard listens on {}\n\
         \x20 console    {}/console\n\
         \x20 admin key  {}\n\
         \x20 data       {} (without Object Lock: on AWS the audit is locked against changes)\n\
         \n\
         Try:",
        platform.url(),
        platform.url(),
        platform.admin_key(),
        platform.folder().display(),
    ));
    for command in commands(platform).await? {
        output.say(&format!("  {command}"));
    }
    output.say("\nCtrl-C ends it; the data stays.");
    Ok(())
}

/// Three commands that work when pasted, on what is there now.
async fn commands(platform: &Platform) -> Result<[String; 3]> {
    let url = platform.url();
    let key = format!("-H 'Authorization: Bearer {}'", platform.admin_key().replace('\'', r"'\''"));
    let list = format!("curl -s {url}/api/prompts {key}");
    if let Some(prompt_id) = demo_prompt(platform).await? {
        return Ok([
            list,
            format!(
                "curl -s -G {url}/api/resolve/{prompt_id} {key} -d env={STAGING} \
                 --data-urlencode 'variables={{\"message\": \"I was charged twice this month.\"}}'"
            ),
            format!("curl -s {url}/api/prompts/{prompt_id}/history {key}"),
        ]);
    }
    let (team, name) = PLAYGROUND;
    let third = match platform.release().registry.prompt(&caller(), &format!("{team}/{name}")).await {
        Ok(prompt) => format!("curl -s {url}/api/prompts/{} {key}", prompt.prompt_id),
        Err(error) if error.kind() == ErrorKind::NoSuchPrompt => format!(
            "curl -s {url}/api/prompts {key} -H 'Content-Type: application/json' \
             -d '{{\"team_id\": \"{team}\", \"name\": \"{name}\"}}'"
        ),
        Err(error) => return Err(error),
    };
    Ok([format!("curl -s {url}/healthz"), list, third])
}

/// The classifier of the demo workspace, when it is there and in staging.
async fn demo_prompt(platform: &Platform) -> Result<Option<PromptId>> {
    let staging: Environment = STAGING.parse().map_err(Error::internal)?;
    match platform.release().reference(&caller(), demo::CLASSIFIER, &staging).await {
        Ok(reference) => {
            let live = reference.version.is_some() && !reference.archived;
            Ok(live.then_some(reference.prompt_id))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NoSuchPrompt | ErrorKind::NotLive) => Ok(None),
        Err(error) => Err(error),
    }
}

fn caller() -> Caller {
    Caller::system("banner")
}
