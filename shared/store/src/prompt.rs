//! Prompts and the names under which they are found.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::{Prompt, PromptId, PromptName, Result, TeamId, TeamScope, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Change, Page, PageRequest, Slot, Store,
    change::Guard,
    keys::{Key, List, NAMES, team_partition},
    sent::Sent,
    table::{Item, attribute, failed, from_item, text},
};

/// DynamoDB reads no more items by one request.
const MOST_AT_ONCE: usize = 100;

/// A prompt as it is kept.
#[derive(Serialize)]
pub(crate) struct PromptItem<'a> {
    #[serde(flatten)]
    pub(crate) prompt: &'a Prompt,
    /// See [`Prompt::searched`].
    pub(crate) searched: String,
}

/// The name of that attribute.
const SEARCHED: &str = "searched";

/// A name of a team: it belongs to its prompt for ever.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct NameItem {
    team_id: TeamId,
    name: PromptName,
    prompt_id: PromptId,
    /// When the prompt took another name; this one still leads to it.
    alias_since: Option<Timestamp>,
}

impl Change {
    /// Takes a name for a prompt. It must never have been used in the team, unless by this very prompt
    /// (`is_alias`): then it leads there already, and for ever.
    pub fn take_name(&mut self, prompt: &Prompt, is_alias: bool) -> Result<()> {
        let guard = if is_alias { Guard::Exists } else { Guard::Absent };
        self.put_name(&prompt.team_id, &prompt.name, prompt.prompt_id, None, guard)
    }

    /// Makes the name that a prompt had an alias.
    pub fn keep_alias(&mut self, former: &Prompt) -> Result<()> {
        let since = Some(self.now());
        let guard = Guard::Exists;
        self.put_name(&former.team_id, &former.name, former.prompt_id, since, guard)
    }

    fn put_name(
        &mut self,
        team_id: &TeamId,
        name: &PromptName,
        prompt_id: PromptId,
        alias_since: Option<Timestamp>,
        guard: Guard,
    ) -> Result<()> {
        let key = Key::Name(team_id.clone(), name.as_str().to_owned());
        let item = NameItem { team_id: team_id.clone(), name: name.clone(), prompt_id, alias_since };
        let list = (List::Names(name.as_str()), team_id.as_str().to_owned());
        self.put_listed(Slot::Name, key, &item, guard, &list)
    }
}

impl Store {
    /// Reads a prompt.
    pub async fn prompt(&self, prompt: PromptId) -> Result<Option<Prompt>> {
        self.get(&Key::Prompt(prompt)).await
    }

    /// Reads prompts by their ids, each given once; those that are not there are left out.
    pub async fn prompts_of(&self, ids: &[PromptId]) -> Result<BTreeMap<PromptId, Prompt>> {
        let mut found = BTreeMap::new();
        for ids in ids.chunks(MOST_AT_ONCE) {
            let keys: Vec<Key> = ids.iter().map(|id| Key::Prompt(*id)).collect();
            let prompts: Vec<Prompt> = self.get_many(&keys).await?;
            found.extend(prompts.into_iter().map(|prompt| (prompt.prompt_id, prompt)));
        }
        Ok(found)
    }

    /// Finds a prompt of a team by a present or former name.
    pub async fn prompt_named(&self, team: &TeamId, name: &str) -> Result<Option<PromptId>> {
        let found: Option<NameItem> = self.get(&Key::Name(team.clone(), name.to_owned())).await?;
        Ok(found.map(|item| item.prompt_id))
    }

    /// Finds prompts of all teams by name: at most two, which is enough to know that a bare name is not unique.
    pub async fn prompts_named(&self, name: &str) -> Result<Vec<(TeamId, PromptId)>> {
        let page: Page<NameItem> =
            self.page(self.query_list(&List::Names(name)), &PageRequest::first(2)).await?;
        Ok(page.data.into_iter().map(|item| (item.team_id, item.prompt_id)).collect())
    }

    /// A page of a team's prompts, by each name that they have or had: a new name hides nobody.
    pub async fn prompt_names(
        &self,
        team: &TeamId,
        request: &PageRequest,
    ) -> Result<Page<(PromptName, PromptId)>> {
        let partition = team_partition(&TeamScope::Team(team.clone()));
        let names: Page<NameItem> =
            self.page(self.query(&self.names.registry, partition, NAMES), request).await?;
        let data = names.data.into_iter().map(|item| (item.name, item.prompt_id)).collect();
        Ok(Page { data, next_cursor: names.next_cursor })
    }

    /// A page of a team's prompts by name, or of all teams' by age.
    ///
    /// A page may hold fewer than `limit`: aliases are passed over.
    pub async fn prompts(&self, team: Option<&TeamId>, request: &PageRequest) -> Result<Page<Prompt>> {
        let Some(team) = team else {
            return self.page(self.query_list(&List::Prompts), request).await;
        };
        let partition = team_partition(&TeamScope::Team(team.clone()));
        let names: Page<NameItem> =
            self.page(self.query(&self.names.registry, partition, NAMES), request).await?;
        let wanted: Vec<Key> = names
            .data
            .iter()
            .filter(|item| item.alias_since.is_none())
            .map(|item| Key::Prompt(item.prompt_id))
            .collect();
        let mut data: Vec<Prompt> = self.get_many(&wanted).await?;
        data.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Page { data, next_cursor: names.next_cursor })
    }

    /// A page of the prompts of all teams that are found by this text, in lower case. It may hold fewer than there are
    /// on it without the text: those that are not found stay in the table, but for those that were kept before their words were.
    pub async fn prompts_with(&self, sought: &str, request: &PageRequest) -> Result<Page<Prompt>> {
        let query = self
            .query_list(&List::Prompts)
            .filter_expression("attribute_not_exists(#searched) OR contains(#searched, :sought)")
            .expression_attribute_names("#searched", SEARCHED)
            .expression_attribute_values(":sought", text(sought));
        self.page(query, request).await
    }

    /// Reads up to 100 items of the registry in any order.
    pub(crate) async fn get_many<T: serde::de::DeserializeOwned>(&self, keys: &[Key]) -> Result<Vec<T>> {
        let mut left: Vec<Item> = keys
            .iter()
            .map(|key| {
                HashMap::from([
                    (attribute::PK.to_owned(), text(key.pk())),
                    (attribute::SK.to_owned(), text(key.sk())),
                ])
            })
            .collect();
        let mut found = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let batch = KeysAndAttributes::builder()
                .set_keys(Some(left))
                .consistent_read(true)
                .build()
                .map_err(domain::Error::internal)?;
            let answer = self
                .dynamodb()
                .batch_get_item()
                .request_items(&self.names.registry, batch)
                .sent()
                .await
                .map_err(failed)?;
            for item in answer.responses.into_iter().flat_map(HashMap::into_values).flatten() {
                found.push(from_item(item)?);
            }
            left = answer
                .unprocessed_keys
                .into_iter()
                .flat_map(HashMap::into_values)
                .flat_map(|batch| batch.keys)
                .collect();
        }
        Ok(found)
    }
}
