//! What the simulation says.

use std::io::{Write as _, stdout};

use crate::figures::Figure;

/// Writes a line, at once.
pub(crate) fn line(text: &str) {
    // Where nobody reads, nobody misses it.
    let _ = writeln!(stdout(), "{text}");
}

/// A line of a table: figures of the specification, and those that were measured.
pub(crate) struct Row {
    name: String,
    targets: Vec<String>,
    found: Vec<String>,
    missed: Vec<String>,
    judged: bool,
}

impl Row {
    pub(crate) fn new(name: &str, of: &str) -> Self {
        Self {
            name: format!("{name:24} {of:>5} "),
            targets: Vec::new(),
            found: Vec::new(),
            missed: Vec::new(),
            judged: false,
        }
    }

    /// A probability.
    pub(crate) fn share(self, name: &str, target: f64, found: Figure) -> Self {
        self.figure(name, target, found, share)
    }

    /// A probability that is the better, the higher it is: above the specification's it is met too.
    pub(crate) fn at_least(self, name: &str, target: f64, found: Figure) -> Self {
        let near = found.value >= target || found.is_near(target);
        self.judged(name, target, found, near, share)
    }

    /// A share in percent.
    pub(crate) fn percent(self, name: &str, target: f64, found: Figure) -> Self {
        self.figure(name, target, found, |share| format!("{:>5.1}", 100.0 * share))
    }

    /// A number of days.
    pub(crate) fn days(self, name: &str, target: f64, found: Figure) -> Self {
        self.figure(name, target, found, |days| format!("{days:>5.2}"))
    }

    /// Something that is not judged.
    pub(crate) fn shown(mut self, target: &str, found: &str) -> Self {
        self.targets.push(target.to_owned());
        self.found.push(found.to_owned());
        self
    }

    fn figure(self, name: &str, target: f64, found: Figure, text: impl Fn(f64) -> String) -> Self {
        self.judged(name, target, found, found.is_near(target), text)
    }

    fn judged(
        mut self,
        name: &str,
        target: f64,
        found: Figure,
        near: bool,
        text: impl Fn(f64) -> String,
    ) -> Self {
        let measured = text(found.value);
        let wanted = if target.is_nan() { format!("{:>1$}", "-", measured.len()) } else { text(target) };
        if !near {
            let (off, allowed) = (text((found.value - target).abs()), text(found.allowed(target)));
            self.missed.push(format!("{name} off by {}, allowed {}", off.trim(), allowed.trim()));
        }
        self.judged |= !target.is_nan();
        self.shown(&wanted, &measured)
    }

    /// Whether all figures are near.
    pub(crate) fn is_met(&self) -> bool {
        self.missed.is_empty()
    }

    /// Prints it, and says whether all figures are near.
    pub(crate) fn print(self) -> bool {
        let met = self.is_met();
        let verdict = match (met, self.judged) {
            (true, true) => "met".to_owned(),
            (true, false) => "not judged".to_owned(),
            (false, _) => format!("MISSED: {}", self.missed.join("; ")),
        };
        let (targets, found) = (self.targets.join(" "), self.found.join(" "));
        line(&format!("{} {targets:25} | {found:25}  {verdict}", self.name));
        met
    }
}

fn share(share: f64) -> String {
    format!("{share:>6.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_met_if_all_its_figures_are() {
        let half = Figure::share(&[(); 10_000], |()| true);
        let row = || Row::new("a policy", "1x").share("P_B", 1.0, half);
        assert!(row().print());
        assert!(row().share("P_A", f64::NAN, half).print(), "what has no target is not judged");
        assert!(!row().share("P_A", 0.9, half).print());
        assert!(row().at_least("aborted", 0.9, half).print());
        let none = Figure::share(&[(); 10_000], |()| false);
        assert!(!row().at_least("aborted", 0.9, none).print());
    }
}
