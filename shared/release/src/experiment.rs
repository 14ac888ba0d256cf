//! Starting and stopping experiments.

use cache::ReadAt;
use domain::{
    Environment, Error, ExperimentId, KeyRole, Result, Trial, VersionId,
    allocation::{Variant, arms},
    audit::Action,
    experiment::{Experiment, NewSettings, State, Status},
};
use registry::{Act, Made, settle::Step, version::VersionDetails};
use serde_json::{Value, json};
use store::Change;

use crate::{
    Release,
    moved::{Moved, News, check_reason},
    promote::Promotion,
    trial::{Decided, Field, trial_fact},
};

/// A wish to compare versions.
#[derive(Debug, Clone)]
pub struct NewExperiment {
    /// Where.
    pub environment: Environment,
    /// The arms; the first is what is live there.
    pub variants: Vec<NewVariant>,
    /// How.
    pub settings: NewSettings,
}

/// An arm that is asked for.
#[derive(Debug, Clone)]
pub struct NewVariant {
    /// What it serves.
    pub version_id: VersionId,
    /// Its key; left out, it is A, B, C, … by its place.
    pub key: Option<String>,
    /// Its share of the traffic; left out of all variants, the shares are equal.
    pub traffic_weight: Option<f64>,
}

/// A wish to stop an experiment.
#[derive(Debug, Clone)]
pub struct Stop {
    /// What shall be live; `None`: the control stays.
    pub winner_version_id: Option<VersionId>,
    /// Why.
    pub reason: Option<String>,
}

impl Release {
    /// Starts an experiment. Each version has passed the gate, or nothing is asked of versions there.
    pub async fn start_experiment(
        &self,
        act: &Act,
        address: &str,
        new: &NewExperiment,
    ) -> Result<Made<Experiment>> {
        let registry = &self.registry;
        let attempt = || self.build_experiment(act, address, new);
        let replay = |made: String| async move {
            let id: ExperimentId = made.parse().map_err(Error::internal)?;
            Ok((registry.experiment(&act.caller, id).await?, None))
        };
        let Made { value: (experiment, news), replayed } = registry.settle(act, attempt, replay).await?;
        if let Some(news) = &news {
            self.propagate(news).await;
        }
        Ok(Made { value: experiment, replayed })
    }

    async fn build_experiment(
        &self,
        act: &Act,
        address: &str,
        new: &NewExperiment,
    ) -> Result<Step<(Experiment, Option<News>)>> {
        let field = self.field(&act.caller, address, &new.environment).await?;
        let settings = new.settings.clone().settle(new.variants.len())?;
        let (variants, admitted) = self.admit_all(&field, &new.variants).await?;
        let now = self.registry.sources.now();
        let arms = arms(&variants)?;
        let experiment = Experiment {
            experiment_id: self.registry.sources.id(),
            prompt_id: field.prompt.prompt_id,
            environment: new.environment.clone(),
            state: State::begin(&arms, &settings, now),
            arms,
            settings,
            flags: [].into(),
            status: Status::Active,
            outcome: None,
            winner_version_id: None,
            verdict: None,
            created_by: act.caller.actor.id.clone(),
            started_at: now,
            ended_at: None,
            revision: 1,
        };
        let trial = Trial::from(experiment.clone());
        let mut fact = trial_fact(act, Action::ExperimentStarted, &trial);
        fact.after["settings"] = json!(experiment.settings);
        fact.evidence = admitted.iter().map(|(details, evidence)| json!({ "version_id": details.version.version_id, "admitted_by": evidence })).collect();
        let (mut change, after) = self.begin(act, &field, &trial, fact)?;
        require_states(&mut change, &admitted);
        let news = News { reference: after, read_at: field.read_at };
        Ok(Step::commit(change, (experiment, Some(news))))
    }

