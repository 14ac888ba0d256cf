//! DynamoDB with its streams, S3 and SQS in a process of moto: by other authors and in another language, so that what
//! the embedded engines and we misunderstand together shows.
//!
//! It is known not to do as AWS does, and no test may lean on that: it ignores `ClientRequestToken`, so that a
//! transaction that its client gave up and sent again is refused; it takes filters on key attributes and bodies that do
//! not fit their checksums, and moves no messages out of dead letters. Its transactions are none among other calls:
//! [`FaultProxy::one_at_a_time`] gives them their isolation. And one that is cancelled puts copies of its tables back,
//! whose streams an iterator from before does not see: who reads on has to ask for another.

use std::{io, path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use super::Endpoints;
use crate::fault::FaultProxy;

/// How long the server may take until it listens. It is written in Python and loads much.
const PATIENCE: Duration = Duration::from_mins(1);

/// What stands before the URL in its log.
const ANNOUNCED: &str = " * Running on ";

/// A running server. Dropping it kills its process.
#[derive(Debug)]
pub(super) struct Moto {
    _tables: FaultProxy,
    _process: Child,
}

impl Moto {
    /// Starts `program`, a `moto_server`, on a port that the system chooses.
    pub(super) async fn start(program: &Path) -> io::Result<(Self, Endpoints)> {
        let mut command = Command::new(program);
        command.args(["--host", "127.0.0.1", "--port", "0"]).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(|error| {
            let program = program.display();
            io::Error::new(error.kind(), format!("{program} does not start ({error}): say `make tools`"))
        })?;
        let log = process.stderr.take().ok_or_else(|| io::Error::other("its log is not there"))?;
        let mut log = BufReader::new(log).lines();
        let url = timeout(PATIENCE, announced(&mut log)).await??;
        // It writes a line for each request, and would wait for somebody who reads them.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        let tables = FaultProxy::one_at_a_time(&url)?;
        let endpoints = Endpoints { dynamodb: tables.url(), s3: url.clone(), sqs: url };
        Ok((Self { _tables: tables, _process: process }, endpoints))
    }
}

/// The URL on which the server says that it listens.
async fn announced(log: &mut Lines<BufReader<ChildStderr>>) -> io::Result<String> {
    let mut last = String::new();
    while let Some(line) = log.next_line().await? {
        if let Some(url) = line.strip_prefix(ANNOUNCED) {
            return Ok(url.to_owned());
        }
        last = line;
    }
    Err(io::Error::other(format!("the server ended at once: {last}")))
}
