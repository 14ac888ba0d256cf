//! What instances of functions do.

use std::time::Duration;

use tokio::time::interval;

use super::{Deed, Fault};
use crate::{instances::Ending, stage::Stage};

/// The time between two ends of instances.
const LIFE: Duration = Duration::from_secs(2);

/// How wrong clocks are, in ms: more than any bound.
const WRONG: i64 = 30_000;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "functions killed between two writes",
        breaks: |stage| {
            stage.hands.kill(true);
            Box::pin(async move { Ok(()) })
        },
        heals: |stage| {
            stage.hands.kill(false);
            Box::pin(async move { Ok(stage.hands.killed()) })
        },
        moves: true,
    },
    Fault {
        name: "resolve ending in mid-request, as out of memory",
        breaks: |stage| replaced(stage, Ending::Killed),
        heals: |stage| {
            Box::pin(async move {
                stage.rest().await?;
                Ok(stage.instances.again())
            })
        },
        moves: true,
    },
    Fault {
        name: "resolve replaced in turn, as by a deployment",
        breaks: |stage| replaced(stage, Ending::Finished),
        heals: |stage| {
            Box::pin(async move {
                stage.rest().await?;
                Ok(stage.instances.replaced())
            })
        },
        moves: true,
    },
    Fault {
        name: "clocks 30 s fast and slow",
        breaks: |stage| {
            for (place, clock) in stage.clocks.iter().enumerate() {
                clock.set(if place.is_multiple_of(2) { WRONG } else { -WRONG });
            }
            Box::pin(async move { Ok(()) })
        },
        heals: |stage| {
            stage.clocks.iter().for_each(|clock| clock.set(0));
            // Each of them has to have been asked.
            let met = stage.clocks.iter().map(|clock| clock.misled()).min().unwrap_or_default();
            Box::pin(async move { Ok(met) })
        },
        moves: true,
    },
];

/// Lets one instance after another end so, while another takes its place.
fn replaced(stage: &mut Stage, ending: Ending) -> Deed<'_> {
    let (instances, maker) = (stage.instances.clone(), stage.maker.clone());
    stage.meanwhile.spawn(async move {
        let mut beats = interval(LIFE);
        for place in (0..instances.many()).cycle() {
            beats.tick().await;
            let next = maker.resolve(place).await;
            if ending == Ending::Killed {
                // In the middle of a request, however short those are.
                instances.asked(place).await;
            }
            instances.replace(place, next, ending);
        }
        Ok(())
    });
    Box::pin(async move { Ok(()) })
}
