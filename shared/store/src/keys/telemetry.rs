//! The keys of the telemetry table.

use std::fmt;

use domain::{
    Environment, EvalRunId, TeamId, VersionId,
    allocation::TrialId,
    measure::Measure,
    metric::{Hour, Mark},
};
use serde::{Deserialize as _, Serialize as _, de::IntoDeserializer as _};

use super::{META, TRIALS, VERSIONS};

/// A key of the telemetry table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TelemetryKey {
    /// What came of a case.
    Case(EvalRunId, u32),
    /// An output too long to stand in the result.
    Output(EvalRunId, u32),
    /// The cases of a chunk that are done.
    Chunk(EvalRunId, u32),
    /// The chunks that are done.
    Done(EvalRunId),
    /// A part of what is known of a case that comes again: an answer to it, or what the judge of an assertion said.
    Draft(EvalRunId, u32, u32, Option<usize>),
    /// When an API key was last used.
    KeyUse(String),
    /// Writes of an API key in a minute since the epoch.
    KeyWrites(String, i64),
    /// What is left of a model's budget.
    Budget(String),
    /// Where the answer to a question is found, by the question's SHA-256.
    Answer(String),
    /// How far the daily watch over live versions is.
    Watch,
    /// How far the daily comparison of the archive with all chains is.
    Archived,
    /// How far the archive is compared with a chain, by the chain's name.
    ArchivedUpTo(String),
    /// What was added to the counters before.
    Mark(Mark),
    /// Counters of a version in an environment and an hour.
    Hour(VersionId, Environment, Hour),
    /// The latencies of the same.
    Latencies(VersionId, Environment, Hour),
    /// A part of a team's day.
    Day(TeamId, Hour, u8),
    /// Counters of a measure on an arm under an allocation version.
    Cell(TrialId, u64, String, Measure),
    /// How many resolves and units met an arm under an allocation version.
    Exposures(TrialId, u64, String),
    /// What the strata of an arm that are compacted come to, one by one: a part of them.
    Strata(TrialId, String, u64),
    /// How often strata of a trial were compacted.
    Compactions(TrialId),
    /// A resolve that was heard of, by its nonce.
    Exposure(TrialId, u64),
    /// A unit that was heard of in an iteration.
    Unit(TrialId, u32, u64),
    /// A unit that was heard of under an allocation version, and what happened to it there.
    UnitErred(TrialId, u64, u64),
    /// What a resolve came to by a measure.
    Feedback(TrialId, u64, Measure),
    /// What somebody said, without knowing whose they are, of two outputs for a case.
    Judgement(TrialId, String, String),
}

impl TelemetryKey {
    /// The partition key.
    pub fn pk(&self) -> String {
        match self {
            Self::Case(run, _)
            | Self::Output(run, _)
            | Self::Chunk(run, _)
            | Self::Done(run)
            | Self::Draft(run, ..) => run_partition(*run),
            Self::KeyUse(id) | Self::KeyWrites(id, _) => format!("KEYUSE#{id}"),
            Self::Budget(model) => format!("LIMIT#{model}"),
            Self::Answer(question) => format!("ANSWER#{question}"),
            Self::Watch => "WATCH".to_owned(),
            Self::Archived => "ARCHIVED".to_owned(),
            Self::ArchivedUpTo(chain) => format!("ARCHIVED#{chain}"),
            Self::Mark(mark) => format!("MARK#{mark}"),
            Self::Hour(version, environment, _) | Self::Latencies(version, environment, _) => {
                hours_partition(*version, environment)
            }
            Self::Day(team, ..) => days_partition(team),
            Self::Cell(trial, ..)
            | Self::Exposures(trial, ..)
            | Self::Strata(trial, ..)
            | Self::Compactions(trial)
            | Self::Exposure(trial, _)
            | Self::Unit(trial, ..)
            | Self::UnitErred(trial, ..)
            | Self::Feedback(trial, ..)
            | Self::Judgement(trial, ..) => trial_partition(*trial),
        }
    }

    /// The sort key.
    pub fn sk(&self) -> String {
        match self {
            Self::Case(_, number) => format!("{CASES}{number:05}"),
            Self::Output(_, number) => format!("{OUTPUTS}{number:05}"),
            Self::Chunk(_, number) => format!("{CHUNKS}{number:02}"),
            Self::Done(_) => "DONE".to_owned(),
            Self::Draft(_, number, repeat, None) => format!("{}{repeat:02}", Self::drafts(*number)),
            Self::Draft(_, number, repeat, Some(at)) => {
                format!("{}{repeat:02}#{at:05}", Self::drafts(*number))
            }
            Self::KeyUse(_)
            | Self::Budget(_)
            | Self::Answer(_)
            | Self::Watch
            | Self::Archived
            | Self::ArchivedUpTo(_)
            | Self::Mark(_) => META.to_owned(),
            Self::KeyWrites(_, minute) => format!("W#{minute}"),
            Self::Hour(_, _, hour) => format!("{HOURS}{hour}"),
            Self::Latencies(_, _, hour) => format!("{LATENCIES}{hour}"),
            Self::Day(_, day, part) => format!("{}#{part}", day.date()),
            Self::Cell(_, allocation, arm, measure) => {
                format!("{ARMS}{allocation:010}#{arm}#{}#0", name(*measure))
            }
            Self::Exposures(_, allocation, arm) => format!("{ARMS}{allocation:010}#{arm}#{EXPOSURES}#0"),
            Self::Strata(_, arm, part) => format!("{ARMS}{COMPACTED:010}#{arm}#{STRATA}#{part}"),
            Self::Compactions(_) => "COMPACTIONS".to_owned(),
            Self::Exposure(_, nonce) => format!("EXPO#{nonce:016x}"),
            Self::Unit(_, iteration, unit) => format!("UNIT#{iteration}#{unit:016x}"),
            Self::UnitErred(_, allocation, unit) => format!("ERR#{allocation}#{unit:016x}"),
            Self::Feedback(_, nonce, measure) => format!("FB#{nonce:016x}#{}", name(*measure)),
            Self::Judgement(_, by, case) => format!("{JUDGEMENTS}{by}#{case}"),
        }
    }

