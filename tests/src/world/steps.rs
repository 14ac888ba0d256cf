//! What streams and queues do between the functions, step by step.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lambda_events::event::{dynamodb::Event, streams::DynamoDbEventResponse};
use domain::{eval_run::CaseMessage, metric::Message, webhook::Notice};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use store::{Names, Store};
use testkit::event_source::{QueueSource, StreamSource};

use super::{World, names};
use crate::process::Process;

impl World {
    /// Steps the stream once: what was written reaches `dispatch`. Returns how many records there were.
    pub async fn step_stream(&self) -> usize {
        let app = self.dispatch();
        let handle = move |event| {
            let app = app.clone();
            async move { dispatch::handle(event, &app).await }
        };
        self.stream.drain(&self.clients.streams, handle).await.expect("the stream drains")
    }

    /// All that was written since the last call, as the registry's stream says it to `propagate`.
    pub async fn written(&self) -> Vec<Event> {
        let events = Arc::new(Mutex::new(Vec::new()));
        let handle = {
            let events = Arc::clone(&events);
            move |event| {
                events.lock().expect("nobody panicked").push(event);
                std::future::ready(Ok::<_, Infallible>(DynamoDbEventResponse::default()))
            }
        };
        let stream = StreamSource::new(&names().registry, "propagate", self.folder.path());
        stream.drain(&self.clients.streams, handle).await.expect("the stream drains");
        std::mem::take(&mut *events.lock().expect("nobody panicked"))
    }

    /// What `propagate` is in this process; `archives`: whether it knows where the archive is.
    pub fn propagate(&self, process: &Process, archives: bool) -> propagate::App {
        let names = Names { archive: names().archive.filter(|_| archives), ..names() };
        let store = Store::new(self.clients.dynamodb.clone(), self.clients.s3.clone(), names);
        let registry = &process.release.registry;
        propagate::App { store, cache: registry.cache.clone(), sources: registry.sources.clone() }
    }

    /// Steps the queue once: every visible case is worked on. Returns how many there were.
    pub async fn step_queue(&self) -> usize {
        self.drain(&self.queues.cases).await
    }

    /// Takes every visible case out of the queue, as a queue that loses them does.
    pub async fn take_cases(&self) -> Vec<CaseMessage> {
        self.take(&self.queues.cases).await
    }

    /// Takes all visible metrics out of their queue.
    pub async fn take_metrics(&self) -> Vec<Message> {
        self.take(&self.queues.metrics).await
    }

    /// Takes all metrics out of their dead letters.
    pub async fn take_dead_metrics(&self) -> Vec<Value> {
        self.take(&self.queues.dead_metrics).await
    }

    async fn take<T: DeserializeOwned>(&self, url: &str) -> Vec<T> {
        let (sqs, mut taken) = (&self.clients.sqs, Vec::new());
        loop {
            let received = sqs.receive_message().queue_url(url).max_number_of_messages(10);
            let messages = received.send().await.expect("the queue answers").messages.unwrap_or_default();
            if messages.is_empty() {
                return taken;
            }
            for message in messages {
                let body = message.body.unwrap_or_default();
                taken.push(serde_json::from_str(&body).expect("a message is what the queue is for"));
                let delete = sqs.delete_message().queue_url(url);
                delete.set_receipt_handle(message.receipt_handle).send().await.expect("the queue deletes");
            }
        }
    }

    /// Puts cases into the queue.
    pub async fn send_cases(&self, cases: &[CaseMessage]) {
        self.process.queue.send(cases, Duration::ZERO).await.expect("the queue takes them");
    }

    /// Puts messages into the queue of metrics.
    pub async fn send_metrics<T: Serialize>(&self, messages: &[T]) {
        self.process.metrics.send(messages, Duration::ZERO).await.expect("the queue takes them");
    }

    /// Steps the queue of metrics once: all that is visible is counted. Returns how many messages there were.
    pub async fn step_metrics(&self) -> usize {
        let app = self.rollup();
        let handle = move |event| {
            let app = app.clone();
            async move { rollup::handle(event, &app).await }
        };
        self.metrics_source().drain_once(&self.clients.sqs, handle).await.expect("the queue drains")
    }

    /// How the queue of metrics is read.
    pub fn metrics_source(&self) -> QueueSource {
        QueueSource::new(&self.queues.metrics)
    }

    /// What counts metrics in the first process.
    pub fn rollup(&self) -> rollup::App {
        self.process.rollup()
    }

    /// Steps the dead-letter queue once.
    pub async fn step_dead_letters(&self) -> usize {
        self.drain(&self.queues.dead_cases).await
    }

    /// Steps stream and queue until nothing is left to do.
    pub async fn work(&self) {
        while self.step_stream().await + self.step_queue().await > 0 {}
    }

    /// The dispatcher of the first process.
    pub fn dispatch(&self) -> dispatch::App {
        let (queue, webhooks) = (self.process.queue.clone(), self.process.webhooks.clone());
        dispatch::App { registry: self.registry().clone(), queue, webhooks }
    }

    /// The worker of the first process.
    pub fn worker(&self) -> eval_worker::App {
        let judges = self.settings.judges.clone();
        eval_worker::App { registry: self.registry().clone(), queue: self.process.queue.clone(), judges }
    }

    /// Steps the queue of webhooks once: all messages that are visible are sent. Returns how many there were.
    pub async fn step_webhooks(&self) -> usize {
        let app = notify::App::new(self.registry().clone()).expect("there is an HTTP client");
        let handle = move |event| {
            let app = app.clone();
            async move { notify::handle(event, &app).await }
        };
        QueueSource::new(&self.queues.webhooks)
            .drain_once(&self.clients.sqs, handle)
            .await
            .expect("the queue drains")
    }

    /// Takes all messages of webhooks out of their dead letters.
    pub async fn take_dead_webhooks(&self) -> Vec<Notice> {
        self.take(&self.queues.dead_webhooks).await
    }

    async fn drain(&self, url: &str) -> usize {
        let app = self.worker();
        let handle = move |event| {
            let app = app.clone();
            async move { eval_worker::handle(event, &app).await }
        };
        QueueSource::new(url).drain_once(&self.clients.sqs, handle).await.expect("the queue drains")
    }
}
