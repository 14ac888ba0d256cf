//! How a process logs into ElastiCache: with a token that is signed here, and that IAM checks there.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_credential_types::{Credentials, provider::ProvideCredentials as _};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use axum::http::Request;
use cache::{Login, Remote, RemoteSettings};
use domain::{Error, Result, Sources, Timestamp};

use crate::{
    aws::Aws,
    configuration::{CacheAddress, CacheUser},
};

/// How long a token is good, at most what ElastiCache allows. A connection outlives it.
const GOOD_FOR: Duration = Duration::from_mins(15);

/// The cache at this address, to be connected to when it is first needed.
pub fn remote(address: Option<CacheAddress>, aws: &Aws, sources: &Sources) -> Result<Option<Remote>> {
    let Some(CacheAddress { url, cluster, user }) = address else { return Ok(None) };
    let login = user.map(|user| login(user, aws.clone(), sources.clone()));
    Remote::new(RemoteSettings { url, cluster, login }, sources.clone()).map(Some)
}

fn login(user: CacheUser, aws: Aws, sources: Sources) -> Login {
    Arc::new(move || {
        let (user, aws, now) = (user.clone(), aws.clone(), sources.now());
        Box::pin(async move {
            let provider = aws.config.credentials_provider();
            let provider = provider.ok_or_else(|| Error::internal("there are no credentials of AWS"))?;
            let credentials = provider.provide_credentials().await.map_err(Error::internal)?;
            let region = aws.config.region().map(ToString::to_string).unwrap_or_default();
            let password = token(&user, credentials, &region, now)?;
            Ok(cache::Credentials { user: user.user, password })
        })
    })
}

/// A presigned request for `connect`, without its scheme (ElastiCache user guide, «Authenticating with IAM»).
fn token(user: &CacheUser, credentials: Credentials, region: &str, now: Timestamp) -> Result<String> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(GOOD_FOR);
    let identity = credentials.into();
    let since_1970 = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or_default());
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("elasticache")
        .time(SystemTime::UNIX_EPOCH + since_1970)
        .settings(settings)
        .build()
        .map_err(Error::internal)?
        .into();
    let CacheUser { user, cache } = user;
    let url = format!("http://{cache}/?Action=connect&User={user}&ResourceType=ServerlessCache");
    let signable = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]));
    let signed = sign(signable.map_err(Error::internal)?, &parameters).map_err(Error::internal)?;
    let mut request = Request::get(&url).body(()).map_err(Error::internal)?;
    signed.into_parts().0.apply_to_request_http1x(&mut request);
    Ok(request.uri().to_string().trim_start_matches("http://").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_at(millis: i64, secret: &str) -> String {
        let user = CacheUser { user: "cuecard".to_owned(), cache: "prompts".to_owned() };
        let credentials = Credentials::new("AKID", secret, Some("session".to_owned()), None, "test");
        token(&user, credentials, "eu-west-1", Timestamp::from_millis(millis)).unwrap()
    }

    #[test]
    fn a_token_is_a_presigned_request_without_its_scheme() {
        let token = token_at(1_763_640_000_000, "secret");
        assert!(
            token.starts_with("prompts/?Action=connect&User=cuecard&ResourceType=ServerlessCache&"),
            "{token}"
        );
        for part in [
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "X-Amz-Credential=AKID%2F20251120%2Feu-west-1%2Felasticache%2Faws4_request",
            "X-Amz-Date=20251120T120000Z",
            "X-Amz-Expires=900",
            "X-Amz-Security-Token=session",
            "X-Amz-SignedHeaders=host",
        ] {
            assert!(token.contains(part), "{part} is not in {token}");
        }
    }

    #[test]
    fn a_token_depends_on_the_secret_and_the_time() {
        let signature = |token: String| {
            let (_, rest) = token.split_once("X-Amz-Signature=").unwrap();
            rest.split('&').next().unwrap().to_owned()
        };
        let one = signature(token_at(1_763_640_000_000, "secret"));
        assert_eq!(one.len(), 64);
        assert_ne!(one, signature(token_at(1_763_640_000_000, "other")));
        assert_ne!(one, signature(token_at(1_763_640_001_000, "secret")));
        assert_eq!(one, signature(token_at(1_763_640_000_000, "secret")));
    }
}
