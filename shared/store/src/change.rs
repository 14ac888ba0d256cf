//! A change of the registry: everything that happens, or nothing.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, ConditionCheck, Put, TransactWriteItem},
};
use domain::{
    Error, Prompt, Result, Sources, Team, Timestamp,
    audit::{AuditEntry, Fact, prompt_chain, team_chain},
};
use serde::Serialize;

mod condition;
mod wish;

pub(crate) use condition::Guard;
use condition::{Condition, condition};

use crate::{
    Store,
    audit::{AuditItem, entry_text},
    keys::{Key, List},
    prompt::PromptItem,
    sent::Sent,
    table::{Item, attribute, failed, number, text, to_item},
};

/// What a write of a transaction was for: it names the condition that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The prompt or team whose chain grows: somebody else changed it first.
    Head,
    /// The audit entry.
    Audit,
    /// A name of a team.
    Name,
    /// A version, its state, or where it is found.
    Version,
    /// A ref.
    Ref,
    /// An evaluation run.
    Run,
    /// An experiment or a canary, or its weights.
    Trial,
    /// A test set or a version of one.
    TestSet,
    /// The team's gate by which a move was judged.
    TeamGate,
    /// An API key.
    ApiKey,
    /// A webhook.
    Webhook,
    /// A model.
    Model,
    /// The idempotency key was used before.
    Idempotency,
}

/// Why a change did not happen. In none of these cases anything was written.
#[derive(Debug)]
pub enum CommitError {
    /// A condition failed: the world is not as it was read.
    Lost(Slot),
    /// Another transaction touched the same items in the same moment, or the table throttles.
    Busy,
    /// The table did not answer, or refused for a reason of ours. It may have happened.
    Failed(Error),
}

enum Operation {
    Put(Item),
    Check,
}

struct Write {
    slot: Slot,
    key: Key,
    operation: Operation,
    guard: Guard,
}

/// A change in the making.
pub struct Change {
    writes: Vec<Write>,
    entry: AuditEntry,
    now: Timestamp,
    yields: bool,
}

/// The counter of both kinds of chain heads.
const SEQUENCE: &str = "chain.sequence";

impl Change {
    /// A change of a prompt: `before` is how it was read, `after` how it shall be, with the fact on its chain.
    pub fn of_prompt(before: &Prompt, mut after: Prompt, fact: Fact, sources: &Sources) -> Result<Self> {
        let now = sources.now();
        let (entry, head) = before.chain.append(prompt_chain(before.prompt_id), fact, now, sources.id())?;
        after.chain = head;
        after.updated_at = now;
        let text = entry_text(&entry)?;
        Self::of_prompt_again(before, &after, (entry, text))
    }

    /// A change of a prompt that is told of by its entry, which is given also as it stands: `after` has the chain that
    /// ends with it.
    pub fn of_prompt_again(
        before: &Prompt,
        after: &Prompt,
        (entry, text): (AuditEntry, String),
    ) -> Result<Self> {
        let mut change = Self { writes: Vec::new(), now: entry.at, entry, yields: true };
        let guard = if before.chain.sequence == 0 {
            Guard::Absent
        } else {
            Guard::Counter(SEQUENCE, before.chain.sequence)
        };
        let index = (List::Prompts, after.prompt_id.to_string());
        let kept = PromptItem { searched: after.searched(), prompt: after };
        change.put_listed(Slot::Head, Key::Prompt(after.prompt_id), &kept, guard, &index)?;
        let audit = Key::PromptAudit(after.prompt_id, change.entry.audit_id);
        change.put_audit(audit, &AuditItem { team_id: Some(after.team_id.clone()), entry: text })?;
        Ok(change)
    }

    /// A change of what belongs to a team; the team comes to be with its first one.
    pub fn of_team(before: &Team, mut after: Team, fact: Fact, sources: &Sources) -> Result<Self> {
        let now = sources.now();
        let (entry, head) = before.chain.append(team_chain(&before.team_id), fact, now, sources.id())?;
        after.chain = head;
        let text = entry_text(&entry)?;
        Self::of_team_again(before, after, (entry, text))
    }

    /// A change of what belongs to a team that is told of by its entry, as above.
    pub fn of_team_again(
        before: &Team,
        mut after: Team,
        (entry, text): (AuditEntry, String),
    ) -> Result<Self> {
        let mut change = Self { writes: Vec::new(), now: entry.at, entry, yields: true };
        // A team is also made by its first prompt, whose chain is another: then its own is still empty.
        let guard = if before.gate_revision == 0 {
            Guard::Absent
        } else {
            Guard::Counter(SEQUENCE, before.chain.sequence)
        };
        after.gate_revision = after.gate_revision.max(1);
        let index = (List::Teams, after.team_id.as_str().to_owned());
        change.put_listed(Slot::Head, Key::Team(after.team_id.clone()), &after, guard, &index)?;
        let audit = Key::TeamAudit(after.team_id.clone(), change.entry.audit_id);
        change.put_audit(audit, &AuditItem { team_id: after.team_id.team().cloned(), entry: text })?;
        Ok(change)
    }

