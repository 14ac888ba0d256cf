//! An experiment in two worlds that are told the same; in one of them it is compacted.

use std::time::Duration;

use domain::{
    Caller, PromptId, VersionId, VersionPointer,
    allocation::Arm,
    audit::{Action, Fact},
    experiment::{Experiment, NewSettings, Observed, State, Status, Tick, tick},
    metric::{Batch, Event, Placement, Subject, Values, fold},
    money::Usd,
    name::production,
    trial::{TrialId, Weights},
};
use e2e::{Dice, World, text};
use serde_json::json;
use store::Change;

/// How many strata there are: the last one is open.
pub(crate) const STRATA: u64 = 40;

/// How long each lasts.
const LASTS: Duration = Duration::from_hours(3);

/// How many units come again and again.
pub(crate) const UNITS: usize = 60;

pub(crate) struct Twins {
    pub(crate) compacted: World,
    pub(crate) plain: World,
    pub(crate) experiment: Experiment,
}

/// A place in the experiment, by what tests tell apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) allocation_version: u64,
    pub(crate) arm: usize,
    pub(crate) unit: usize,
}

impl Twins {
    /// Both worlds stand at the moment in which the last stratum has lasted as long as the others.
    pub(crate) async fn start(settings: NewSettings, keys: &[&str]) -> Self {
        let (compacted, plain) = (World::start().await, World::start().await);
        let experiment = experiment(&compacted, settings, keys);
        for world in [&compacted, &plain] {
            keep_weights(world, &experiment).await;
        }
        let twins = Self { compacted, plain, experiment };
        twins.pass(LASTS * u32::try_from(STRATA).unwrap());
        twins
    }

    /// Lets time pass in both worlds.
    pub(crate) fn pass(&self, time: Duration) {
        for world in [&self.compacted, &self.plain] {
            world.clock.advance(time);
        }
    }

    pub(crate) fn id(&self) -> TrialId {
        self.experiment.experiment_id.into()
    }

    pub(crate) fn any_spot(&self, dice: &Dice) -> Spot {
        let unit = dice.below(UNITS);
        let allocation_version = 1 + u64::try_from(dice.below(usize::try_from(STRATA).unwrap())).unwrap();
        Spot { allocation_version, arm: unit % self.experiment.arms.len(), unit }
    }

    /// Events of anybody, of any age: many are about the same resolve, or of a unit that was there before.
    pub(crate) async fn tell_any(&self, dice: &Dice, events: usize) {
        let events: Vec<_> = (0..events).map(|_| (self.any_spot(dice), any_values(dice))).collect();
        self.tell(&events).await;
    }

    /// Counts events in both worlds.
    pub(crate) async fn tell(&self, events: &[(Spot, Values)]) {
        let event = |(index, (spot, values)): (usize, &(Spot, Values))| self.event(index, *spot, values);
        let events = events.iter().enumerate().map(event).collect();
        let batch = Batch { team_id: "support".parse().unwrap(), batch_id: None, events };
        let messages = fold(&batch, &self.plain.registry().sources);
        for world in [&self.compacted, &self.plain] {
            let registry = world.registry();
            let tried = async || registry.store.apply(&messages, &registry.sources).await.outcomes;
            // What is not counted yet comes again.
            while tried().await.iter().any(Result::is_err) {}
        }
    }

    /// A unit resolves once in a stratum.
    fn event(&self, index: usize, spot: Spot, values: &Values) -> Event {
        let arm = &self.experiment.arms[spot.arm];
        let unit = u64::try_from(spot.unit).unwrap();
        let placement = Placement {
            trial: self.id(),
            iteration: 1,
            allocation_version: spot.allocation_version,
            arm: arm.key.clone(),
            unit64: unit.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            nonce: unit * STRATA + spot.allocation_version,
            issued_at: self.plain.registry().sources.now(),
        };
        let subject = Subject {
            prompt_id: self.experiment.prompt_id,
            version_id: arm.version.id,
            environment: production(),
            placement: Some(placement),
        };
        Event { index, event_id: None, subject, values: values.clone() }
    }

    /// Compacts once, up to an allocation version.
    pub(crate) async fn compact(&self, up_to: u64) -> usize {
        let registry = self.compacted.registry();
        registry.store.compact(self.id(), up_to, registry.sources.now()).await.unwrap()
    }

