//! Lambda in small: runs the built programs as Lambda does, in several sandboxes each, through the Runtime API.
//!
//! An event goes to a sandbox that is free, and waits while none is. A sandbox whose process ended starts another one
//! when an event waits that no other sandbox is free to take. Between invocations a process goes on, while Lambda would
//! freeze it.

mod api;
mod front;
pub mod http;
mod lines;
mod process;
mod queue;
mod sandbox;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::oneshot, task::JoinSet};

pub use self::front::HttpFront;
use self::{
    lines::Lines,
    queue::{Invocation, Queue},
    sandbox::Sandbox,
};

/// How a function is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program, which Lambda calls `bootstrap`.
    pub program: PathBuf,
    /// The name of the function.
    pub name: String,
    /// Variables beside those that Lambda sets itself; the same name replaces one of Lambda's. Nothing else is in the
    /// environment.
    pub environment: Vec<(String, String)>,
    /// How many processes there are at most.
    pub sandboxes: usize,
    /// How many invocations one process has at most at one time: 1, save on Lambda managed instances.
    pub concurrency: usize,
    /// How long an invocation may take before its sandbox is killed.
    pub timeout: Duration,
}

/// Why an invocation has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The function answered with an error.
    #[error("the function failed: {error_type}: {message}")]
    Function {
        /// Its type, in the words of the function.
        error_type: String,
        /// What it says.
        message: String,
    },
    /// The process ended before it answered; with the last lines on its standard error.
    #[error("the sandbox died in the midst: {0}")]
    Died(String),
    /// There was no answer in time, and the sandbox was killed.
    #[error("the invocation took more than {0:?}")]
    TimedOut(Duration),
    /// Every sandbox failed to start three times in a row; with what the last one said.
    #[error("no sandbox starts: {0}")]
    InitFailed(String),
    /// The function was stopped.
    #[error("the function was stopped")]
    Stopped,
}

/// A function that can be invoked. Dropping it kills its processes.
#[derive(Debug)]
pub struct Function {
    queue: Arc<Queue>,
    sandboxes: Vec<Arc<Sandbox>>,
    lines: Lines,
    tasks: Mutex<JoinSet<()>>,
}

impl Function {
    /// Starts every sandbox, and does not wait for them: what fails is the answer to the invocations.
    pub fn start(settings: Settings) -> Self {
        let settings = Arc::new(settings);
        let queue = Arc::new(Queue::new(settings.sandboxes));
        let lines = Lines::default();
        let sandbox = |_| Arc::new(Sandbox::new(settings.clone(), queue.clone(), lines.clone()));
        let sandboxes: Vec<_> = (0..settings.sandboxes).map(sandbox).collect();
        let tasks = sandboxes.iter().cloned().map(|sandbox| async move { sandbox.run().await }).collect();
        Self { queue, sandboxes, lines, tasks: Mutex::new(tasks) }
    }

    /// Waits for a sandbox to answer this event.
    ///
    /// Who stops waiting does not take the event back.
    pub async fn invoke(&self, payload: Value) -> Result<Value, InvokeError> {
        let (answer, answered) = oneshot::channel();
        self.queue.add(Invocation::new(payload.to_string(), answer));
        answered.await.unwrap_or(Err(InvokeError::Stopped))
    }

    /// The process of each sandbox; `None` where none runs.
    pub fn pids(&self) -> Vec<Option<u32>> {
        self.sandboxes.iter().map(|sandbox| sandbox.process().map(|process| process.id())).collect()
    }

    /// Kills the process of the sandbox at this place and waits until it has ended; false when none ran there.
    pub async fn kill_one(&self, index: usize) -> bool {
        match self.sandboxes.get(index).and_then(|sandbox| sandbox.process()) {
            Some(process) => process.kill().await,
            None => false,
        }
    }

    /// The most events that each sandbox had at one time without having answered them.
    pub fn peaks(&self) -> Vec<usize> {
        self.sandboxes.iter().map(|sandbox| sandbox.peak()).collect()
    }

    /// What the processes wrote to standard output since the last call: the last 1,000 lines of it.
    pub fn take_lines(&self) -> Vec<String> {
        self.lines.take()
    }

    /// The same as soon as there are so many, at most 1,000: a process has an answer on its way before its lines are read.
    pub async fn wait_for_lines(&self, count: usize) -> Vec<String> {
        self.lines.wait(count).await
    }

    /// Kills all processes and waits until they have ended. What was not answered fails.
    pub async fn stop(&self) {
        self.queue.close(InvokeError::Stopped);
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
        for index in 0..self.sandboxes.len() {
            self.kill_one(index).await;
        }
    }
}

#[cfg(test)]
mod tests;
