//! Replications of cells, on all cores.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    num::NonZero,
    ops::Range,
    panic::resume_unwind,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
};

use domain::Result;

use crate::draws::Draws;

/// How many times as often a cell is drawn that was not near at first.
pub(crate) const MORE: u32 = 16;

/// Draws cells.
pub(crate) struct Simulation {
    seed: u64,
    /// What the names of the cells have in common that are drawn.
    only: String,
    threads: u32,
    /// How many cells there are, for the progress.
    cells: u64,
    /// How many of them were asked for.
    asked: u64,
    /// How many of those were drawn.
    drawn: u64,
}

impl Simulation {
    /// Of those of so many cells that have `only` in their names.
    pub(crate) fn new(seed: u64, cells: usize, only: &str) -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = u32::try_from(threads).unwrap_or(1);
        Self { seed, only: only.to_owned(), threads, cells: cells as u64, asked: 0, drawn: 0 }
    }

    /// Whether a cell was drawn.
    pub(crate) fn has_drawn(&self) -> bool {
        self.drawn > 0
    }

    /// Draws the next cell so many times, if it is one of those to be drawn. Where what came of it is not near, it is
    /// drawn [`MORE`] times as often before that counts, for it may be chance. What is drawn depends on the seed and the
    /// place of the cell alone, not on the cores nor on what else is drawn.
    pub(crate) fn cell<T: Send>(
        &mut self,
        name: &str,
        replications: u32,
        run: impl Fn(&mut Draws) -> Result<T> + Sync,
        is_near: impl Fn(&[T]) -> bool,
    ) -> Result<Option<Vec<T>>> {
        let cell = self.asked;
        self.asked += 1;
        if !name.contains(&self.only) {
            return Ok(None);
        }
        self.drawn += 1;
        let draw = |replication| run(&mut Draws::of(self.seed, cell, replication));
        let mut runs = self.draw(name, 0..replications, draw)?;
        if !is_near(&runs) {
            runs.extend(self.draw(name, replications..MORE * replications, draw)?);
        }
        Ok(Some(runs))
    }

    /// Makes these replications on all cores, and returns them in their order.
    fn draw<T: Send>(
        &self,
        name: &str,
        replications: Range<u32>,
        run: impl Fn(u32) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let many = replications.end - replications.start;
        let done = AtomicU32::new(0);
        let part = |part: u32| {
            let begin =
                |part: u32| replications.start + many / self.threads * part + part.min(many % self.threads);
            let runs = (begin(part)..begin(part + 1)).map(|replication| {
                let result = run(replication);
                self.show(name, done.fetch_add(1, Relaxed), many);
                result
            });
            runs.collect::<Result<Vec<T>>>()
        };
        let parts = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads).map(|thread| scope.spawn(move || part(thread))).collect();
            let joined =
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            joined.collect::<Result<Vec<_>>>()
        });
        erase();
        Ok(parts?.into_iter().flatten().collect())
    }

    /// Rewrites the line of progress, some fifty times a cell.
    fn show(&self, name: &str, done: u32, of: u32) {
        if done.is_multiple_of(of.div_ceil(50)) && stderr().is_terminal() {
            let (cell, cells) = (self.asked, self.cells);
            let percent = 100 * u64::from(done) / u64::from(of);
            // Where nobody reads, nobody misses it.
            let _ = write!(stderr(), "\r\x1b[2K{cell} of {cells} cells, {percent:>2} % of {name}");
        }
    }
}

/// Makes room for what is printed.
fn erase() {
    if stderr().is_terminal() {
        let _ = write!(stderr(), "\r\x1b[2K");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits of two cells, of which only those are near that many were drawn of.
    fn drawn(threads: u32, only: &str, enough: usize) -> [Option<Vec<u64>>; 2] {
        let mut simulation = Simulation { threads, ..Simulation::new(7, 2, only) };
        ["one", "other"].map(|name| {
            let run = |draws: &mut Draws| Ok(draws.uniform().to_bits());
            simulation.cell(name, 10, run, |runs| runs.len() >= enough).unwrap()
        })
    }

    #[test]
    fn what_is_drawn_is_complete_in_order_and_the_same_on_any_number_of_cores() {
        let all = drawn(1, "", 10);
        assert_eq!(all, drawn(3, "", 10));
        assert_eq!(all[0].as_ref().map(Vec::len), Some(10));
        assert_ne!(all[0], all[1], "each cell is drawn anew");
        assert_eq!(drawn(1, "the", 10), [None, all[1].clone()], "a cell alone is drawn as among all");
    }

    #[test]
    fn what_is_not_near_is_drawn_more_often_and_once() {
        let (few, many) = (drawn(2, "", 10), drawn(3, "", 1000));
        let (few, many) = (few[0].as_ref().unwrap(), many[0].as_ref().unwrap());
        assert_eq!(many.len(), 160);
        assert_eq!(many[..10], few[..], "what was drawn before counts");
    }
}
