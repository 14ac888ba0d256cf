//! API keys.

use domain::{ApiKey, Result, TeamScope};

use crate::{
    Change, Page, PageRequest, Slot, Store,
    change::Guard,
    keys::{Key, List},
};

impl Change {
    /// Puts a key; nobody may have changed it since the one before was read.
    pub fn put_api_key(&mut self, key: &ApiKey) -> Result<()> {
        let list = (List::ApiKeys(&key.team_id), key.id.clone());
        self.put_listed(Slot::ApiKey, Key::ApiKey(key.id.clone()), key, Guard::before(key.revision), &list)
    }
}

impl Store {
    /// Reads a key by its public part.
    pub async fn api_key(&self, id: &str) -> Result<Option<ApiKey>> {
        self.get(&Key::ApiKey(id.to_owned())).await
    }

    /// A page of a team's keys.
    pub async fn api_keys(&self, team: &TeamScope, request: &PageRequest) -> Result<Page<ApiKey>> {
        self.page(self.query_list(&List::ApiKeys(team)), request).await
    }
}
