//! AWS for those who operate a deployment: one signed request at a time.
//!
//! Each service is asked for a thing or two, and that rarely: a client of the SDK for each would make this program several
//! times larger. The cache is asked by its SDK, with the same settings.

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::ProvideCredentials as _};
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use domain::Sources;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use crate::{
    failure::{Failure, Result},
    sources,
};

/// What a segment of a path keeps as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A text as one segment of a path.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// How long an answer may take: a function that is invoked works for some seconds.
const ANSWER: Duration = Duration::from_mins(1);

/// A way to AWS, as this machine's settings describe it.
pub struct Aws {
    http: reqwest::Client,
    settings: SdkConfig,
    credentials: Credentials,
    region: String,
    endpoint: Option<String>,
    sources: Sources,
}

/// One request.
pub struct Question {
    service: &'static str,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Question {
    /// A request without a body.
    pub fn new(service: &'static str, method: Method, path: impl Into<String>) -> Self {
        Self { service, method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A POST of a service that speaks JSON under one path.
    pub fn of_target(service: &'static str, target: &str, body: &Value) -> Self {
        let mut question = Self::new(service, Method::POST, "/").json(body);
        question.headers = vec![
            ("content-type", "application/x-amz-json-1.0".to_owned()),
            ("x-amz-target", target.to_owned()),
        ];
        question
    }

    /// A POST of a service that takes forms and answers in XML.
    pub fn of_action(service: &'static str, form: &str) -> Self {
        let mut question = Self::new(service, Method::POST, "/");
        question.body = form.as_bytes().to_vec();
        question.headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        question
    }

    /// With this body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.headers.push(("content-type", "application/json".to_owned()));
        self
    }
}

impl Aws {
    /// With the credentials and the region of this machine's AWS settings.
    pub async fn connect(region: Option<String>, endpoint: Option<String>) -> Result<Self> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(region) = region {
            loader = loader.region(Region::new(region));
        }
        if let Some(endpoint) = &endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        let settings = loader.load().await;
        let none = |what: &str, how: &str| Failure::Usage(format!("AWS has no {what} here: {how}"));
        let region = settings.region().ok_or_else(|| none("region", "say --region, or set AWS_REGION"))?;
        let how = "sign in as for the AWS CLI, or set AWS_PROFILE";
        let provider = settings.credentials_provider().ok_or_else(|| none("credentials", how))?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| none("credentials", &format!("{how} ({error})")))?;
        let http = reqwest::Client::builder().timeout(ANSWER);
        let http = if endpoint.is_some() { http.no_proxy() } else { http };
        let http = http.build().map_err(client::Error::Unusable)?;
        let region = region.to_string();
        Ok(Self { http, settings, credentials, region, endpoint, sources: sources::system() })
    }

    /// What a client of the SDK is made with.
    pub fn settings(&self) -> &SdkConfig {
        &self.settings
    }

    /// Its answer, as JSON.
    pub async fn ask(&self, question: Question) -> Result<Value> {
        let text = self.ask_for_text(question).await?;
        serde_json::from_str(&text).map_err(|error| Failure::Failed(format!("AWS answered no JSON: {error}")))
    }

    /// Its answer, as it is.
    pub async fn ask_for_text(&self, question: Question) -> Result<String> {
        let service = question.service;
        let answer = self.send(question).await?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| lost(service, &error))?;
        if status.is_success() { Ok(text) } else { Err(refused(service, status, &text)) }
    }

    async fn send(&self, question: Question) -> Result<Response> {
        let Question { service, method, path, headers, body } = question;
        let url = format!("{}{path}", self.endpoint(service));
        let signed = self.signature(service, &method, &url, &headers, &body)?;
        let mut request = self.http.request(method, &url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in signed {
            request = request.header(name, value);
        }
        request.body(body).send().await.map_err(|error| lost(service, &error))
    }

    fn endpoint(&self, service: &str) -> String {
        let country = if self.region.starts_with("cn-") { ".cn" } else { "" };
        let public = || format!("https://{service}.{}.amazonaws.com{country}", self.region);
        self.endpoint.clone().unwrap_or_else(public)
    }

    fn signature(
        &self,
        service: &str,
        method: &Method,
        url: &str,
        headers: &[(&'static str, String)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>> {
        let unsigned =
            |error: &dyn std::error::Error| Failure::Failed(format!("A request cannot be signed: {error}"));
        let mut settings = SigningSettings::default();
        if service == "s3" {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let since_1970 =
            Duration::from_millis(u64::try_from(self.sources.now().as_millis()).unwrap_or_default());
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::UNIX_EPOCH + since_1970)
            .settings(settings)
            .build()
            .map_err(|error| unsigned(&error))?
            .into();
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let signable = SignableRequest::new(method.as_str(), url, headers, SignableBody::Bytes(body));
        let signed = sign(signable.map_err(|error| unsigned(&error))?, &parameters);
        let (instructions, _) = signed.map_err(|error| unsigned(&error))?.into_parts();
        Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

fn lost(service: &str, error: &reqwest::Error) -> Failure {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    Failure::Unavailable(format!("AWS ({service}) does not answer: {words}"))
}

fn refused(service: &str, status: StatusCode, text: &str) -> Failure {
    let said: String = text.chars().take(300).collect();
    let words = format!("AWS ({service}) answered {status}: {said}");
    match status {
        StatusCode::NOT_FOUND => Failure::Missing(words),
        _ if status.is_server_error() => Failure::Unavailable(words),
        _ => Failure::Failed(words),
    }
}
