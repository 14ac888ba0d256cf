//! Rankings of the last minute. To add up the days of all prompts takes long, and whoever looks at a dashboard opens it
//! again in another order, or is not alone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{Caller, Result, TeamId, TeamScope, Timestamp};
use registry::{
    Registry,
    metric::{Ranking, Sort},
};

/// How long a ranking is shown again.
const KEPT: Duration = Duration::from_mins(1);

/// Whose prompts, of which team, what comes first, and of how many days.
type Key = (TeamScope, Option<TeamId>, Sort, u32);

type Kept = HashMap<Key, (Timestamp, Arc<Ranking>)>;

/// What was worked out, and when.
#[derive(Clone, Default)]
pub(crate) struct Rankings(Arc<Mutex<Kept>>);

impl Rankings {
    /// The prompts that somebody sees, of one team or of all, in this order; and when they were put into it.
    pub(crate) async fn of(
        &self,
        registry: &Registry,
        caller: &Caller,
        team: Option<&TeamId>,
        order: Sort,
        days: u32,
    ) -> Result<(Timestamp, Arc<Ranking>)> {
        // An admin sees all teams, whichever one is on the key.
        let scope = if caller.sees_all() { TeamScope::All } else { caller.scope.clone() };
        let key = (scope, team.cloned(), order, days);
        let work_out = registry.metrics_summary(caller, team, order, days);
        self.recent(key, registry.sources.now(), work_out).await
    }

    async fn recent(
        &self,
        key: Key,
        now: Timestamp,
        work_out: impl Future<Output = Result<Ranking>>,
    ) -> Result<(Timestamp, Arc<Ranking>)> {
        if let Some(kept) = self.kept(now).get(&key) {
            return Ok(kept.clone());
        }
        let new = (now, Arc::new(work_out.await?));
        self.kept(now).insert(key, new.clone());
        Ok(new)
    }

    /// Those that may be shown again; the others are dropped, also where the clock was set back.
    fn kept(&self, now: Timestamp) -> MutexGuard<'_, Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (made, _)| now.since(*made).is_some_and(|age| age < KEPT));
        kept
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use registry::metric::Range;

    use super::*;

    #[tokio::test]
    async fn a_ranking_is_shown_for_a_minute_to_those_who_see_the_same() {
        let rankings = Rankings::default();
        let start = Timestamp::from_millis(1_000_000);
        let range = Range { from: start, to: start, bucket: domain::metric::summary::Bucket::Day };
        let of = async |scope: TeamScope, seconds: u64, left_out: usize| {
            let ranking = Ranking { range, data: Vec::new(), left_out, by_day: BTreeMap::new() };
            let (key, now) = ((scope, None, Sort::Cost, 7), start.plus(Duration::from_secs(seconds)));
            rankings.recent(key, now, async { Ok(ranking) }).await.unwrap().1.left_out
        };
        let team = || TeamScope::Team("support".parse().unwrap());
        assert_eq!(of(TeamScope::All, 0, 1).await, 1);
        assert_eq!(of(TeamScope::All, 59, 2).await, 1, "the same one");
        assert_eq!(of(team(), 59, 3).await, 3, "another key sees others");
        assert_eq!(of(TeamScope::All, 60, 4).await, 4, "a minute later it is worked out anew");
        assert_eq!(of(TeamScope::All, 10, 5).await, 5, "one of the future is none");
    }
}
