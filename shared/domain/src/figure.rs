//! What the platform measures of itself. An event names its figure in the field `figure`, with its `value`, and `runtime`
//! makes a metric of it, whether or not the log has a line of it too.

/// A figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// From the commit of a change of a ref until nobody is served any more what was there before, in ms. It is the
    /// bound that holds once the cache was told, and no measurement of what anybody was served.
    Propagation,
    /// From when something was written until `propagate` has brought it to archive and cache, in ms.
    CatchUp,
    /// How many runs are sent again since nobody worked on them.
    RunsSentAgain,
}

impl Figure {
    /// Every figure.
    pub const ALL: [Self; 3] = [Self::Propagation, Self::CatchUp, Self::RunsSentAgain];

    /// Its name, in the log and as a metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::Propagation => "propagation",
            Self::CatchUp => "catch_up",
            Self::RunsSentAgain => "runs_sent_again",
        }
    }

    /// What its values count, as `CloudWatch` calls it.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Propagation | Self::CatchUp => "Milliseconds",
            Self::RunsSentAgain => "Count",
        }
    }
}
