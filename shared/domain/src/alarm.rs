//! What people are called for. A line of the log names its alarm in the field `alarm`, and `runtime` makes a metric of it.

/// What somebody has to look at, at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// A live version scores clearly worse than when it passed.
    VersionDrifted,
    /// Somebody without a key rolled back by a direct invocation.
    UnverifiedRollback,
    /// An experiment or a canary has a flag that it did not have: its traffic or its answers are not as they should be,
    /// or it waits in vain.
    TrialFlagged,
    /// The archive of the audit holds something that its chain does not say.
    ArchiveDiffers,
    /// A version went live in production that no gate let through: there is none, or an admin passed it.
    UngatedPromotion,
}

impl Alarm {
    /// Every alarm.
    pub const ALL: [Self; 5] = [
        Self::VersionDrifted,
        Self::UnverifiedRollback,
        Self::TrialFlagged,
        Self::ArchiveDiffers,
        Self::UngatedPromotion,
    ];

    /// Its name, in the log and as a dimension of the metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::VersionDrifted => "version-drifted",
            Self::UnverifiedRollback => "unverified-rollback",
            Self::TrialFlagged => "trial-flagged",
            Self::ArchiveDiffers => "archive-differs",
            Self::UngatedPromotion => "ungated-promotion",
        }
    }
}
