//! What refuses a move whatever an evaluation says: a trial, a lock, people, callers.

use domain::{
    Environment, Error, ErrorKind, Ref, Result, Timestamp,
    content::{Content, Variable},
    gate::GatePolicy,
    name::staging,
    version::Approval,
};
use registry::version::VersionDetails;

use crate::trial::{Decided, running_already};

/// Refuses a move beside a trial that splits the traffic, unless the move is that trial's own decision.
pub(super) fn check_trial(before: &Ref, decided: Option<&Decided>) -> Result<()> {
    match (&before.allocation, decided) {
        (Some(running), Some(decided)) if running.trial == decided.after.id() => Ok(()),
        (Some(running), _) => Err(running_already(before, running.trial)),
        (None, _) => Ok(()),
    }
}

/// Refuses a move of a locked environment.
pub(crate) fn check_lock(before: &Ref, now: Timestamp) -> Result<()> {
    let Some(lock) = before.active_lock(now) else { return Ok(()) };
    let detail = format!(
        "`{}` is locked by {}: {}. Take the lock off first: DELETE …/environments/{}/lock",
        before.environment, lock.by, lock.reason, before.environment
    );
    Err(Error::new(ErrorKind::Locked, detail))
}

/// What a policy asks of people before it looks at figures.
pub(super) fn check_people(
    environment: &Environment,
    candidate: &VersionDetails,
    gate: &GatePolicy,
) -> Result<()> {
    let state = &candidate.state;
    if gate.require_staging_first && !state.been_live.contains(&staging()) {
        let detail = "The gate wants a version to be live in `staging` first. Promote it there, look at it, and come \
                      back.";
        return Err(Error::new(ErrorKind::StagingNeeded, detail));
    }
    let approved = |approval: &Approval| {
        approval.environment == *environment && approval.by != candidate.version.created_by
    };
    if gate.require_approval && !state.approvals.iter().any(approved) {
        let detail = format!(
            "The gate wants the word of a releaser who did not write the version: POST /api/versions/{}/approvals \
             with the environment and a reason.",
            candidate.version.version_id
        );
        return Err(Error::new(ErrorKind::ApprovalNeeded, detail));
    }
    Ok(())
}

/// Refuses content that breaks callers of what is live: they keep sending the variables that they send today.
pub(super) fn check_variables(live: &Content, candidate: &Content) -> Result<()> {
    let mut error = Error::new(
        ErrorKind::VariablesIncompatible,
        "Callers of the version that is live would break. Keep its variables, give new ones a default, or let an \
         admin override.",
    );
    let named = |content: &Content, name: &str| content.variables.iter().find(|v| v.name == name).cloned();
    let mut broken = false;
    for old in &live.variables {
        let problem = match named(candidate, &old.name) {
            None => format!("`{}` is declared by the live version and dropped here", old.name),
            Some(new) if new.kind != old.kind => {
                format!("`{}` has another type than in the live version", old.name)
            }
            Some(_) => continue,
        };
        broken = true;
        error = error.at(format!("/variables/{}", old.name), problem);
    }
    let must_be_given = |variable: &Variable| variable.required && variable.default.is_none();
    for new in candidate.variables.iter().filter(|new| must_be_given(new)) {
        if named(live, &new.name).is_none_or(|old| !must_be_given(&old)) {
            broken = true;
            let problem = format!("`{}` is newly required, without a default", new.name);
            error = error.at(format!("/variables/{}", new.name), problem);
        }
    }
    if broken { Err(error) } else { Ok(()) }
}