    /// Compacts all that is closed.
    pub(crate) async fn compact_all(&self) -> usize {
        let mut taken = 0;
        loop {
            match self.compact(STRATA - 1).await {
                0 => return taken,
                more => taken += more,
            }
        }
    }

    pub(crate) async fn observed(&self, world: &World) -> Observed {
        let registry = world.registry();
        registry.observe_experiment(&self.experiment, registry.sources.now()).await.unwrap()
    }

    /// What is counted, what follows from it, and what people are shown.
    async fn figures(&self, world: &World) -> (Observed, Tick, String) {
        let observed = self.observed(world).await;
        let registry = world.registry();
        let tick = tick(&self.experiment, &observed, registry.sources.now()).unwrap();
        let details = registry.experiment_details(&self.experiment).await.unwrap();
        (observed, tick, format!("{:?}", details.arms))
    }

    /// Every figure is the same in both worlds, to the last digit.
    pub(crate) async fn agree(&self) {
        assert_eq!(self.figures(&self.compacted).await, self.figures(&self.plain).await);
    }
}

fn experiment(world: &World, settings: NewSettings, keys: &[&str]) -> Experiment {
    let now = world.registry().sources.now();
    let pointer =
        |number: u8| VersionPointer { number: number.into(), id: VersionId::from_bytes([number; 16]) };
    let arm = |(number, key): (u8, &&str)| Arm {
        key: (*key).to_owned(),
        version: pointer(number),
        weight: 1.0 / f64::from(u32::try_from(keys.len()).unwrap()),
    };
    let arms: Vec<Arm> = (1..).zip(keys).map(arm).collect();
    let settings = settings.settle(arms.len()).unwrap();
    let mut state = State::begin(&arms, &settings, now);
    state.allocation_version = STRATA;
    Experiment {
        experiment_id: "exp_01JD0000000000000000000000".parse().unwrap(),
        prompt_id: PromptId::from_bytes([1; 16]),
        environment: production(),
        arms,
        settings,
        state,
        flags: [].into(),
        status: Status::Active,
        outcome: None,
        winner_version_id: None,
        verdict: None,
        created_by: "a test".to_owned(),
        started_at: now,
        ended_at: None,
        revision: 1,
    }
}

/// Writes the weights of all strata.
async fn keep_weights(world: &World, experiment: &Experiment) {
    let registry = world.registry();
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let prompt = registry.store.prompt(text(&prompt["prompt_id"]).parse().unwrap()).await.unwrap().unwrap();
    let actor = Caller::system("steer").actor;
    let fact = Fact::new(&actor, Action::ExperimentReweighted, experiment.experiment_id);
    let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &registry.sources).unwrap();
    for version in 1..=STRATA {
        let weights = Weights {
            trial: experiment.experiment_id.into(),
            allocation_version: version,
            at: experiment.started_at.plus(LASTS * u32::try_from(version - 1).unwrap()),
            keys: experiment.keys().into_iter().map(str::to_owned).collect(),
            weights: experiment.state.weights.clone(),
            p_best: Vec::new(),
            effects: Vec::new(),
            reasons: Vec::new(),
        };
        change.put_weights(&weights).unwrap();
    }
    registry.store.commit(change).await.unwrap();
}

/// Some of what can be said of a call.
pub(crate) fn any_values(dice: &Dice) -> Values {
    let hundredths = || f64::from(u8::try_from(dice.below(101)).unwrap()) / 100.0;
    let some = || dice.once_in(2);
    Values {
        latency_ms: some().then(|| f64::from(u16::try_from(1 + dice.below(9_000)).unwrap())),
        cost: some().then(|| Usd::from_nanos(u64::try_from(dice.below(9_000_000)).unwrap())),
        success: some().then(some),
        error: some().then(|| dice.once_in(5)),
        refusal: some().then(|| dice.once_in(5)),
        slow: some().then(|| dice.once_in(5)),
        user_rating: some().then(|| u8::try_from(1 + dice.below(5)).unwrap()),
        quality: some().then(hundredths),
        eval_score: some().then(hundredths),
        ..Values::default()
    }
}

/// All that can be said.
pub(crate) fn all_values() -> Values {
    Values {
        latency_ms: Some(120.0),
        cost: Some(Usd::from_nanos(500_000)),
        success: Some(true),
        error: Some(false),
        refusal: Some(false),
        slow: Some(false),
        user_rating: Some(4),
        quality: Some(0.5),
        eval_score: Some(0.75),
        ..Values::default()
    }
}
