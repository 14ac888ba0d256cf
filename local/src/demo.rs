//! The demo workspace: two teams, six prompts, a labelled test set, loaded once into an empty registry.
//!
//! Each step is left out when it was done before. A marker in the data folder stands from before the first step until
//! after the last, so that a loading that was killed half-way is taken up again by the next start.

mod workspace;

use std::{fs, io, path::PathBuf, time::Duration};

use domain::{
    Caller, Environment, Error, ErrorKind, EvalStatus, KeyRole, Prompt, Result, TeamId, TestSetId, VersionId,
    gate::GateMode, test_set::Format,
};
use registry::{Registry, prompt::NewPrompt};
use release::{Promotion, Release};
use store::{Act, PageRequest};

use self::workspace::{DemoPrompt, TEST_SET};
use crate::{Output, Platform};

/// The prompt to begin with.
pub(crate) const CLASSIFIER: &str = "support/ticket-classifier";

/// The longest wait for the verdict of the version that goes to production.
const PATIENCE: Duration = Duration::from_mins(1);

/// Loads the workspace when the registry is empty, or when an earlier loading did not come to its end.
pub async fn load(platform: &Platform, output: Output) -> Result<()> {
    let demo = Demo::new(platform, output);
    if !demo.marker.exists() && !demo.registry().teams(&demo.act.caller).await?.is_empty() {
        return Ok(());
    }
    fs::write(&demo.marker, "").map_err(Error::internal)?;
    demo.load().await?;
    match fs::remove_file(&demo.marker) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::internal(error)),
        _ => Ok(()),
    }
}

struct Demo {
    release: Release,
    act: Act,
    output: Output,
    marker: PathBuf,
}

impl Demo {
    fn new(platform: &Platform, output: Output) -> Self {
        let mut caller = Caller::system("demo workspace");
        // Only an admin may give a prompt a gate that is weaker than the default.
        caller.actor.role = KeyRole::Admin;
        Self {
            release: platform.release().clone(),
            act: Act::by(caller),
            output,
            marker: platform.folder().join("demo-loading"),
        }
    }

    fn registry(&self) -> &Registry {
        &self.release.registry
    }

    async fn load(&self) -> Result<()> {
        let prompts = workspace::prompts()?;
        self.output.say("Loading the demo workspace");
        for demo in &prompts {
            let prompt = self.prompt(demo).await?;
            self.versions(&prompt, demo).await?;
            self.output.say(&format!("  {}: {} versions", demo.address(), demo.versions.len()));
        }
        // Production comes last, because there the gate waits for evaluations.
        for production in [false, true] {
            for demo in &prompts {
                for (environment, numbers) in &demo.live {
                    if environment.is_production() == production {
                        self.go_live(demo, environment, numbers).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn prompt(&self, demo: &DemoPrompt) -> Result<Prompt> {
        match self.registry().prompt(&self.act.caller, &demo.address()).await {
            Err(error) if error.kind() == ErrorKind::NoSuchPrompt => {}
            found => return found,
        }
        let test_set_id = match &demo.test_set {
            Some(name) => Some(self.test_set(&demo.team_id, name).await?),
            None => None,
        };
        let new = NewPrompt {
            name: demo.name.clone(),
            team_id: demo.team_id.clone(),
            description: Some(demo.description.clone()),
            tags: demo.tags.clone(),
            test_set_id,
            gate: demo.gate,
        };
        Ok(self.registry().create_prompt(&self.act, new).await?.value.prompt)
    }

    async fn test_set(&self, team: &TeamId, name: &str) -> Result<TestSetId> {
        let registry = self.registry();
        let sets = registry.test_sets(&self.act.caller, team, &PageRequest::first(100)).await?;
        let set = match sets.data.into_iter().find(|set| set.name == name) {
            Some(set) => set,
            None => registry.create_test_set(&self.act, team, name).await?.value,
        };
        if set.newest_version == 0 {
            registry
                .put_cases(&self.act, set.test_set_id, Format::Jsonl, TEST_SET.as_bytes().to_vec())
                .await?;
        }
        Ok(set.test_set_id)
    }

    async fn versions(&self, prompt: &Prompt, demo: &DemoPrompt) -> Result<()> {
        let written = prompt.newest_version.map_or(0, |newest| newest.number as usize);
        for version in demo.versions.iter().skip(written) {
            self.registry().create_version(&self.act, &demo.address(), &version.draft()?).await?;
        }
        Ok(())
    }

    /// Makes the versions live one after the other, so that the last has one to be rolled back to.
    async fn go_live(&self, demo: &DemoPrompt, environment: &Environment, numbers: &[u32]) -> Result<()> {
        let address = demo.address();
        let prompt = self.registry().prompt(&self.act.caller, &address).await?;
        let (gate, _) = self.registry().gate_of(&prompt).await?;
        let reference = self.registry().store.reference(prompt.prompt_id, environment).await?;
        let live = reference.and_then(|reference| reference.version).map(|live| live.number);
        for &number in still_to_come(numbers, live) {
            let version = self.registry().store.version(prompt.prompt_id, number).await?;
            let version = version.ok_or_else(|| Error::not_found("version"))?.version_id;
            if environment.is_production()
                && gate.mode == GateMode::Required
                && !self.has_passed(&address, number, version).await?
            {
                return Ok(());
            }
            let wish = Promotion {
                version_id: version,
                environment: environment.clone(),
                expected_revision: None,
                reason: Some("demo workspace".to_owned()),
                override_reason: None,
                decided: None,
            };
            self.release.promote(&self.act, &address, &wish).await?;
        }
        Ok(())
    }

    async fn has_passed(&self, address: &str, number: u32, version: VersionId) -> Result<bool> {
        self.output.say(&format!("  {address}: evaluating version {number} before production"));
        let decided = self.registry().version_when_decided(&self.act.caller, version, PATIENCE).await?;
        let status = decided.state.eval_status;
        let said = match status {
            EvalStatus::Passed => "passed, goes to production",
            EvalStatus::Pending => "no verdict yet, stays in staging",
            EvalStatus::None | EvalStatus::Failed | EvalStatus::ManualReview => {
                "did not pass, stays in staging"
            }
        };
        self.output.say(&format!("  {address}: version {number} {said}"));
        Ok(status == EvalStatus::Passed)
    }
}

/// The numbers after the one that is live. What somebody else made live stays so.
fn still_to_come(numbers: &[u32], live: Option<u32>) -> &[u32] {
    let Some(live) = live else { return numbers };
    let place = numbers.iter().position(|&number| number == live);
    place.map_or(&[], |place| &numbers[place + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loading_goes_on_where_it_was_cut_off_and_moves_nothing_back() {
        assert_eq!(still_to_come(&[1, 2], None), [1, 2]);
        assert_eq!(still_to_come(&[1, 2], Some(1)), [2]);
        assert!(still_to_come(&[1, 2], Some(2)).is_empty());
        assert!(still_to_come(&[1, 2], Some(3)).is_empty());
    }
}
