//! Which prompts cost most, are called most, fail most or are liked least.

use std::collections::BTreeMap;

use domain::{
    Caller, Error, Prompt, PromptId, Result, TeamId,
    metric::{Count, Counts, Hour, Summary, Tally, summary::Bucket},
    model::ModelEntry,
    money::Usd,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{DAY, Range};
use crate::Registry;

/// How many prompts a ranking shows.
const SHOWN: usize = 100;

/// How many teams are read at once.
const READS: usize = 16;

/// How long days are kept, in days.
const KEPT: u32 = 400;

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// The dearest.
    Cost,
    /// The most called.
    Calls,
    /// The most failed calls.
    Errors,
    /// The worst rated; what nobody rated comes last.
    Rating,
}

/// Prompts in order.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// The days that were summed, today included.
    pub range: Range,
    /// The prompts.
    pub data: Vec<Ranked>,
    /// How many more were called in these days.
    pub left_out: usize,
    /// What each day came to, over all prompts, also those left out.
    pub by_day: BTreeMap<Hour, Summary>,
}

/// What a prompt came to.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// The prompt.
    pub prompt: Prompt,
    /// Its figures, as far as days show them: calls, resolves, errors, tokens, cost and ratings.
    pub summary: Summary,
    /// Calls that failed.
    pub errors: i64,
    /// What a day cost on the average.
    pub cost_per_day: Usd,
    /// What a day would have cost by each model's present prices, for the same tokens.
    pub on_other_models: Vec<(String, Usd)>,
}

impl Registry {
    /// The prompts that the caller sees, of one team or of all, by what they came to today and in the days before.
    pub async fn metrics_summary(
        &self,
        caller: &Caller,
        team: Option<&TeamId>,
        sort: Sort,
        days: u32,
    ) -> Result<Ranking> {
        if !(1..=KEPT).contains(&days) {
            return Err(Error::invalid("/days", format!("`days` lies between 1 and {KEPT}.")));
        }
        let today = Hour::of(self.sources.now()).midnight().start();
        let range = Range { from: today.minus(DAY * (days - 1)), to: today.plus(DAY), bucket: Bucket::Day };
        let is_called = |counts: &Counts| counts.iter().any(|(count, _)| count != Count::Resolves);
        let mut teams: Vec<TeamId> = self.teams(caller).await?.into_iter().map(|(team, _)| team).collect();
        teams.retain(|known| team.is_none_or(|wanted| wanted == known));
        let Sums { by_prompt, by_day } = self.sums(teams, range).await?;
        let mut sums: Vec<_> = by_prompt.into_iter().filter(|(_, counts)| is_called(counts)).collect();
        sums.sort_by_key(|(prompt, counts)| (rank(sort, counts), *prompt));
        let left_out = sums.len().saturating_sub(SHOWN);
        sums.truncate(SHOWN);
        let models: Vec<ModelEntry> =
            self.list_models().await?.into_iter().map(|model| model.entry).collect();
        let ids: Vec<PromptId> = sums.iter().map(|(prompt, _)| *prompt).collect();
        let mut prompts = self.store.prompts_of(&ids).await?;
        let ranked = |(id, counts)| Some(Ranked::new(prompts.remove(&id)?, counts, days, &models));
        let data = sums.into_iter().filter_map(ranked).collect();
        let by_day = by_day.into_iter().map(|(day, counts)| (day, summary(counts))).collect();
        Ok(Ranking { range, data, left_out, by_day })
    }

    /// What the prompts of these teams came to.
    async fn sums(&self, teams: Vec<TeamId>, range: Range) -> Result<Sums> {
        let reads = stream::iter(teams)
            .map(|team| async move { self.store.team_days(&team, range.first(), range.last()).await });
        let mut teams = reads.buffer_unordered(READS);
        let mut sums = Sums::default();
        while let Some(days) = teams.try_next().await? {
            for day in days {
                for (count, more) in day.counts.iter() {
                    sums.by_prompt.entry(day.prompt_id).or_default().add(count, more);
                    sums.by_day.entry(day.day).or_default().add(count, more);
                }
            }
        }
        Ok(sums)
    }
}

/// The same counts, summed in two ways.
#[derive(Default)]
struct Sums {
    by_prompt: BTreeMap<PromptId, Counts>,
    by_day: BTreeMap<Hour, Counts>,
}

fn summary(counts: Counts) -> Summary {
    Summary::from(&Tally { counts, ..Tally::default() })
}

impl Ranked {
    fn new(prompt: Prompt, counts: Counts, days: u32, models: &[ModelEntry]) -> Self {
        let tokens = |kind| u64::try_from(counts.get(kind)).unwrap_or_default();
        let (input, output) = (tokens(Count::InputTokens), tokens(Count::OutputTokens));
        let on = |model: &ModelEntry| {
            let cost =
                Usd::of_tokens(&[(input, model.input_usd_per_mtok), (output, model.output_usd_per_mtok)]);
            (model.model_id.clone(), per_day(cost, days))
        };
        let on_other_models = models.iter().map(on).collect();
        let errors = counts.get(Count::Errors);
        let summary = summary(counts);
        Self { prompt, errors, cost_per_day: per_day(summary.cost_usd, days), summary, on_other_models }
    }
}

/// The smaller, the earlier.
fn rank(sort: Sort, counts: &Counts) -> i64 {
    match sort {
        Sort::Cost => -counts.get(Count::CostNanos),
        Sort::Calls => -counts.get(Count::Calls),
        Sort::Errors => -counts.get(Count::Errors),
        Sort::Rating => {
            let millionths = counts.get(Count::RatingSum).saturating_mul(1_000_000);
            millionths.checked_div(counts.get(Count::RatingGiven)).unwrap_or(i64::MAX)
        }
    }
}

/// Rounded half up.
fn per_day(cost: Usd, days: u32) -> Usd {
    let days = u64::from(days);
    Usd::from_nanos(cost.as_nanos().saturating_add(days / 2) / days)
}
