//! Requests that arrive when they are due.

use std::{sync::Arc, thread, time::Duration};

use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
    time::{Instant, timeout},
};

use benches::{Outcome, connection::Connection};

/// How late a request may be sent: one that waited longer for a connection counts as failed, and is not sent.
const LATEST: Duration = Duration::from_secs(1);
/// How long an answer may take.
const LONGEST: Duration = Duration::from_secs(5);

/// What is asked, and how an answer is judged.
pub(crate) trait Questions: Send + Sync + 'static {
    /// The bytes of a request.
    fn request(&self, number: usize) -> Vec<u8>;

    /// Whether its answer, between these times, is right.
    fn is_right(&self, number: usize, answer: &[u8], sent: Instant, answered: Instant) -> bool;
}

/// What became of all requests.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// From when each answered request was due to its answer.
    pub(crate) latencies: Vec<Duration>,
    /// How many were answered wrong.
    pub(crate) wrong: usize,
    /// How many were not answered, or not sent in time.
    pub(crate) failed: usize,
    /// The first failure.
    pub(crate) failure: Option<String>,
}

impl Outcomes {
    /// Adds those of another.
    pub(crate) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.wrong += other.wrong;
        self.failed += other.failed;
        self.failure = self.failure.take().or(other.failure);
    }

    /// One that failed.
    pub(crate) fn fail(&mut self, why: impl Into<String>) {
        self.failed += 1;
        self.failure.get_or_insert_with(|| why.into());
    }
}

/// A request that is due.
type Due = (usize, Instant);

/// Sends requests at a rate for so many seconds over so many connections. Where none is answered nothing was measured.
pub(crate) async fn arrive(
    address: &str,
    questions: Arc<impl Questions>,
    rate: u32,
    seconds: u32,
    connections: u16,
) -> Outcome<Outcomes> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let receiver = Arc::new(Mutex::new(receiver));
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let connection = Connection::open(address).await?;
        let (receiver, questions) = (Arc::clone(&receiver), Arc::clone(&questions));
        workers.spawn(work(address.to_owned(), connection, receiver, questions));
    }
    // A thread of its own, for tokio's clock beats in milliseconds.
    let pacer = thread::spawn(move || pace(rate, seconds, &sender));
    let mut all = Outcomes::default();
    while let Some(done) = workers.join_next().await {
        all.add(done?);
    }
    pacer.join().map_err(|_| "the pacer panicked")?;
    if all.latencies.is_empty() {
        return Err(all.failure.unwrap_or_default().into());
    }
    Ok(all)
}

fn pace(rate: u32, seconds: u32, sender: &mpsc::UnboundedSender<Due>) {
    let began = Instant::now();
    for number in 0..rate * seconds {
        let due = began + Duration::from_secs(1) * number / rate;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if sender.send((usize::try_from(number).unwrap_or_default(), due)).is_err() {
            return;
        }
    }
}

async fn work(
    address: String,
    mut connection: Connection,
    receiver: Arc<Mutex<mpsc::UnboundedReceiver<Due>>>,
    questions: Arc<impl Questions>,
) -> Outcomes {
    let mut outcomes = Outcomes::default();
    loop {
        let next = receiver.lock().await.recv().await;
        let Some((number, due)) = next else { return outcomes };
        let sent = Instant::now();
        if sent - due > LATEST {
            outcomes.fail("no connection was free in time");
            continue;
        }
        match timeout(LONGEST, connection.ask(&questions.request(number))).await {
            Ok(Ok(body)) => {
                let answered = Instant::now();
                outcomes.latencies.push(answered - due);
                let right = questions.is_right(number, &connection.answer()[body..], sent, answered);
                outcomes.wrong += usize::from(!right);
                continue;
            }
            Ok(Err(error)) => outcomes.fail(error.to_string()),
            Err(_) => outcomes.fail("no answer in time"),
        }
        // What is left of the answer would be read as the next one.
        if let Ok(another) = Connection::open(&address).await {
            connection = another;
        }
    }
}
