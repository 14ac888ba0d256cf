//! The canary table of statistics.md §5, drawn again.
//!
//! To abort harmful versions more often than the table is no miss. With little traffic the product does: it
//! keeps the failures of a minute in which one arm alone served until the other serves too, and the table's
//! process forgot them, which costs nearly half of the versions with 5 % errors at 1,000 requests a day.

use domain::Result;

use crate::{
    canary::{self, End, HEALTHY, Harm, Story},
    draws::Draws,
    figures::Figure,
    report::{Row, line},
    simulation::Simulation,
};

/// Requests a day, for the columns of the table.
const TRAFFIC: [(f64, &str); 3] = [(100_000.0, "100k"), (10_000.0, "10k"), (1_000.0, "1k")];

const HEALTHY_NAME: &str = "healthy";

/// Where the table has no figure.
const NONE: f64 = f64::NAN;

/// A version, how often it is aborted for each traffic, and what the table says of when: the median
/// hour, and the median number of its requests by then.
type Line = (&'static str, Harm, [f64; 3], [&'static str; 3]);

/// The rows that are decided by the α of the product. A version with 2 or 3 % errors was tried with another.
const LINES: [Line; 10] = [
    (HEALTHY_NAME, HEALTHY, [0.004, 0.007, 0.002], ["5.2 h", "16.8 h", "51 %"]),
    (
        "errors 5 %",
        Harm { errors: 0.05, ..HEALTHY },
        [1.0, 1.0, 0.58],
        ["1.6 h 141", "8.3 h 173", "49 h 550"],
    ),
    ("errors 30 %", Harm { errors: 0.30, ..HEALTHY }, [1.0; 3], ["0.3 h 12", "0.8 h 17", "7.7 h 78"]),
    (
        "rating -.7",
        Harm { rating: 0.7, ..HEALTHY },
        [1.0, 0.98, 0.94],
        ["2.1 h 234", "11.2 h 239", "32 h 340"],
    ),
    (
        "eval -.14",
        Harm { score: 0.14, ..HEALTHY },
        [1.0, 0.93, 0.84],
        ["2.2 h 324", "12.3 h 300", "38 h 399"],
    ),
    ("eval -.12", Harm { score: 0.12, ..HEALTHY }, [1.0, 0.78, 0.64], ["2.4 h", "", ""]),
    (
        "eval -.12, 50 %",
        Harm { score: 0.12, judged: 0.5, ..HEALTHY },
        [NONE, 1.0, 1.0],
        ["", "4.0 h 82", "10.5 h 106"],
    ),
    (
        "rating and eval",
        Harm { rating: 0.7, score: 0.14, ..HEALTHY },
        [1.0, 1.0, 0.99],
        ["2.0 h 203", "9.7 h 199", "26 h 268"],
    ),
    ("latency +50 %", Harm { latency: 1.5, ..HEALTHY }, [1.0; 3], ["1.0 h", "2.0 h", "4.6 h"]),
    ("cost +30 %", Harm { cost: 1.3, ..HEALTHY }, [1.0; 3], ["1.9 h", "9.0 h", "21 h"]),
];

/// How many cells there are.
pub(crate) const CELLS: usize = TRAFFIC.len() * LINES.len();

/// Prints the table; says whether all shares are those of it.
pub(crate) fn measure(simulation: &mut Simulation, replications: u32) -> Result<bool> {
    line(
        "\nCanaries: aborted within three days and before the promotion; beside, not judged: median hour \
         and requests, of healthy ones the promoted",
    );
    let mut near = true;
    for (name, harm, targets, told) in LINES {
        for (((per_day, traffic), target), told) in TRAFFIC.into_iter().zip(targets).zip(told) {
            let row = |stories: &[Story]| {
                let aborted = Figure::share(stories, |story| story.end == End::Aborted);
                let row = Row::new(name, traffic);
                let (row, found) = if name == HEALTHY_NAME {
                    (row.share("aborted", target, aborted), promotions(stories))
                } else {
                    (row.at_least("aborted", target, aborted), aborts(stories))
                };
                row.shown(&format!("{told:>16}"), &format!("{found:>16}"))
            };
            let cell = format!("{name}, {traffic}");
            let run = |draws: &mut Draws| canary::run(harm, per_day, draws);
            let stories = simulation.cell(&cell, replications, run, |stories| row(stories).is_met())?;
            near &= stories.is_none_or(|stories| row(&stories).print());
        }
    }
    Ok(near)
}

/// How many were promoted, and when.
fn promotions(stories: &[Story]) -> String {
    let promoted = Figure::share(stories, |story| story.end == End::Promoted);
    let ended: Vec<_> = stories.iter().filter(|story| story.end == End::Promoted).collect();
    let hours = Figure::median_day(&ended, |story| story.hours);
    format!("{:.1} h, {:.0} %", hours.value, 100.0 * promoted.value)
}

/// When those were aborted that were, and after how many requests.
#[expect(clippy::cast_precision_loss, reason = "requests are far below 2^52")]
fn aborts(stories: &[Story]) -> String {
    let ended: Vec<_> = stories.iter().filter(|story| story.end == End::Aborted).collect();
    let hours = Figure::median_day(&ended, |story| story.hours);
    let requests = Figure::median_day(&ended, |story| story.requests as f64);
    format!("{:.1} h {:.0}", hours.value, requests.value)
}
