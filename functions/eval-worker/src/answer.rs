//! One answer of a model to a case, judged.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{
    Error, ErrorKind, Result,
    assertion::{
        Answered, Ask, CaseScore, Judgement, Question, cosine,
        judge::{factuality_messages, read_factuality, read_judgement, rubric_messages},
        score,
    },
    content::ChatMessage,
    model::ModelEntry,
    money::Usd,
};
use models::{CallError, Completion, Request};
use serde_json::Map;

use crate::{
    App,
    case::Subject,
    transient::{self, Again},
};

/// The most tokens of a judgement.
const JUDGEMENT_TOKENS: u32 = 500;

/// The models that judge where an assertion names none.
#[derive(Debug, Clone, Default)]
pub struct Judges {
    /// For `llm-rubric` and `factuality`.
    pub judge_model: Option<String>,
    /// For `similar`.
    pub embedding_model: Option<String>,
}

/// What came of asking once.
pub(crate) struct Answer {
    pub(crate) scored: CaseScore,
    pub(crate) output: String,
    /// Of the model alone, judges apart.
    pub(crate) latency_ms: u64,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    /// Judges included.
    pub(crate) cost_usd: Usd,
}

/// Why there is no answer, or no judgement of it.
pub(crate) enum Failure {
    /// A model's doing.
    Theirs {
        /// In words.
        error: Error,
        /// How long the provider asks us to wait.
        retry_after: Option<Duration>,
        /// Whether the same call may succeed later.
        again: Again,
        /// Whether the prompt has no part in it.
        says_nothing: bool,
    },
    /// A model's budget is used up: nobody's failure.
    OverBudget,
    /// Ours: the message comes again.
    Ours(Error),
}

impl Failure {
    fn of_call(error: CallError, says_nothing: bool) -> Self {
        let says_nothing = says_nothing || error.transient();
        let retry_after = error.retry_after();
        let again = match &error {
            CallError::Throttled { .. } => Again::Asked,
            error if error.transient() => Again::Perhaps,
            _ => Again::Never,
        };
        Self::Theirs { error: error.into(), retry_after, again, says_nothing }
    }

    /// A judge that fails says nothing about the prompt, and never lets it pass.
    fn of_judge(error: Error) -> Self {
        let again = if error.retryable() { Again::Perhaps } else { Again::Never };
        Self::Theirs { error, retry_after: None, again, says_nothing: true }
    }
}

impl App {
    /// Asks the model once, and has its answer judged.
    pub(crate) async fn answer(&self, subject: &Subject<'_>) -> Result<Answer, Failure> {
        let Subject { model, content, rendered, .. } = subject;
        let request = Request {
            messages: &rendered.messages,
            temperature: content.temperature,
            max_tokens: content.max_tokens,
            params: &content.params,
        };
        let models = &self.registry.models;
        let calling = models.call(model, &request);
        let (called, took) = self.within_budget(model, transient::BUDGET_PATIENCE, calling).await?;
        let completion = called.map_err(|error| Failure::of_call(error, false))?;
        let Completion { output, input_tokens, output_tokens, .. } = completion;
        let cost_usd = model.cost(input_tokens, output_tokens);
        let (judgements, judging_usd) = self.judgements(subject, &output).await?;
        let latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (scored, output) = scored(subject, output, latency_ms, cost_usd, judgements).await?;
        let cost_usd = [cost_usd, judging_usd].into_iter().sum();
        Ok(Answer { scored, output, latency_ms, input_tokens, output_tokens, cost_usd })
    }

    /// Calls once the model's budget has room, and says how long the call itself took.
    async fn within_budget<T>(
        &self,
        model: &ModelEntry,
        patience: Duration,
        call: impl Future<Output = T>,
    ) -> Result<(T, Duration), Failure> {
        let leave = self.leave(model, patience).await.map_err(Failure::Ours)?.ok_or(Failure::OverBudget)?;
        let clock = &self.registry.sources.clock;
        let started = clock.monotonic();
        let called = call.await;
        let took = clock.monotonic().saturating_sub(started);
        self.give_back(leave).await;
        Ok((called, took))
    }

    /// What models say about an output, and what that cost.
    async fn judgements(
        &self,
        subject: &Subject<'_>,
        output: &str,
    ) -> Result<(BTreeMap<usize, Judgement>, Usd), Failure> {
        let (mut judgements, mut cost) = (BTreeMap::new(), Usd::default());
        for question in subject.case.questions(output) {
            let (judgement, its_cost) = self.judgement(subject, &question, output).await?;
            judgements.insert(question.at, judgement);
            cost += its_cost;
        }
        Ok((judgements, cost))
    }

