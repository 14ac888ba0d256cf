//! The alarms and figures of a test.

use std::{
    fs::File,
    io::{Read as _, Seek as _},
};

use domain::Figure;
use runtime::{
    log::{self, LevelFilter},
    told::Told,
};
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::logged::Kept;

/// Hears what the log of this thread tells, as `CloudWatch` would.
pub struct Raised {
    file: File,
    _hearing: DefaultGuard,
}

impl Raised {
    /// Begins to listen.
    pub fn listen() -> Self {
        let file = tempfile::tempfile().expect("there is a temporary folder");
        let out = file.try_clone().expect("a file can be opened again");
        let (sources, _) = testkit::sources(1);
        let told = Told::new("a-log".to_owned(), sources, out);
        Self { file, _hearing: log::to(|| Kept, LevelFilter::INFO, Some(told)).set_default() }
    }

    /// What was written since.
    pub fn lines(&self) -> Vec<Value> {
        let mut written = String::new();
        let mut file = &self.file;
        file.rewind().expect("a file begins somewhere");
        file.read_to_string(&mut written).expect("what was written is text");
        written.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    /// The names of the alarms since.
    pub fn names(&self) -> Vec<String> {
        self.lines().iter().filter_map(|line| Some(line["alarm"].as_str()?.to_owned())).collect()
    }

    /// The values of a figure since.
    pub fn values(&self, figure: Figure) -> Vec<u64> {
        self.lines().iter().filter_map(|line| line[figure.name()].as_u64()).collect()
    }
}
