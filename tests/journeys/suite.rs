//! The journeys.

mod gate;
mod names;
mod people;
mod records;
mod releases;
mod trials;

use std::pin::Pin;

use crate::target::Target;

/// What somebody does with a platform.
pub(crate) type Journey = for<'t> fn(&'t Target) -> Pin<Box<dyn Future<Output = ()> + 't>>;

/// All journeys.
pub(crate) const JOURNEYS: &[Journey] = &[
    |target| Box::pin(releases::a_prompt_is_written_released_and_rolled_back(target)),
    |target| Box::pin(releases::of_two_who_saw_the_same_one_moves(target)),
    |target| Box::pin(releases::a_rollback_breaks_the_glass(target)),
    |target| Box::pin(gate::a_worse_version_is_refused_and_a_better_one_let_through(target)),
    |target| Box::pin(people::roles_and_teams_hold(target)),
    |target| Box::pin(people::a_revoked_key_is_refused(target)),
    |target| Box::pin(names::any_name_resolves(target)),
    |target| Box::pin(names::a_renamed_prompt_answers_to_both_names_and_an_archived_one_is_gone(target)),
    |target| Box::pin(records::the_audit_proves_itself(target)),
    |target| Box::pin(records::the_same_request_is_made_once(target)),
    |target| Box::pin(trials::an_experiment_is_started_heard_of_explained_and_stopped(target)),
    |target| Box::pin(trials::a_canary_grows_and_is_taken_back(target)),
];

/// Runs every journey; returns how many there were, and how many requests they made.
pub(crate) async fn run(target: &Target) -> (usize, usize) {
    for journey in JOURNEYS {
        journey(target).await;
    }
    (JOURNEYS.len(), target.asked())
}