    /// Makes the change ignore that another writer asked everybody to stand back: for that writer.
    #[must_use]
    pub fn insisting(mut self) -> Self {
        self.yields = false;
        self
    }

    /// The entry that the audit will hold.
    pub fn entry(&self) -> &AuditEntry {
        &self.entry
    }

    /// The moment of the change.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn put(&mut self, slot: Slot, key: Key, value: &impl Serialize, guard: Guard) -> Result<()> {
        let item = to_item(&key, value)?;
        self.writes.push(Write { slot, key, operation: Operation::Put(item), guard });
        Ok(())
    }

    pub(crate) fn put_listed(
        &mut self,
        slot: Slot,
        key: Key,
        value: &impl Serialize,
        guard: Guard,
        (list, place): &(List<'_>, String),
    ) -> Result<()> {
        let mut item = to_item(&key, value)?;
        item.insert(attribute::INDEX_PK.to_owned(), text(list.pk()));
        item.insert(attribute::INDEX_SK.to_owned(), text(place.clone()));
        self.writes.push(Write { slot, key, operation: Operation::Put(item), guard });
        Ok(())
    }

    pub(crate) fn put_expiring(
        &mut self,
        slot: Slot,
        key: Key,
        value: &impl Serialize,
        guard: Guard,
        expires_at: Timestamp,
    ) -> Result<()> {
        let mut item = to_item(&key, value)?;
        item.insert(attribute::GONE_AT.to_owned(), number(expires_at.as_seconds()));
        self.writes.push(Write { slot, key, operation: Operation::Put(item), guard });
        Ok(())
    }

    pub(crate) fn check(&mut self, slot: Slot, key: Key, guard: Guard) {
        self.writes.push(Write { slot, key, operation: Operation::Check, guard });
    }

    fn put_audit(&mut self, key: Key, item: &AuditItem) -> Result<()> {
        if self.entry.action.is_move() {
            let list = (List::Moves, self.entry.audit_id.to_string());
            return self.put_listed(Slot::Audit, key, item, Guard::Absent, &list);
        }
        self.put(Slot::Audit, key, item, Guard::Absent)
    }
}

impl Store {
    /// Makes a change happen, whole.
    pub async fn commit(&self, change: Change) -> Result<(), CommitError> {
        let slots: Vec<Slot> = change.writes.iter().map(|write| write.slot).collect();
        let mut transaction = self.dynamodb().transact_write_items();
        let yields = change.yields.then_some(change.now);
        for write in change.writes {
            let item = transact_item(&self.names.registry, write, yields).map_err(CommitError::Failed)?;
            transaction = transaction.transact_items(item);
        }
        let Err(error) = transaction.sent().await else { return Ok(()) };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        {
            return Err(why_cancelled(cancelled.cancellation_reasons(), &slots)
                .unwrap_or_else(|| CommitError::Failed(Error::internal(error))));
        }
        Err(if is_busy(error.code()) { CommitError::Busy } else { CommitError::Failed(failed(error)) })
    }
}

/// Whether the code of an exception, or of a reason for a cancellation, says that the same may go through soon.
pub(crate) fn is_busy(code: Option<&str>) -> bool {
    matches!(
        code.unwrap_or_default().trim_end_matches("Exception").trim_end_matches("Error"),
        "TransactionConflict" | "TransactionInProgress" | "ProvisionedThroughputExceeded" | "Throttling"
    )
}

/// The reason that decides: a failed condition tells more than a conflict, and of several the idempotency key's
/// tells most, since then the change has happened already.
fn why_cancelled(reasons: &[CancellationReason], slots: &[Slot]) -> Option<CommitError> {
    let failed = |slot: Slot| {
        reasons
            .iter()
            .zip(slots)
            .any(|(reason, at)| *at == slot && reason.code() == Some("ConditionalCheckFailed"))
    };
    if failed(Slot::Idempotency) {
        return Some(CommitError::Lost(Slot::Idempotency));
    }
    if let Some(slot) = slots.iter().copied().find(|slot| failed(*slot)) {
        return Some(CommitError::Lost(slot));
    }
    reasons.iter().any(|reason| is_busy(reason.code())).then_some(CommitError::Busy)
}

fn transact_item(table: &str, write: Write, yields: Option<Timestamp>) -> Result<TransactWriteItem> {
    let Condition { expression, names, values } = condition(write.slot, &write.guard, yields);
    let names = (!names.is_empty()).then(|| names.into_iter().collect());
    let values = (!values.is_empty())
        .then(|| values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    let item = TransactWriteItem::builder();
    let item = match write.operation {
        Operation::Put(body) => item.put(
            Put::builder()
                .table_name(table)
                .set_item(Some(body))
                .condition_expression(expression)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .build()
                .map_err(Error::internal)?,
        ),
        Operation::Check => item.condition_check(
            ConditionCheck::builder()
                .table_name(table)
                .key(attribute::PK, text(write.key.pk()))
                .key(attribute::SK, text(write.key.sk()))
                .condition_expression(expression)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .build()
                .map_err(Error::internal)?,
        ),
    };
    Ok(item.build())
}