    async fn judgement(
        &self,
        subject: &Subject<'_>,
        question: &Question,
        output: &str,
    ) -> Result<(Judgement, Usd), Failure> {
        let judges = &self.judges;
        match &question.ask {
            Ask::Similar { expected } => {
                let model = judges.embedding_model.as_ref();
                let model = chosen(question, model, "similar", "CUECARD_EMBEDDING_MODEL")?;
                self.similarity(&model, expected, output).await
            }
            Ask::Rubric { rubric } => {
                let model =
                    chosen(question, judges.judge_model.as_ref(), "llm-rubric", "CUECARD_JUDGE_MODEL")?;
                self.graded(&model, &rubric_messages(rubric, output), read_judgement).await
            }
            Ask::Factuality { reference } => {
                let model =
                    chosen(question, judges.judge_model.as_ref(), "factuality", "CUECARD_JUDGE_MODEL")?;
                let asked = subject.rendered.messages.last().map(|message| message.content.as_str());
                self.graded(&model, &factuality_messages(asked, reference, output), read_factuality).await
            }
        }
    }

    async fn graded(
        &self,
        model_id: &str,
        messages: &[ChatMessage],
        read: fn(&str) -> Result<Judgement, String>,
    ) -> Result<(Judgement, Usd), Failure> {
        let model = self.registry.model(model_id).await.map_err(Failure::of_judge)?;
        let params = Map::new();
        let request = Request { messages, temperature: 0.0, max_tokens: JUDGEMENT_TOKENS, params: &params };
        let calling = self.registry.models.call(&model, &request);
        let (called, _) = self.within_budget(&model, transient::JUDGE_PATIENCE, calling).await?;
        let completion = called.map_err(|error| Failure::of_call(error, true))?;
        // A model that missed the form once may find it the next time.
        let judgement = read(&completion.output)
            .map_err(|error| Failure::of_judge(Error::new(ErrorKind::Provider, error)))?;
        Ok((judgement, model.cost(completion.input_tokens, completion.output_tokens)))
    }

    async fn similarity(
        &self,
        model_id: &str,
        expected: &[String],
        output: &str,
    ) -> Result<(Judgement, Usd), Failure> {
        let model = self.registry.model(model_id).await.map_err(Failure::of_judge)?;
        let texts: Vec<&str> = std::iter::once(output).chain(expected.iter().map(String::as_str)).collect();
        let embedding = self.registry.models.embed(&model, &texts);
        let (embedded, _) = self.within_budget(&model, transient::JUDGE_PATIENCE, embedding).await?;
        let embedded = embedded.map_err(|error| Failure::of_call(error, true))?;
        let similarity = match embedded.vectors.split_first() {
            Some((output, expected)) => {
                let similarities: Option<Vec<f64>> =
                    expected.iter().map(|vector| cosine(output, vector)).collect();
                similarities.and_then(|all| all.into_iter().max_by(f64::total_cmp))
            }
            None => None,
        };
        let similarity = similarity.ok_or_else(|| {
            let detail = format!("The embeddings of `{model_id}` cannot be compared with one another.");
            Failure::of_judge(Error::new(ErrorKind::Provider, detail))
        })?;
        Ok((Judgement::Similarity(similarity), model.cost(embedded.input_tokens, 0)))
    }
}

/// The model that an assertion names, or the installation's.
fn chosen(
    question: &Question,
    default: Option<&String>,
    kind: &str,
    variable: &str,
) -> Result<String, Failure> {
    question.provider.as_ref().or(default).cloned().ok_or_else(|| {
        let detail = format!(
            "Nobody said which model judges `{kind}`: set `provider` on the assertion, or {variable} for all of them."
        );
        Failure::of_judge(Error::invalid("/assert", detail))
    })
}

/// Scores an output. A test set's author chooses the expressions, so they run beside the other cases, not before
/// them.
async fn scored(
    subject: &Subject<'_>,
    output: String,
    latency_ms: u64,
    cost_usd: Usd,
    judgements: BTreeMap<usize, Judgement>,
) -> Result<(CaseScore, String), Failure> {
    let case = Arc::clone(&subject.case);
    let scoring = tokio::task::spawn_blocking(move || {
        let answered = Answered { output: &output, latency_ms, cost_usd };
        score(&case, &answered, &judgements).map(|scored| (scored, output))
    });
    let scored = scoring.await.map_err(|error| Failure::Ours(Error::internal(error)))?;
    scored.map_err(Failure::Ours)
}
