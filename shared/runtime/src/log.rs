//! Logs: JSON, one object a line, to standard output.

use std::{error::Error, fmt::Display, fs::File, io, os::fd::AsFd as _, str::FromStr, sync::Arc};

use domain::TraceId;
use tracing::Subscriber;
pub use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer as _,
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    registry,
    util::SubscriberInitExt as _,
};

use crate::{
    configuration::{Variables, name},
    sources,
    told::Told,
};

/// Our own packages, as their lines name them.
pub const PACKAGES: [&str; 21] = [
    "authoring",
    "cache",
    "console",
    "dispatch",
    "domain",
    "eval_worker",
    "ingest",
    "local",
    "models",
    "notify",
    "propagate",
    "registry",
    "release",
    "resolve",
    "rollback",
    "rollup",
    "runtime",
    "steer",
    "store",
    "try_model",
    "web",
];

/// How much is logged: a level for our own packages, or a whole list as `cache=debug,warn`.
struct Wanted(Targets);

impl Wanted {
    /// Other people's packages tell their own stories; of these only warnings are ours, and the engine that stands in
    /// for DynamoDB warns of every refused call.
    fn ours(level: LevelFilter) -> Self {
        let others =
            Targets::new().with_default(LevelFilter::WARN).with_target("dynoxide", LevelFilter::ERROR);
        Self(others.with_targets(PACKAGES.map(|package| (package, level))))
    }
}

impl FromStr for Wanted {
    type Err = Box<dyn Error>;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A word alone would pass as the name of a package, and a misspelt level would silence all others.
        if text.contains(['=', ',']) { Ok(Self(text.parse()?)) } else { Ok(Self::ours(text.parse()?)) }
    }
}

/// Begins logging. `default` says how much when `CUECARD_LOG` does not. Metrics are made of what is told where a log
/// group takes what is written.
pub fn begin(variables: &mut Variables, default: LevelFilter) {
    let Wanted(filter) = variables.optional(name::LOG, Wanted::ours(default));
    let log_group: String = variables.optional(name::LOG_GROUP, String::new());
    let Wanted(ours) = Wanted::ours(LevelFilter::DEBUG);
    let ours = ours.with_default(LevelFilter::OFF);
    let told = |out| (!log_group.is_empty()).then(|| (Told::new(log_group, sources::system(), out), ours));
    // Each line is one write of its own: requests wait for no lock of each other's, and none is left in a buffer.
    let begun = match (unbuffered_stdout(), unbuffered_stdout()) {
        (Ok(stdout), Ok(metrics)) => logging(Arc::new(stdout), filter, told(metrics)).try_init(),
        _ => logging(io::stdout, filter, None).try_init(),
    };
    if let Err(error) = begun {
        tracing::warn!(error = %error, "logging had begun already");
    }
}

/// What logs to `out` as functions log, so much of our own packages, and makes metrics of what anybody tells.
pub fn to<W>(out: W, level: LevelFilter, told: Option<Told>) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let Wanted(filter) = Wanted::ours(level);
    logging(out, filter, told.map(|told| (told, Targets::new().with_default(LevelFilter::DEBUG))))
}

fn logging<W>(out: W, filter: Targets, told: Option<(Told, Targets)>) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    // Figures are told however little is logged. Where nobody is told them the filters are the same: `tracing` asks at
    // each event whether somebody wants it where one layer does and another does not, or has no filter.
    let (told, whose) = told.unzip();
    let whose = whose.unwrap_or_else(|| filter.clone());
    registry().with(lines.with_writer(out).with_filter(filter)).with(told.with_filter(whose))
}

/// Says what becomes of what a request of a trace set going. What belongs to no trace needs no line.
pub fn traced(trace: Option<TraceId>, what: &str, of: impl Display) {
    if let Some(trace) = trace {
        tracing::info!(trace_id = %trace, of = %of, "{what}");
    }
}

/// Standard output, each write of which goes out at once.
pub fn unbuffered_stdout() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(test)]
mod tests {
    use tracing::{
        Level, Metadata,
        callsite::{Callsite, Identifier},
        field::FieldSet,
        metadata::Kind,
        subscriber::Interest,
    };

    use super::*;

    /// Where something is told.
    struct Site;

    impl Callsite for Site {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            &LINE
        }
    }

    static LINE: Metadata<'static> = told_with(Level::INFO);
    static DETAIL: Metadata<'static> = told_with(Level::DEBUG);

    const fn told_with(level: Level) -> Metadata<'static> {
        let fields = FieldSet::new(&[], Identifier(&Site));
        Metadata::new("told", "web", level, None, None, None, fields, Kind::EVENT)
    }

    #[test]
    fn where_nobody_is_told_figures_no_event_asks_each_time_whether_it_is_wanted() {
        let log = to(io::sink, LevelFilter::INFO, None);
        let (line, detail) = (log.register_callsite(&LINE), log.register_callsite(&DETAIL));
        assert!(line.is_always() && detail.is_never(), "{line:?} {detail:?}");
    }

    #[test]
    fn a_level_is_for_our_own_packages_and_a_list_for_what_it_names() {
        let Wanted(level) = "debug".parse().unwrap();
        assert!(level.would_enable("cache", &Level::DEBUG) && !level.would_enable("hyper", &Level::INFO));
        let Wanted(list) = "cache=trace,error".parse().unwrap();
        assert!(list.would_enable("cache", &Level::TRACE) && !list.would_enable("web", &Level::WARN));
        assert!("inof".parse::<Wanted>().is_err(), "a misspelt level is said and not guessed");
    }
}
