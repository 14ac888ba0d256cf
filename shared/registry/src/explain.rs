//! Why a resolve got its version: what the token says, beside what the trial was then.

use domain::{
    Caller, Error, Result, Trial,
    allocation::{Allocation, Dice},
    token::{Resolution, unit64},
    trial::Weights,
};

use crate::Registry;

/// Why a resolve got its version.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// What the token says.
    pub resolution: Resolution,
    /// The trial that split the traffic, with the weights of that time; `None` where none did, or the unit took no part.
    pub trial: Option<(Trial, Weights)>,
    /// The number that each arm drew for the unit, in the order of the arms, where the caller named the unit. The
    /// lowest `−ln u / weight` serves it; a canary has one number, and serves those below its share.
    pub draws: Option<Vec<f64>>,
}

impl Registry {
    /// Explains a token. The token does not say its unit, only a hash of it: who names the unit sees what it drew.
    pub async fn explain(&self, caller: &Caller, token: &str, unit: Option<&str>) -> Result<Explanation> {
        let wrong = |detail: String| {
            Error::invalid("/resolution_token", format!("`resolution_token` cannot be explained: {detail}."))
        };
        let signer = self.cache.signer_of(token).await?;
        let signer = signer.ok_or_else(|| wrong("it is not one of ours, or it was altered".to_owned()))?;
        let resolution =
            signer.verify(token, self.sources.now()).map_err(|error| wrong(error.to_string()))?;
        // A foreign team's token says no more than one that is none.
        self.prompt(caller, &resolution.prompt_id.to_string()).await?;
        let Some(assignment) = resolution.assignment.clone() else {
            return Ok(Explanation { resolution, trial: None, draws: None });
        };
        let id = assignment.trial;
        let missing =
            || Error::internal(format!("{id} has no allocation version {}", assignment.allocation_version));
        let trial = self.store.trial(resolution.prompt_id, id).await?.ok_or_else(missing)?;
        let weights = self.store.weights_of(id, assignment.allocation_version).await?.ok_or_else(missing)?;
        let draws = match unit {
            None => None,
            Some(unit) if unit64(&id.to_string(), unit) == resolution.unit64 => {
                Some(draws(&trial, &weights, assignment.iteration, unit))
            }
            Some(_) => {
                let detail = "The token was issued to another unit. Name the user_id, conversation_id or request_id of \
                              that resolve.";
                return Err(Error::invalid("/unit", detail));
            }
        };
        Ok(Explanation { resolution, trial: Some((trial, weights)), draws })
    }
}

fn draws(trial: &Trial, weights: &Weights, iteration: u32, unit: &str) -> Vec<f64> {
    let dice = Dice::new(&trial.id().to_string(), iteration);
    match trial {
        Trial::Experiment(_) => weights.keys.iter().map(|key| dice.roll(key, unit)).collect(),
        Trial::Rollout(_) => vec![dice.roll(Allocation::NESTING, unit)],
    }
}
