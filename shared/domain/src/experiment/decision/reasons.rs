//! What a decision was made by, in words for a product manager.

use std::time::Duration;

use super::{CONFIDENT_TICKS, Decision, Mode, NEGLIGIBLE, Outcome, Z_PLANNED};
use crate::experiment::evidence;

impl Decision {
    /// Why it is so, the chief reason first. `names` are the arms', the control's first.
    pub fn reasons(&self, names: &[&str]) -> Vec<String> {
        let control = name(names, 0);
        match self.outcome {
            Outcome::NotApplicable => {
                vec!["There is one variant only, so there is nothing to compare.".to_owned()]
            }
            Outcome::Guardrail => {
                vec![format!("Every variant but {control} broke a guardrail: {control} stays.")]
            }
            Outcome::Winner(arm) => vec![self.of_winner(name(names, arm), name(names, self.rival))],
            Outcome::Equivalent => vec![format!(
                "Time is up and the variants are as good as equal: keeping {control} loses {} % of its mean \
                 on average, and up to {} % does not matter. {control} stays.",
                percent(self.control_loss),
                percent(NEGLIGIBLE),
            )],
            Outcome::Inconclusive => {
                let mut reasons = self.obstacles(names);
                reasons.insert(0, format!("Time is up without a winner: {control} stays."));
                reasons.push(self.so_far(names));
                reasons
            }
            Outcome::Undecided => {
                let mut reasons = self.obstacles(names);
                if self.settings.mode == Mode::Manual {
                    reasons.push("A person decides this one.".to_owned());
                }
                reasons.push(self.so_far(names));
                reasons
            }
        }
    }

    fn of_winner(&self, winner: &str, rival: &str) -> String {
        if self.settings.mode == Mode::Balanced {
            return format!(
                "{winner} was the best with a probability of 95 % or more for {} hours in a row.",
                self.streak.ticks
            );
        }
        if self.ln_e >= libm::log(evidence::ENOUGH) {
            let odds = self.odds();
            return format!(
                "{winner} is better: the evidence that it beats {rival}, the closest one, is {odds} to 1, \
                 and {} to 1 is enough at any time.",
                evidence::ENOUGH
            );
        }
        format!(
            "At the planned end {winner} is {:.2} standard errors ahead of the closest variant, and \
             {Z_PLANNED} are enough then.",
            self.z
        )
    }

    /// What stands in the way of a decision, whatever the numbers say.
    fn obstacles(&self, names: &[&str]) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.flags.srm {
            reasons.push(
                "The variants were not served as often as their weights say, so the results may be of \
                 different users: find out why before you believe them."
                    .to_owned(),
            );
        }
        if self.flags.feedback_bias {
            reasons.push(
                "The users of one variant answer more often than those of another, so the answers are not \
                 comparable."
                    .to_owned(),
            );
        }
        if self.flags.frozen {
            reasons.push("All variants fail at the moment: it waits until the provider is well.".to_owned());
        }
        if !self.has_samples() {
            let (arm, samples) = self.fewest;
            let arm = name(names, arm);
            let needed = self.settings.min_samples;
            reasons.push(format!("{arm} has {samples} of the {needed} results that each variant needs."));
        }
        if self.active < self.settings.min_duration {
            let (ran, needed) = (hours(self.active), hours(self.settings.min_duration));
            reasons.push(format!("It has run for {ran} of at least {needed} hours."));
        }
        reasons
    }

    /// How far it is.
    fn so_far(&self, names: &[&str]) -> String {
        let (leader, p_best) = (name(names, self.leader), percent(self.p_best));
        let leads = format!("{leader} leads and is the best with a probability of {p_best} %");
        if self.settings.mode == Mode::Balanced {
            let ticks = self.streak.ticks;
            return format!(
                "{leads}; 95 % for {CONFIDENT_TICKS} hours in a row are needed, and it is at {ticks}."
            );
        }
        let (rival, odds) = (name(names, self.rival), self.odds());
        let needed = evidence::ENOUGH;
        format!("{leads}; the evidence that it beats {rival} is {odds} to 1, and {needed} to 1 is needed.")
    }

    /// The evidence, rounded down: it must not look like enough before it is.
    fn odds(&self) -> f64 {
        (self.e_value() * 10.0).floor() / 10.0
    }
}

fn name<'a>(names: &[&'a str], arm: usize) -> &'a str {
    names.get(arm).copied().unwrap_or("a variant")
}

/// A share in percent, with one digit.
fn percent(share: f64) -> f64 {
    (share * 1000.0).floor() / 10.0
}

fn hours(time: Duration) -> u64 {
    time.as_secs() / 3600
}
