//! Which prompts there are, for callers who ask for all of them.

use std::{collections::BTreeSet, sync::Arc};

use domain::{Caller, Error, ErrorKind, PromptId, Result, TeamId};
use store::PageRequest;

use crate::{Cache, ReadAt, layer::Loaded, values::ListEntry};

/// The most prompts that are listed.
pub const MOST_LISTED: usize = 500;

/// How many names the table is asked for at once.
const PAGE: u32 = 500;

impl Cache {
    /// The prompts of the caller's team, or of all teams where it sees all. Where these are more than
    /// [`MOST_LISTED`] it is [`Invalid`](ErrorKind::Invalid).
    pub async fn prompts_of(&self, caller: &Caller) -> Result<Arc<BTreeSet<PromptId>>> {
        let team = caller.scope.team().filter(|_| !caller.sees_all()).cloned();
        let load = || async {
            let read_at = ReadAt::now(&self.sources);
            Ok(Loaded::of_table(ListEntry(Arc::new(self.read_list(team.as_ref()).await?)), read_at))
        };
        let listed = self.lists.get(&team, load).await?.value.0;
        if listed.len() <= MOST_LISTED {
            return Ok(listed);
        }
        let detail = format!("This key sees more than {MOST_LISTED} prompts. Ask for each by its name.");
        Err(Error::new(ErrorKind::Invalid, detail))
    }

    /// All of them, or one page beyond the bound.
    async fn read_list(&self, team: Option<&TeamId>) -> Result<BTreeSet<PromptId>> {
        let (mut listed, mut request) = (BTreeSet::new(), PageRequest::first(PAGE));
        while listed.len() <= MOST_LISTED {
            let (ids, next): (Vec<_>, _) = if let Some(team) = team {
                let page = self.store.prompt_names(team, &request).await?;
                (page.data.into_iter().map(|(_, prompt)| prompt).collect(), page.next_cursor)
            } else {
                let page = self.store.prompts(None, &request).await?;
                (page.data.into_iter().map(|prompt| prompt.prompt_id).collect(), page.next_cursor)
            };
            listed.extend(ids);
            request.cursor = next;
            if request.cursor.is_none() {
                break;
            }
        }
        Ok(listed)
    }
}
