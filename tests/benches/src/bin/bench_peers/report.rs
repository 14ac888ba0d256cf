//! What the bench says and writes.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use benches::{
    Outcome,
    figures::{median, ms},
    load::{Load, Measured},
};
use e2e::report::line;

use crate::{
    chart::{self, Mark},
    system::{Kind, System},
    texts::Text,
};

/// A system, asked in one way.
pub(crate) struct Row<'a> {
    pub(crate) name: String,
    pub(crate) system: &'a System,
    pub(crate) load: Load,
    /// How long an answer is, on average.
    bytes: usize,
    pub(crate) rounds: Vec<Measured>,
}

impl<'a> Row<'a> {
    /// All ways to ask a system. Others' servers may do better without connections that stay open.
    pub(crate) async fn of(system: &'a System, texts: &[Text]) -> Outcome<Vec<Self>> {
        let bytes = system.bytes(texts).await?;
        let row = |name, load| Self { name, system, load, bytes, rounds: Vec::new() };
        let mut rows = vec![row(system.name.clone(), system.load.clone())];
        if system.kind == Kind::Peer {
            rows.push(row(format!("{}, new connections", system.name), system.load.apart()));
        }
        Ok(rows)
    }

    fn rate(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.rate))
    }

    /// As a line of the table.
    fn told(&self, reference: &Self) -> String {
        let pairs = self.rounds.iter().zip(&reference.rounds);
        let share = median(pairs.map(|(own, reference)| own.rate / reference.rate));
        let figure = |of: fn(&Measured) -> Duration| median(self.rounds.iter().map(of));
        let cpu = figure(|round| round.cpu);
        format!(
            "| {:40} | {:>10} | {share:>9.4} | {:>8} | {:>8} | {:>14.0} | {:>12} |",
            self.name,
            chart::grouped(self.rate()),
            ms(figure(|round| round.p50)),
            ms(figure(|round| round.p99)),
            cpu.as_secs_f64() * 1e6,
            self.bytes
        )
    }
}

/// Prints the table, and writes it and a chart of it into a folder; the first row is what the others are compared with.
pub(crate) fn write(rows: &[Row<'_>], how: &str, folder: &Path) -> Outcome<()> {
    let reference = rows.first().ok_or("nothing was measured")?;
    let mut table = format!(
        "| {:40} | requests/s | of axum's |   p50 ms |   p99 ms | CPU µs/request | answer bytes |\n|{:-<42}|",
        "", ""
    );
    for width in [11, 10, 9, 9, 15, 13] {
        write!(table, "{:-<width$}:|", "")?;
    }
    for row in rows {
        write!(table, "\n{}", row.told(reference))?;
    }
    line(&format!("\n{table}\n\n{how}"));
    let marks: Vec<_> =
        rows.iter().map(|row| Mark { name: &row.name, kind: row.system.kind, rate: row.rate() }).collect();
    fs::create_dir_all(folder)?;
    fs::write(folder.join("peers.md"), format!("{table}\n\n{how}.\n"))?;
    fs::write(folder.join("peers.svg"), chart::draw(&marks, how)?)?;
    line(&format!("Written: peers.md and peers.svg in {}", folder.canonicalize()?.display()));
    Ok(())
}
