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

/// Draws all cells.
pub(crate) struct Simulation {
    seed: u64,
    threads: u32,
    /// How many cells there are, for the progress.
    cells: u64,
    /// How many are drawn.
    drawn: u64,
}

impl Simulation {
    /// Of so many cells.
    pub(crate) fn new(seed: u64, cells: usize) -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = u32::try_from(threads).unwrap_or(1);
        Self { seed, threads, cells: cells as u64, drawn: 0 }
    }

    /// Draws the next cell so many times. What is drawn depends on the seed alone, not on the cores.
    pub(crate) fn cell<T: Send>(
        &mut self,
        name: &str,
        replications: u32,
        run: impl Fn(&mut Draws) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let cell = self.drawn;
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
        Ok(parts?.into_iter().flatten().collect())
    }

    /// Rewrites the line of progress, some fifty times a cell.
    fn show(&self, name: &str, done: u32, of: u32) {
        if done.is_multiple_of(of.div_ceil(50)) && stderr().is_terminal() {
            let (cell, cells) = (self.drawn + 1, self.cells);
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
        let drawn = |threads| {
            let mut simulation = Simulation { threads, ..Simulation::new(7, 2) };
            let mut cell = || simulation.cell("a cell", 10, |draws| Ok(draws.uniform().to_bits())).unwrap();
            [cell(), cell()]
        };
        let one = drawn(1);
        assert_eq!((&one, one[0].len()), (&drawn(3), 10));
        assert_ne!(one[0], one[1], "each cell is drawn anew");
    }
}
