//! What it means to stop an experiment, before somebody does.

use std::collections::BTreeMap;

use domain::{
    VersionId, VersionPointer,
    allocation::{Allocation, Rule},
    experiment::Experiment,
};
use web::Fields;

use crate::confirm::{Asked, Deed, Share};

/// What a stop changes; `None` where the experiment does not run, or has no such arm.
pub(super) fn asked(experiment: &Experiment, wish: &Fields) -> Option<Asked> {
    let chosen: Option<VersionId> = wish.optional("winner_version_id").ok()?;
    let running = experiment.allocation()?;
    let control = running.arms.first()?.version;
    let winner = match chosen {
        Some(chosen) => running.arms.iter().map(|arm| arm.version).find(|version| version.id == chosen)?,
        None => control,
    };
    let also = if winner == control {
        "The experiment ends, and its control stays live.".to_owned()
    } else {
        let number = winner.number;
        format!(
            "The experiment ends, and version {number} is promoted. The gate has to let it pass, as always."
        )
    };
    let page = format!("/console/experiments/{}", experiment.experiment_id);
    let deed = Deed {
        name: format!("Stop it: everybody gets version {}", winner.number),
        ends: true,
        action: format!("{page}/stop"),
        page,
        fields: vec![("winner_version_id", wish.text("winner_version_id").to_owned())],
        also,
    };
    Some((shares(&running, control, winner), deed))
}

fn shares(running: &Allocation, control: VersionPointer, winner: VersionPointer) -> Vec<Share> {
    // Whoever takes no part is answered by the control.
    let enrolled = match running.rule {
        Rule::Split { enrolled } => enrolled,
        Rule::Canary => 1.0,
    };
    let whole: f64 = running.arms.iter().map(|arm| arm.weight).sum();
    // Two arms may serve the same version.
    let mut shares: BTreeMap<u32, Share> = BTreeMap::new();
    let mut give = |version: VersionPointer, now: f64| {
        let then = if version == winner { 1.0 } else { 0.0 };
        shares.entry(version.number).or_insert(Share { version, now: 0.0, then }).now += now;
    };
    give(control, 1.0 - enrolled);
    for arm in &running.arms {
        give(arm.version, arm.weight / whole.max(f64::MIN_POSITIVE) * enrolled);
    }
    shares.into_values().collect()
}