    /// How the sort keys of all that is known of a case begin.
    pub(crate) fn drafts(number: u32) -> String {
        format!("{DRAFTS}{number:05}#")
    }
}

/// A measure as the API names it.
fn name(measure: Measure) -> impl fmt::Display {
    fmt::from_fn(move |f| measure.serialize(f))
}

/// Reads [`name`] back.
pub(crate) fn parse_measure(text: &str) -> Option<Measure> {
    Measure::deserialize(text.into_deserializer()).map_err(|_: serde::de::value::Error| ()).ok()
}

/// The allocation version, the arm and the measure (or [`EXPOSURES`], or [`STRATA`]) of a sort key. An arm's key may hold
/// any sign.
pub(crate) fn parse_arm(sk: &str) -> Option<(u64, &str, &str)> {
    let (allocation, rest) = sk.strip_prefix(ARMS)?.split_once('#')?;
    let mut parts = rest.rsplitn(3, '#');
    let (_shard, measure, arm) = (parts.next()?, parts.next()?, parts.next()?);
    Some((allocation.parse().ok()?, arm, measure))
}

pub(crate) const CASES: &str = "CASE#";
pub(crate) const CHUNKS: &str = "CHUNK#";
pub(crate) const OUTPUTS: &str = "OUT#";
pub(crate) const DRAFTS: &str = "ANSWER#";

pub(crate) const HOURS: &str = "H#";
pub(crate) const LATENCIES: &str = "HH#";
pub(crate) const JUDGEMENTS: &str = "JUDGED#";
pub(crate) const ARMS: &str = "A#";
/// Stands in an arm's sort key where a measure would.
pub(crate) const EXPOSURES: &str = "exposure";
/// The same, for strata that are compacted.
pub(crate) const STRATA: &str = "strata";

/// Stands for all strata that are compacted where an allocation version would: those begin with 1.
pub const COMPACTED: u64 = 0;

/// Between which sort keys the items of all allocation versions up to this one are, those of [`COMPACTED`] left out.
pub(crate) fn arms_up_to(allocation_version: u64) -> (String, String) {
    // `$` is the sign after `#`.
    (format!("{ARMS}{:010}", COMPACTED + 1), format!("{ARMS}{allocation_version:010}$"))
}

pub(crate) fn hours_partition(version: VersionId, environment: &Environment) -> String {
    format!("{VERSIONS}{version}#{environment}")
}

pub(crate) fn days_partition(team: &TeamId) -> String {
    format!("SUMMARY#{team}")
}

pub(crate) fn trial_partition(trial: TrialId) -> String {
    format!("{TRIALS}{trial}")
}

pub(crate) fn run_partition(run: EvalRunId) -> String {
    format!("RUN#{run}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_arm_s_key_reads_back(allocation in 0..10_000_000_000_u64, arm in "\\PC{1,40}", at in 0..9_usize) {
            let trial: TrialId = "exp_01JD0000000000000000000000".parse().unwrap();
            let measure = Measure::ALL[at];
            let sk = TelemetryKey::Cell(trial, allocation, arm.clone(), measure).sk();
            let (found, named, measured) = parse_arm(&sk).unwrap();
            prop_assert_eq!((found, named, parse_measure(measured)), (allocation, arm.as_str(), Some(measure)));
            let sk = TelemetryKey::Exposures(trial, allocation, arm.clone()).sk();
            prop_assert_eq!(parse_arm(&sk), Some((allocation, arm.as_str(), EXPOSURES)));
            let (first, last) = arms_up_to(allocation.max(1));
            prop_assert_eq!(first <= sk && sk <= last, allocation != COMPACTED);
            prop_assert!(allocation == COMPACTED || arms_up_to(allocation - 1).1 < sk);
            let sk = TelemetryKey::Strata(trial, arm.clone(), allocation).sk();
            prop_assert_eq!(parse_arm(&sk), Some((COMPACTED, arm.as_str(), STRATA)));
            prop_assert!(sk < first);
        }
    }

    #[test]
    fn hours_and_their_latencies_stand_apart() {
        let hour: Hour = "2026-11-20T07".parse().unwrap();
        let version = VersionId::from_bytes([1; 16]);
        let production = domain::name::production();
        let counts = TelemetryKey::Hour(version, production.clone(), hour);
        let latencies = TelemetryKey::Latencies(version, production, hour);
        assert_eq!((counts.sk().as_str(), latencies.sk().as_str()), ("H#2026-11-20T07", "HH#2026-11-20T07"));
        assert_eq!(TelemetryKey::Day("a".parse().unwrap(), hour, 3).sk(), "2026-11-20#3");
    }
}