    /// The variants with what they serve, and what those but the control were admitted by.
    async fn admit_all(
        &self,
        field: &Field,
        wanted: &[NewVariant],
    ) -> Result<(Vec<Variant>, Vec<(VersionDetails, Value)>)> {
        let (mut variants, mut admitted) = (Vec::new(), Vec::new());
        for (at, variant) in wanted.iter().enumerate() {
            let pointer = format!("/variants/{at}/version_id");
            let details = self.registry.version_of(&field.prompt, &pointer, variant.version_id).await?;
            let is_live = variant.version_id == field.live.version_id;
            if at == 0 && !is_live {
                let detail = format!(
                    "The first variant is the control: {}, which is live in `{}`.",
                    field.live.version_id, field.before.environment
                );
                return Err(Error::invalid(pointer, detail));
            }
            variants.push(Variant {
                key: variant.key.clone(),
                version: details.version.pointer(),
                weight: variant.traffic_weight,
            });
            if !is_live {
                let Field { prompt, before, live, gate, .. } = field;
                let evidence = self.admit(prompt, before, &details, live, gate).await?;
                self.registry.cache.keep_version(&details.version)?;
                admitted.push((details, evidence));
            }
        }
        Ok((variants, admitted))
    }

    /// Stops an experiment. A winner that is named is promoted, if the gate agrees; else the control stays.
    pub async fn stop_experiment(
        &self,
        act: &Act,
        id: ExperimentId,
        stop: &Stop,
    ) -> Result<Made<Experiment>> {
        act.caller.require(KeyRole::Releaser)?;
        check_reason("/reason", stop.reason.as_deref())?;
        let registry = &self.registry;
        let attempt = || self.build_stop(act, id, stop);
        let replay = |_| async move { Ok((registry.experiment(&act.caller, id).await?, None)) };
        let Made { value: (experiment, news), replayed } = registry.settle(act, attempt, replay).await?;
        if let Some(news) = &news {
            self.propagate(news).await;
        }
        Ok(Made { value: experiment, replayed })
    }

    async fn build_stop(
        &self,
        act: &Act,
        id: ExperimentId,
        stop: &Stop,
    ) -> Result<Step<(Experiment, Option<News>)>> {
        let registry = &self.registry;
        let before = registry.experiment(&act.caller, id).await?;
        let winner = stop.winner_version_id;
        if winner.is_some_and(|winner| before.arms.iter().all(|arm| arm.version.id != winner)) {
            let detail =
                "The winner is the version of one of the variants. Leave it out to keep the control.";
            return Err(Error::invalid("/winner_version_id", detail));
        }
        let said = stop.reason.clone().unwrap_or_else(|| "no reason was given".to_owned());
        let reason = format!("{} stopped it: {said}", act.caller.actor.name);
        let stopped = before.stopped(&reason, winner, registry.sources.now())?;
        let (before, after) = (Trial::from(before), Trial::from(stopped.clone()));
        let after = after.after(&before);
        let control = stopped.arms.first().map(|arm| arm.version.id);
        if let Some(winner) = winner.filter(|winner| Some(*winner) != control) {
            let evidence = json!({ "experiment_id": id, "stopped_by": act.caller.actor.id });
            let wish = Promotion {
                version_id: winner,
                environment: stopped.environment.clone(),
                expected_revision: None,
                reason: stop.reason.clone(),
                override_reason: None,
                decided: Some(Decided { after, evidence }),
            };
            let plain = Act::by(act.caller.clone());
            let promoted: Step<(Moved, Option<News>)> =
                Box::pin(self.build_promotion(&plain, stopped.prompt_id, &wish)).await?;
            return promoted.map(|(_, news)| (stopped, news)).once(act, 200, id);
        }
        let (prompt, reference, read_at): (_, _, ReadAt) = self.place_of(&before).await?;
        let place = (&prompt, &reference, read_at);
        let ended = (Action::ExperimentEnded, &after);
        let (change, news) = self.end(act, place, ended, (stop.reason.clone(), Value::Null))?;
        Step::commit(change, (stopped, Some(news))).once(act, 200, id)
    }
}

/// An evaluation that ends meanwhile makes the start look again.
fn require_states(change: &mut Change, admitted: &[(VersionDetails, Value)]) {
    for (at, (details, _)) in admitted.iter().enumerate() {
        let mut before = admitted[..at].iter();
        if !before.any(|(other, _)| other.version.version_id == details.version.version_id) {
            change.require_version_state(&details.state);
        }
    }
}
