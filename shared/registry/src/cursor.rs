//! Cursors of lists over all teams. Such a list goes on wherever its page was full, perhaps behind a thing that its
//! reader may not see: the place is sealed, for it says which thing that is.

use domain::Result;
use store::{Page, PageRequest, bad_cursor};

use crate::Registry;

impl Registry {
    /// The page that a reader asks for with a sealed cursor.
    pub(crate) async fn unsealed(&self, request: &PageRequest) -> Result<PageRequest> {
        let Some(sealed) = &request.cursor else { return Ok(request.clone()) };
        let signer = self.cache.signer_of(sealed).await?;
        let cursor = signer.and_then(|signer| signer.open(sealed)).ok_or_else(bad_cursor)?;
        Ok(PageRequest { cursor: Some(cursor), ..*request })
    }

    /// A page that its reader may have.
    pub(crate) async fn sealed<T>(&self, page: Page<T>) -> Result<Page<T>> {
        let Some(cursor) = &page.next_cursor else { return Ok(page) };
        let next_cursor = Some(self.cache.signer().await?.seal(cursor));
        Ok(Page { next_cursor, ..page })
    }
}
