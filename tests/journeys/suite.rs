//! The journeys.

mod gate;
mod names;
mod people;
mod records;
mod releases;
mod trials;

use crate::target::Target;

/// How many journeys there are.
pub(crate) const JOURNEYS: usize = 12;

/// Runs every journey; returns how many there were, and how many requests they made.
pub(crate) async fn run(target: &Target) -> (usize, usize) {
    for journey in 0..JOURNEYS {
        one(journey, target).await;
    }
    (JOURNEYS, target.asked())
}

/// Runs one of them.
pub(crate) async fn one(journey: usize, target: &Target) {
    match journey {
        0 => releases::a_prompt_is_written_released_and_rolled_back(target).await,
        1 => releases::of_two_who_saw_the_same_one_moves(target).await,
        2 => releases::a_rollback_breaks_the_glass(target).await,
        3 => gate::a_worse_version_is_refused_and_a_better_one_let_through(target).await,
        4 => people::roles_and_teams_hold(target).await,
        5 => people::a_revoked_key_is_refused(target).await,
        6 => names::any_name_resolves(target).await,
        7 => names::a_renamed_prompt_answers_to_both_names_and_an_archived_one_is_gone(target).await,
        8 => records::the_audit_proves_itself(target).await,
        9 => records::the_same_request_is_made_once(target).await,
        10 => trials::an_experiment_is_started_heard_of_explained_and_stopped(target).await,
        11 => trials::a_canary_grows_and_is_taken_back(target).await,
        _ => panic!("there is no journey {journey}"),
    }
}
