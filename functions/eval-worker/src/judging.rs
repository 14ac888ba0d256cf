//! What models say about an answer, where an assertion asks for that.

use std::collections::BTreeMap;

use domain::{
    Error, ErrorKind, Result,
    assertion::{
        Ask, Judgement, Question, cosine,
        judge::{factuality_messages, read_factuality, read_judgement, rubric_messages},
    },
    content::ChatMessage,
    eval_run::Judged,
};
use futures_util::future::join_all;
use models::Request;
use serde_json::Map;

use crate::{App, answer::Failure, case::Subject};

/// How many judges are asked at once about an answer.
const JUDGES_AT_ONCE: usize = 5;

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

impl App {
    /// Asks judges for what is missing of the judgements on an output.
    pub(crate) async fn judge(
        &self,
        subject: &Subject<'_>,
        output: &str,
        judged: &mut BTreeMap<usize, Judged>,
    ) -> Result<(), Failure> {
        let mut missing = subject.case.questions(output);
        missing.retain(|question| !judged.contains_key(&question.at));
        for few in missing.chunks(JUDGES_AT_ONCE) {
            let mut failed = None;
            let asked = join_all(few.iter().map(|question| self.judgement(subject, question, output))).await;
            for (question, answer) in few.iter().zip(asked) {
                match answer {
                    Ok(answer) => {
                        judged.insert(question.at, answer);
                    }
                    // What the others said is kept all the same.
                    Err(failure) => failed = failed.or(Some(failure)),
                }
            }
            failed.map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    async fn judgement(
        &self,
        subject: &Subject<'_>,
        question: &Question,
        output: &str,
    ) -> Result<Judged, Failure> {
        let judges = &self.judges;
        match &question.ask {
            Ask::Similar { expected } => {
                let model = judges.embedding_model.as_ref();
                let model = chosen(question, model, "similar", "CUECARD_EMBEDDING_MODEL")?;
                self.similarity(subject, &model, expected, output).await
            }
            Ask::Rubric { rubric } => {
                let model =
                    chosen(question, judges.judge_model.as_ref(), "llm-rubric", "CUECARD_JUDGE_MODEL")?;
                self.graded(subject, &model, &rubric_messages(rubric, output), read_judgement).await
            }
            Ask::Factuality { reference } => {
                let model =
                    chosen(question, judges.judge_model.as_ref(), "factuality", "CUECARD_JUDGE_MODEL")?;
                let asked = subject.rendered.messages.last().map(|message| message.content.as_str());
                self.graded(subject, &model, &factuality_messages(asked, reference, output), read_factuality)
                    .await
            }
        }
    }

    async fn graded(
        &self,
        subject: &Subject<'_>,
        model_id: &str,
        messages: &[ChatMessage],
        read: fn(&str) -> Result<Judgement, String>,
    ) -> Result<Judged, Failure> {
        let model = self.registry.model(model_id).await.map_err(Failure::of_judge)?;
        let params = Map::new();
        let request = Request { messages, temperature: 0.0, max_tokens: JUDGEMENT_TOKENS, params: &params };
        let calling = self.registry.models.call(&model, &request);
        let (called, _) = self.within_budget(&model, subject.until, calling).await?;
        let completion = called.map_err(|error| Failure::of_call(error, true))?;
        // A model that missed the form once may find it the next time.
        let judgement = read(&completion.output)
            .map_err(|error| Failure::of_judge(Error::new(ErrorKind::Provider, error)))?;
        let cost_usd = model.cost(completion.input_tokens, completion.output_tokens);
        Ok(Judged { judgement, cost_usd })
    }

    async fn similarity(
        &self,
        subject: &Subject<'_>,
        model_id: &str,
        expected: &[String],
        output: &str,
    ) -> Result<Judged, Failure> {
        let model = self.registry.model(model_id).await.map_err(Failure::of_judge)?;
        let texts: Vec<&str> = std::iter::once(output).chain(expected.iter().map(String::as_str)).collect();
        let embedding = self.registry.models.embed(&model, &texts);
        let (embedded, _) = self.within_budget(&model, subject.until, embedding).await?;
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
        let cost_usd = model.cost(embedded.input_tokens, 0);
        Ok(Judged { judgement: Judgement::Similarity(similarity), cost_usd })
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
