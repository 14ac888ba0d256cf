//! What webhooks tell of, and which entries of the audit are that.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ExperimentId,
    audit::{Action, AuditEntry},
};

macro_rules! events {
    ($($(#[$doc:meta])* $event:ident $name:literal;)*) => {
        /// A kind of news.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Event {
            $($(#[$doc])* #[serde(rename = $name)] $event,)*
        }

        impl Event {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$event,)*];

            /// As the API writes it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$event => $name,)*
                }
            }
        }
    };
}

events! {
    /// A version was written.
    VersionCreated "version.created";
    /// The gate, or the person whom it asked, let a version through.
    GatePassed "gate.passed";
    /// The gate, or the person whom it asked, refused a version.
    GateFailed "gate.failed";
    /// The gate asks a person to decide.
    ReviewNeeded "review.needed";
    /// A version became live by promotion.
    Promotion "promotion";
    /// A version became live by rollback.
    Rollback "rollback";
    /// An experiment began.
    ExperimentStarted "experiment.started";
    /// An experiment was decided or stopped, or its prompt archived.
    ExperimentEnded "experiment.ended";
    /// A canary began.
    CanaryStarted "canary.started";
    /// A canary went on to another stage, or its version was promoted and is watched.
    CanaryAdvanced "canary.advanced";
    /// A canary was paused.
    CanaryPaused "canary.paused";
    /// A paused canary goes on.
    CanaryResumed "canary.resumed";
    /// A canary was completed or stopped, or its prompt archived.
    CanaryEnded "canary.ended";
}

impl Event {
    /// What an entry is, most telling first. A move that ends a trial is both; who archives a prompt ends all of its
    /// trials.
    pub fn of(entry: &AuditEntry) -> Vec<Self> {
        let one = match entry.action {
            Action::PromptArchived => return Self::of_trials_ended(entry),
            Action::VersionCreated => Some(Self::VersionCreated),
            Action::EvaluationEnded => Self::of_verdict(entry),
            Action::EvaluationReviewed => entry.after["approved"].as_bool().map(Self::of_decision),
            Action::Promoted => Some(Self::Promotion),
            Action::RolledBack => Some(Self::Rollback),
            Action::ExperimentStarted => Some(Self::ExperimentStarted),
            Action::ExperimentEnded => Some(Self::ExperimentEnded),
            Action::RolloutStarted => Some(Self::CanaryStarted),
            Action::RolloutAdvanced => Some(Self::CanaryAdvanced),
            Action::RolloutPaused => Some(Self::CanaryPaused),
            Action::RolloutResumed => Some(Self::CanaryResumed),
            Action::RolloutEnded => Some(Self::CanaryEnded),
            _ => None,
        };
        let moved = matches!(one, Some(Self::Promotion | Self::Rollback));
        one.into_iter().chain(moved.then(|| Self::of_trial_left(entry)).flatten()).collect()
    }

    fn of_decision(approved: bool) -> Self {
        if approved { Self::GatePassed } else { Self::GateFailed }
    }

    /// The gate decides by runs on which a version may go live; others only tell somebody something.
    fn of_verdict(entry: &AuditEntry) -> Option<Self> {
        if !matches!(entry.evidence["purpose"].as_str(), Some("verdict" | "other_model")) {
            return None;
        }
        match entry.after["gate_result"].as_str()? {
            "pass" => Some(Self::GatePassed),
            "fail" => Some(Self::GateFailed),
            _ => Some(Self::ReviewNeeded),
        }
    }

    /// The ends of trials, each kind once.
    fn of_trials_ended(entry: &AuditEntry) -> Vec<Self> {
        let trials = entry.evidence["trials_ended"].as_array().into_iter().flatten();
        let kinds: BTreeSet<_> = trials.filter_map(Value::as_str).map(Self::of_end).collect();
        kinds.into_iter().collect()
    }

    fn of_end(trial: &str) -> Self {
        if ExperimentId::looks_like(trial) { Self::ExperimentEnded } else { Self::CanaryEnded }
    }

    /// What a move is to the trial that it takes the traffic from.
    fn of_trial_left(entry: &AuditEntry) -> Option<Self> {
        let evidence = &entry.evidence;
        match entry.before["trial_id"].as_str() {
            // The canary's own promotion: now it is compared with the time before.
            Some(_) if evidence["decision"]["rollout_id"].is_string() => Some(Self::CanaryAdvanced),
            Some(trial) => Some(Self::of_end(trial)),
            // A version that is watched is taken back.
            None => evidence["rollout_id"].is_string().then_some(Self::CanaryEnded),
        }
    }
}
