//! Lists, page by page.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Client, Result};

/// The most that the API puts on a page.
const MOST: usize = 100;

/// The beginning of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The things.
    pub data: Vec<T>,
    /// Where the rest begins; none at the end.
    pub next_cursor: Option<String>,
}

#[derive(Serialize)]
struct PageQuery<'q> {
    limit: usize,
    cursor: Option<&'q str>,
}

/// Whose things are listed.
#[derive(Serialize)]
pub(crate) struct OfTeam<'q> {
    pub(crate) team_id: Option<&'q str>,
}

impl Client {
    /// Up to `most` things of a list, from its beginning or from where a page ended.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &impl Serialize,
        most: usize,
        cursor: Option<&str>,
    ) -> Result<Page<T>> {
        let page = PageQuery { limit: most.clamp(1, MOST), cursor };
        self.get(path).query(query).query(&page).answer().await
    }

    /// The first `most` things of a list, over as many requests as it takes.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &impl Serialize,
        most: usize,
    ) -> Result<Page<T>> {
        let mut found = Page { data: Vec::new(), next_cursor: None };
        loop {
            let rest = most - found.data.len();
            let Page { data, next_cursor } =
                self.page(path, query, rest, found.next_cursor.as_deref()).await?;
            found.data.extend(data);
            found.next_cursor = next_cursor;
            if found.next_cursor.is_none() || found.data.len() >= most {
                return Ok(found);
            }
        }
    }
}
