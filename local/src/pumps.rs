//! What feeds the functions that no HTTP request calls: stream, queue and schedule, as event source mappings do.

use std::{sync::Arc, time::Duration};

use aws_lambda_events::event::{
    dynamodb::Event,
    sqs::{SqsBatchResponse, SqsEvent},
    streams::DynamoDbEventResponse,
};
use domain::Result;
use testkit::{
    Endpoints,
    event_source::{QueueSource, Schedule, StreamSource},
};
use tokio::{sync::watch, task::JoinSet, time::timeout};

use crate::{
    functions::{CASE_TIME, COUNTING_TIME, Functions, REGISTRY_TABLE, SENDING_TIME},
    platform::Settings,
};

/// How long what is in flight may take once the pumps are asked to end. A case that a model thinks about for longer
/// is cut: the next start sends it out again.
const GRACE: Duration = Duration::from_secs(5);

/// How long a receiver of webhooks that refused a message is left alone.
const REFUSED_FOR: Duration = Duration::from_secs(10);

/// How often `steer` is called.
const MINUTE: Duration = Duration::from_mins(1);

/// The running pumps. Dropping them cuts what is in flight.
pub(crate) struct Pumps {
    stop: watch::Sender<()>,
    running: JoinSet<()>,
}

impl Pumps {
    pub(crate) fn start(functions: &Functions, endpoints: &Endpoints, settings: &Settings) -> Result<Self> {
        let mut pumps = Self { stop: watch::Sender::new(()), running: JoinSet::new() };
        let cases = QueueSource {
            // One case an event: so the number of events in flight is the number of cases.
            batch_size: 1,
            concurrency: settings.eval_concurrency,
            visibility: CASE_TIME,
            ..QueueSource::new(&functions.queue_url)
        };
        let webhooks = QueueSource {
            visibility: SENDING_TIME,
            retry_after: REFUSED_FOR,
            ..QueueSource::new(&functions.webhooks_url)
        };
        let dispatch = Arc::new(functions.dispatch());
        pumps.follow_stream("dispatch", endpoints, settings, move |event| {
            let app = Arc::clone(&dispatch);
            async move { dispatch::handle(event, &app).await }
        });
        let propagate = Arc::new(functions.propagate());
        pumps.follow_stream("propagate", endpoints, settings, move |event| {
            let app = Arc::clone(&propagate);
            async move { propagate::handle(event, &app).await }
        });
        let worker = Arc::new(functions.eval_worker());
        for source in [cases, QueueSource::new(&functions.dead_letters_url)] {
            let worker = Arc::clone(&worker);
            pumps.follow_queue(source, endpoints, move |event| {
                let app = Arc::clone(&worker);
                async move { eval_worker::handle(event, &app).await }
            });
        }
        let notify = Arc::new(functions.notify()?);
        pumps.follow_queue(webhooks, endpoints, move |event| {
            let app = Arc::clone(&notify);
            async move { notify::handle(event, &app).await }
        });
        pumps.count(functions, endpoints);
        pumps.keep_schedule(functions);
        Ok(pumps)
    }

    /// Lets what is in flight finish, within [`GRACE`].
    pub(crate) async fn stop(mut self) {
        drop(self.stop);
        let ended = async { while self.running.join_next().await.is_some() {} };
        // What is not done by then is cut when the set is dropped.
        let _ = timeout(GRACE, ended).await;
    }

    /// Hands the registry's stream to a function, from where it came to last time.
    fn follow_stream<H, F>(&mut self, consumer: &str, endpoints: &Endpoints, settings: &Settings, handle: H)
    where
        H: Fn(Event) -> F + Send + Sync + 'static,
        F: Future<Output = Result<DynamoDbEventResponse>> + Send + 'static,
    {
        let source = StreamSource::new(REGISTRY_TABLE, consumer, &settings.folder);
        let streams = testkit::clients(endpoints).streams;
        let stopped = self.stopped();
        self.running.spawn(async move { source.run(&streams, stopped, handle).await });
    }

    /// Hands the messages of a queue to a function.
    fn follow_queue<H, F>(&mut self, source: QueueSource, endpoints: &Endpoints, handle: H)
    where
        H: Fn(SqsEvent) -> F + Send + Sync + 'static,
        F: Future<Output = Result<SqsBatchResponse>> + Send + 'static,
    {
        let sqs = testkit::clients(endpoints).sqs;
        let stopped = self.stopped();
        self.running.spawn(async move { source.run(&sqs, stopped, handle).await });
    }

    fn count(&mut self, functions: &Functions, endpoints: &Endpoints) {
        // One event at a time: two would only wait for each other's counters.
        let source = QueueSource {
            concurrency: 1,
            visibility: COUNTING_TIME,
            ..QueueSource::new(&functions.metrics_url)
        };
        let app = Arc::new(functions.rollup());
        let sqs = testkit::clients(endpoints).sqs;
        let stopped = self.stopped();
        self.running.spawn(async move {
            let handle = |event| {
                let app = Arc::clone(&app);
                async move { rollup::handle(event, &app).await }
            };
            source.run(&sqs, stopped, handle).await;
            // The queue ends with this process: what waits in it is counted now, or never.
            if let Err(error) = source.drain_once(&sqs, handle).await {
                tracing::warn!(error, "metrics are lost");
            }
        });
    }

    fn keep_schedule(&mut self, functions: &Functions) {
        let app = Arc::new(functions.steer(steer::STUCK_AFTER));
        let schedule = Schedule { name: "steer".to_owned(), interval: MINUTE };
        let stopped = self.stopped();
        self.running.spawn(async move {
            let handle = || {
                let app = Arc::clone(&app);
                async move { steer::handle(&app).await.map(|_| ()) }
            };
            schedule.run(stopped, handle).await;
        });
    }

    /// Resolves when the pumps are asked to end, or dropped.
    fn stopped(&self) -> impl Future<Output = ()> + use<> {
        let mut stop = self.stop.subscribe();
        async move {
            let _ = stop.changed().await;
        }
    }
}
