//! Uploads of test sets that are too large for a request.

use axum::extract::State;
use domain::TestSetId;
use registry::test_set::NewUpload;
use serde::Serialize;
use utoipa::ToSchema;
use web::{Created, Empty, Path, Write};

use crate::App;

/// Where to put a file, once.
#[derive(Debug, Serialize, ToSchema)]
pub struct UploadView {
    /// To be sent, when the file is there, to `PUT /api/test-sets/{test_set_id}/versions` as JSON:
    /// `{"upload_id", "content_type"}`.
    upload_id: String,
    /// `PUT` the bytes here, without the API key.
    url: String,
    expires_at: String,
}

impl UploadView {
    fn new(upload: NewUpload) -> Self {
        Self { upload_id: upload.upload_id, url: upload.url, expires_at: upload.expires_at.to_string() }
    }
}

/// Opens an upload for a test set of more than 4 MiB.
#[utoipa::path(post, path = "/api/test-sets/{test_set_id}/uploads", tag = "test sets",
    params(("test_set_id" = String, Path)),
    responses((status = 201, body = UploadView, description = "Where to put the file")))]
pub async fn open_upload(
    State(app): State<App>,
    Path(set, _): Path<TestSetId>,
    Write { act, body: Empty {} }: Write<Empty>,
) -> web::Result<Created<UploadView>> {
    let upload = app.registry().open_upload(&act, set).await?;
    Ok(Created::fresh(upload, UploadView::new))
}
