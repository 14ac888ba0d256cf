//! Replications of cells, on all cores.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    num::NonZero,
    panic::resume_unwind,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
};

use domain::Result;

use crate::draws::Draws;

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

    /// Draws the next cell so many times, if it is one of those to be drawn. What is drawn depends on the seed
    /// and the place of the cell alone, not on the cores nor on what else is drawn.
    pub(crate) fn cell<T: Send>(
        &mut self,
        name: &str,
        replications: u32,
        run: impl Fn(&mut Draws) -> Result<T> + Sync,
    ) -> Result<Option<Vec<T>>> {
        let cell = self.asked;
        self.asked += 1;
        if !name.contains(&self.only) {
            return Ok(None);
        }
        let done = AtomicU32::new(0);
        let part = |thread: u32| {
            let at = |thread: u32| u64::from(replications) * u64::from(thread) / u64::from(self.threads);
            let range = at(thread)..at(thread + 1);
            range
                .map(|replication| {
                    let replication = u32::try_from(replication).unwrap_or(u32::MAX);
                    let result = run(&mut Draws::of(self.seed, cell, replication));
                    self.show(name, done.fetch_add(1, Relaxed), replications);
                    result
                })
                .collect::<Result<Vec<T>>>()
        };
        let parts = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads).map(|thread| scope.spawn(move || part(thread))).collect();
            let joined =
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            joined.collect::<Result<Vec<_>>>()
        });
        self.drawn += 1;
        erase();
        Ok(Some(parts?.into_iter().flatten().collect()))
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

    #[test]
    fn what_is_drawn_is_complete_in_order_and_the_same_on_any_number_of_cores() {
        let drawn = |threads, only| {
            let mut simulation = Simulation { threads, ..Simulation::new(7, 2, only) };
            ["one", "other"]
                .map(|name| simulation.cell(name, 10, |draws| Ok(draws.uniform().to_bits())).unwrap())
        };
        let all = drawn(1, "");
        assert_eq!(all, drawn(3, ""));
        assert_eq!(all[0].as_ref().map(Vec::len), Some(10));
        assert_ne!(all[0], all[1], "each cell is drawn anew");
        assert_eq!(drawn(1, "the"), [None, all[1].clone()], "a cell alone is drawn as among all");
    }
}
