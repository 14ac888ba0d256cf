//! `POST /api/metrics`.

use std::{collections::BTreeMap, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use domain::{
    Caller, Error, Result, TeamId,
    metric::{Batch, Event, Message, fold},
};
use serde::Serialize;
use utoipa::ToSchema;
use web::{JsonBody, Resolver};

use crate::{
    App,
    about::About,
    body::{MetricEventBody, MetricsBody},
};

/// What became of the events.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct MetricsAnswer {
    /// How many will be counted, unless they were before.
    accepted: usize,
    /// Those that will not.
    rejected: Vec<RejectedEvent>,
}

/// An event that is not counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct RejectedEvent {
    /// Its place in the request, from 0.
    index: usize,
    /// What is wrong with it.
    detail: String,
}

/// Takes up to 500 events. Each is accepted or rejected by itself; what is accepted is counted within seconds.
///
/// After a 503 some of them may be counted. Sent again under the same `batch_id`, they count once.
#[utoipa::path(post, path = "/api/metrics", tag = "metrics", request_body = MetricsBody,
    responses((status = 202, body = MetricsAnswer, description = "What became of the events")))]
pub async fn report(
    State(app): State<App>,
    Resolver(caller): Resolver,
    JsonBody(body): JsonBody<MetricsBody>,
) -> web::Result<(StatusCode, Json<MetricsAnswer>)> {
    body.check()?;
    Ok((StatusCode::ACCEPTED, Json(app.accept(&caller, body).await?)))
}

impl App {
    async fn accept(&self, caller: &Caller, body: MetricsBody) -> Result<MetricsAnswer> {
        let now = self.registry.sources.now();
        let mut answer = MetricsAnswer::default();
        let read = answer.sift(body.events.into_iter().enumerate(), |_, event| MetricEventBody::read(&event));
        let tokens = read.iter().filter_map(|(_, body)| body.resolution_token.as_deref());
        let signers = self.signers(tokens).await?;
        let about = answer.sift(read, |_, body| About::of(body, &signers, now));

        let versions = self.versions(about.iter().map(|(_, about)| about.version_id).collect()).await?;
        let found = answer.sift(about, |_, about| {
            // One that nobody has and one that others have are refused in the same words.
            let known = versions.get(&about.version_id).filter(|known| caller.sees(&known.team_id));
            Ok((known.ok_or_else(|| Error::not_found("version").detail().to_owned())?, about))
        });

        let priced = found.iter().filter(|(_, (_, about))| about.wants_price());
        let models = self.models(priced.map(|(_, (known, _))| known.model_id.clone()).collect()).await?;
        let trials = self.trials(found.iter().filter_map(|(_, (_, about))| about.trial()).collect()).await?;
        let events = answer.sift(found, |index, (known, about)| {
            let trial = about.trial().and_then(|trial| trials.get(&trial)).map(AsRef::as_ref);
            let event = about.event(index, known, (models.get(&known.model_id), trial), now)?;
            Ok((known.team_id.clone(), event))
        });
        answer.accepted = events.len();
        answer.rejected.sort_by_key(|rejected| rejected.index);
        self.send(caller, body.batch_id, events.into_iter().map(|(_, event)| event)).await?;
        Ok(answer)
    }

    /// Sends the sums of events, those of each team by themselves: a key for all teams may report of several.
    async fn send(
        &self,
        caller: &Caller,
        batch_id: Option<String>,
        events: impl Iterator<Item = (TeamId, Event)>,
    ) -> Result<()> {
        let mut teams: BTreeMap<TeamId, Vec<Event>> = BTreeMap::new();
        for (team_id, event) in events {
            teams.entry(team_id).or_default().push(event);
        }
        let batches =
            teams.into_iter().map(|(team_id, events)| Batch { team_id, batch_id: batch_id.clone(), events });
        let messages = batches.flat_map(|batch| fold(&batch, &self.registry.sources));
        let messages: Vec<_> =
            messages.map(|message| Message { trace_id: caller.trace_id, ..message }).collect();
        self.queue.send(&messages, Duration::ZERO).await
    }
}

impl MetricsAnswer {
    /// Takes each event one step further, and rejects those that go no further.
    fn sift<T, U>(
        &mut self,
        events: impl IntoIterator<Item = (usize, T)>,
        step: impl Fn(usize, T) -> Result<U, String>,
    ) -> Vec<(usize, U)> {
        let mut further = Vec::new();
        for (index, event) in events {
            match step(index, event) {
                Ok(event) => further.push((index, event)),
                Err(detail) => self.rejected.push(RejectedEvent { index, detail }),
            }
        }
        further
    }
}
