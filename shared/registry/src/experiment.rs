//! Experiments as people read them.

use domain::{
    Caller, Error, ExperimentId, Prompt, Result, Trial,
    experiment::{
        Experiment, Tick,
        estimate::{Estimate, Noise},
        evidence,
        posterior::{Figure, posteriors},
        tick,
    },
    trial::{TrialId, Weights},
};
use store::{Page, PageRequest, TrialKind};

use crate::{Registry, observing::observed};

/// An experiment, with what its counters say now.
#[derive(Debug, Clone)]
pub struct ExperimentDetails {
    /// It, and what becomes of it at the next tick, at the latest.
    pub tick: Tick,
    /// Its arms, the control first.
    pub arms: Vec<ArmDetails>,
}

/// What is known of an arm.
#[derive(Debug, Clone)]
pub struct ArmDetails {
    /// How many resolves were heard of.
    pub exposures: i64,
    /// How many answers there are in the primary metric.
    pub feedback: i64,
    /// What can be expected of it, by all its answers.
    pub figure: Option<Figure>,
    /// How much better than the control it was observed to be, in the unit in which the metric is counted, and
    /// how much it is at least, however often one looks. `None` for the control.
    pub lift: Option<(f64, f64)>,
}

impl Registry {
    /// A trial by its id with its prompt, if the caller may see it.
    pub async fn trial_in_prompt(&self, caller: &Caller, id: TrialId) -> Result<(Prompt, Trial)> {
        let missing =
            || Error::not_found(if matches!(id, TrialId::Rollout(_)) { "canary" } else { "experiment" });
        let trial = self.store.trial_by_id(id).await?.ok_or_else(missing)?;
        let prompt = self.store.prompt(trial.prompt_id()).await?.ok_or_else(missing)?;
        if caller.sees(&prompt.team_id) { Ok((prompt, trial)) } else { Err(missing()) }
    }

    /// An experiment by its id, if the caller may see it.
    pub async fn experiment(&self, caller: &Caller, id: ExperimentId) -> Result<Experiment> {
        match self.trial_in_prompt(caller, id.into()).await? {
            (_, Trial::Experiment(experiment)) => Ok(*experiment),
            (_, Trial::Rollout(_)) => Err(Error::not_found("experiment")),
        }
    }

    /// What an experiment's counters say of it.
    pub async fn experiment_details(&self, experiment: &Experiment) -> Result<ExperimentDetails> {
        let now = self.sources.now();
        let (book, history) = self.book_of(experiment).await?;
        let observed = observed(experiment, &book, &history, now)?;
        let mut tick = tick(experiment, &observed, now)?;
        // What the next tick would write is nobody's news yet.
        tick.experiment = experiment.clone();
        let measure = experiment.settings.primary_metric;
        let cells: Vec<_> = (0..experiment.arms.len()).map(|arm| book.pooled(measure, arm)).collect();
        let noise = Noise::of(measure, observed.design_effect);
        let estimate =
            Estimate::of(cells.len(), &observed.strata, noise, |_| 1.0).map_err(Error::internal)?;
        let tau = evidence::EXPERIMENT_TAU * estimate.sigma();
        let lift = |arm: usize| {
            let contrast = estimate.contrast(arm, 0);
            (contrast.delta, evidence::lower_bound(contrast, tau))
        };
        let figures = posteriors(measure, &cells)?;
        let arms = cells.iter().zip(figures).enumerate().map(|(arm, (cell, posterior))| ArmDetails {
            exposures: book.exposures(arm),
            feedback: cell.total.n,
            figure: posterior.figure,
            lift: (arm > 0).then(|| lift(arm)),
        });
        Ok(ExperimentDetails { tick, arms: arms.collect() })
    }

    /// A page of a prompt's experiments, newest first.
    pub async fn experiments(
        &self,
        caller: &Caller,
        address: &str,
        request: &PageRequest,
    ) -> Result<Page<ExperimentDetails>> {
        let prompt = self.prompt(caller, address).await?;
        let page = self.store.trials(prompt.prompt_id, TrialKind::Experiments, request).await?;
        let mut data = Vec::with_capacity(page.data.len());
        for trial in page.data {
            if let Trial::Experiment(experiment) = trial {
                data.push(self.experiment_details(&experiment).await?);
            }
        }
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    /// A page of the weights that an experiment had, oldest first.
    pub async fn experiment_weights(
        &self,
        caller: &Caller,
        id: ExperimentId,
        request: &PageRequest,
    ) -> Result<Page<Weights>> {
        self.experiment(caller, id).await?;
        self.store.weights_page(id.into(), request).await
    }
}
