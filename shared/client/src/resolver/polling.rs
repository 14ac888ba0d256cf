//! How a resolver learns what has changed.

use std::{sync::Arc, time::Duration};

use domain::ReadAt;

use super::{
    Known, Shared, chain,
    contents::{Contents, Page, Version},
};
use crate::{Error, Result, snapshot::Snapshot};

impl Shared {
    /// Looks at the platform. A look counts as a whole or not at all: then what was known goes on being served.
    pub(super) async fn look(&self) -> Result<()> {
        let _alone = self.looking.lock().await;
        let looked = self.read().await;
        self.failure.send_replace(looked.as_ref().err().map(chain));
        self.known.send_replace(looked?);
        Ok(())
    }

    async fn read(&self) -> Result<Known> {
        let read_at = ReadAt::now(&self.client.sources);
        let held = Arc::clone(&self.known.borrow().contents);
        let (mut pages, mut team) = (Vec::<Arc<Page>>::new(), held.team.clone());
        let (mut age, mut changed, mut cursor) = (Duration::ZERO, false, None);
        loop {
            let known = held.pages.get(pages.len()).filter(|page| page.cursor == cursor);
            let tag = known.map(|page| page.tag.as_str());
            let place = (self.options.team.as_ref(), &self.options.environment);
            let read = self.client.snapshot(place, cursor.as_deref(), tag).await?;
            age = age.max(read.age);
            let page = match (read.fresh, known) {
                (None, Some(known)) => Arc::clone(known),
                (Some((tag, snapshot)), _) => {
                    changed = true;
                    team = Some(snapshot.team_id.clone());
                    Arc::new(page(cursor.take(), tag, snapshot, &held)?)
                }
                (None, None) => return Err(Error::NothingToKeep),
            };
            cursor.clone_from(&page.next_cursor);
            pages.push(page);
            if cursor.is_none() {
                break;
            }
        }
        let contents = match team {
            Some(team) if changed || pages.len() != held.pages.len() => {
                Arc::new(Contents::of(team, pages, &held)?)
            }
            _ => held,
        };
        Ok(Known { contents, read_at, age })
    }
}

/// A page with its versions compiled: those that are held already are not compiled again.
fn page(cursor: Option<String>, tag: String, snapshot: Snapshot, held: &Contents) -> Result<Page> {
    let ready = |version: crate::snapshot::Version| match held.version(version.version_id) {
        Some(held) => Ok(Arc::clone(held)),
        None => Version::new(version.version_id, version.version_number, version.into()).map(Arc::new),
    };
    let versions = snapshot.versions.into_iter().map(ready).collect::<Result<_>>()?;
    Ok(Page { cursor, tag, entries: snapshot.data, versions, next_cursor: snapshot.next_cursor })
}
