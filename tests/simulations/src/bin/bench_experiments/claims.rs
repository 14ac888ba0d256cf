//! The headline claims of statistics.md §0, told with the figures that were measured.

use crate::{
    drift,
    experiment::Policy,
    figures::{Figure, Figures},
    reference::Measured,
    report::line,
    table::{BLOCKS, EFFECTS},
};

/// The most often that a prompt that is no better may win.
const FALSE_PROMOTIONS: f64 = 0.05;

/// Prints them.
pub(crate) fn tell(measured: &Measured, drift: &drift::Measured) {
    line("\nWhat holds of the headline claims of statistics.md §0 (figures are from .30, .10 and ratings):");
    naive(measured);
    for policy in [Policy::Fixed, Policy::Strict, Policy::Balanced, Policy::Naive] {
        headline(measured, policy);
    }
    proposed(measured);
    errors(measured);
    line(&format!(
        "- Of equals that drift alike, means of all time let one win in up to {:.0} %, strata in {:.1} to \
         {:.1} %.",
        100.0 * drift.pooled,
        100.0 * drift.strata.0,
        100.0 * drift.strata.1
    ));
}

/// Speed that is bought with errors.
fn naive(measured: &Measured) {
    let at = |policy, effect| measured.of(policy, effect);
    let either = |figures: &Figures| 100.0 * (figures.wins[0].value + figures.wins[1].value);
    line(&format!(
        "- «2 to 3 days instead of 14» at 1x {} without error control: naive Thompson has a winner after {} \
         days and spares {} % of the exposure; half and half with the same rule, {} days and {} %. Of \
         equals, they let one win in {} % and {} %.",
        holds(at(Policy::Naive, 1.0).all(|figures| figures.day.value <= 3.0 || figures.day.is_near(3.0))),
        range(at(Policy::Naive, 1.0), 1, |figures| figures.day.value),
        range(at(Policy::Naive, 1.0), 0, reduction),
        range(at(Policy::NaiveFixed, 1.0), 1, |figures| figures.day.value),
        range(at(Policy::NaiveFixed, 1.0), 0, reduction),
        range(at(Policy::Naive, 0.0), 0, either),
        range(at(Policy::NaiveFixed, 0.0), 0, either),
    ));
}

/// From which effect on a policy does what the headline says.
fn headline(measured: &Measured, policy: Policy) {
    line(&format!(
        "- {}: 80 % less exposure {}; a winner within 3 days {}, within 4 days {}.",
        policy.name(),
        from(measured, policy, |figures| figures.spared.value >= 0.795),
        from(measured, policy, |figures| tenths(figures.day.value) <= 3.0),
        from(measured, policy, |figures| tenths(figures.day.value) <= 4.0),
    ));
}

/// The claim that §0 proposes instead, of the default.
fn proposed(measured: &Measured) {
    let at = |effect| measured.of(Policy::Strict, effect);
    for (effect, days) in [(1.0, 3.5), (1.5, 1.5)] {
        let near = middle(at(effect), |figures| figures.converged).is_near(days);
        line(&format!(
            "- «80 % of the traffic is on the better prompt after about {days} days» at {effect}x {}: {} \
             days.",
            holds(near),
            range(at(effect), 1, |figures| figures.converged.value)
        ));
    }
    for (effect, least, most) in [(1.0, 60.0, 60.0), (1.5, 71.0, 74.0), (2.0, 78.0, 82.0)] {
        let claimed = if most > least { format!("{least} to {most}") } else { format!("about {least}") };
        line(&format!(
            "- «{claimed} % less exposure» at {effect}x {}: {} %.",
            holds(at(effect).all(|figures| reduction(figures).round() >= least)),
            range(at(effect), 1, reduction)
        ));
    }
    let promoted = |figures: &Figures| 100.0 * figures.wins[1].value;
    line(&format!(
        "- «A prompt that is no better is promoted in less than 5 %» {}: {} %.",
        holds(at(0.0).all(|figures| figures.wins[1].value < FALSE_PROMOTIONS)),
        range(at(0.0), 1, promoted)
    ));
}

/// How often the worse arm won.
fn errors(measured: &Measured) {
    for (policy, most) in [(Policy::Strict, 0.001), (Policy::Balanced, 0.012), (Policy::Naive, 0.050)] {
        let wrong: Vec<Figure> = measured.effective(policy).map(|figures| figures.wins[0]).collect();
        let worst = wrong.iter().max_by(|one, other| one.value.total_cmp(&other.value));
        let Some(worst) = worst else { continue };
        line(&format!(
            "- «{} promotes the worse arm in at most {:.1} %, whatever the effect» {}: {:.2} %.",
            policy.name(),
            100.0 * most,
            holds(worst.value <= most + worst.chance),
            100.0 * worst.value
        ));
    }
}

fn holds(claim: bool) -> &'static str {
    if claim { "HOLDS" } else { "DOES NOT HOLD" }
}

fn reduction(figures: &Figures) -> f64 {
    100.0 * figures.spared.value
}

/// As the tables round.
fn tenths(days: f64) -> f64 {
    (10.0 * days).round() / 10.0
}

/// The figure of the block that is in the middle.
fn middle<'a>(blocks: impl Iterator<Item = &'a Figures>, figure: impl Fn(&Figures) -> Figure) -> Figure {
    let mut figures: Vec<Figure> = blocks.map(figure).collect();
    figures.sort_by(|one, other| one.value.total_cmp(&other.value));
    figures[figures.len() / 2]
}

/// The least and the most over the blocks.
fn range<'a>(
    blocks: impl Iterator<Item = &'a Figures>,
    digits: usize,
    value: impl Fn(&Figures) -> f64,
) -> String {
    let (least, most) = blocks
        .map(value)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    format!("{least:.digits$} to {most:.digits$}")
}

/// The least effect from which on it is so, for each block.
fn from(measured: &Measured, policy: Policy, is_so: impl Fn(&Figures) -> bool) -> String {
    let first = |block: usize| {
        let so = |effect: &f64| measured.of(policy, *effect).nth(block).is_some_and(&is_so);
        let from = EFFECTS.iter().rposition(|effect| !so(effect)).map_or(0, |last| last + 1);
        EFFECTS.get(from).map_or("not at 3x".to_owned(), |effect| format!("from {effect}x"))
    };
    (0..BLOCKS.len()).map(first).collect::<Vec<_>>().join(", ")
}
