//! Approvals: a releaser's word for a version.

use axum::{extract::State, http::StatusCode};
use domain::{Environment, VersionId};
use registry::evaluation::NewApproval;
use serde::Deserialize;
use utoipa::ToSchema;
use web::{Created, Path, Write};

use crate::{App, versions::VersionView};

/// An approval to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalBody {
    #[schema(value_type = String)]
    environment: Environment,
    #[schema(max_length = 2000)]
    reason: String,
}

/// Gives a releaser's word that a version may go live; whoever wrote it cannot.
#[utoipa::path(post, path = "/api/versions/{version_id}/approvals", tag = "versions", request_body = ApprovalBody,
    params(("version_id" = String, Path)),
    responses((status = 201, body = VersionView, description = "The version with its approvals"),
        (status = 409, description = "It has too many"), (status = 410, description = "The prompt is archived")))]
pub async fn approve(
    State(app): State<App>,
    Path(version, _): Path<VersionId>,
    Write { act, body }: Write<ApprovalBody>,
) -> web::Result<Created<VersionView>> {
    let new = NewApproval { environment: body.environment, reason: body.reason };
    let made = app.registry().approve_version(&act, version, &new).await?;
    Ok(Created::new(StatusCode::CREATED, made, VersionView::new))
}
