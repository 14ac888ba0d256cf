//! `local restore`: brings a table on AWS that was restored to an earlier moment up to its archive.

use clap::Args;
use release::Restored;
use runtime::aws::Aws;
use store::Names;

use crate::{Output, StartError};

/// Which table, and what it is brought up to.
#[derive(Args)]
pub struct Restore {
    /// The table: one beside that of the deployment
    #[arg(long, value_name = "TABLE")]
    table: String,
    /// The bucket of the archive
    #[arg(long, value_name = "BUCKET")]
    archive: String,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Restore {
    /// Restores, and says what came of it.
    pub(crate) async fn run(&self, output: Output) -> Result<(), StartError> {
        let names = Names {
            registry: self.table.clone(),
            archive: Some(self.archive.clone()),
            // Neither is touched.
            telemetry: String::new(),
            bucket: String::new(),
        };
        let store = Aws::connect().await.store(names);
        let restored = release::restore(&store, self.dry_run).await.map_err(StartError::Restore)?;
        self.tell(output, &restored);
        let Restored { refused, lost, .. } = &restored;
        if refused.is_empty() && lost.is_empty() { Ok(()) } else { Err(StartError::NotWhole) }
    }

    fn tell(&self, output: Output, restored: &Restored) {
        let Restored { chains, entries, up_to, left, refused, lost } = restored;
        let did = if self.dry_run { "would be" } else { "were" };
        output.say(&format!("{entries} entries {did} done again (chains: {chains})."));
        if let Some(up_to) = up_to {
            output.say(&format!("The newest is of {up_to}: what was done later is in neither."));
        }
        let lists = [("Do again by hand", left), ("Not followed", refused), ("Lost", lost)];
        for (title, lines) in lists.into_iter().filter(|(_, lines)| !lines.is_empty()) {
            output.say(&format!("{title}:"));
            for line in lines {
                output.say(&format!("  {line}"));
            }
        }
    }
}
