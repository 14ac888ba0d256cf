//! What the console's editor asks: a draft on one or two models, or beside a version that exists. It is here and not
//! in `console`, from whose network no provider is reached. The answer is a page of its own; the editor's script shows
//! it in place.

use std::fmt::Write as _;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Error, Result, VersionId, content::Variable};
use registry::trial::{Subject, Trial};
use web::{Fields, Form, Noted, protect_page, values_of, version_of, visible};

use crate::App;

/// One of the things that are tried side by side.
struct Column {
    title: String,
    came: Result<Trial>,
}

/// Tries what the editor's form holds.
pub async fn try_draft(State(app): State<App>, request: Request) -> Response {
    let (status, body, failure) = match app.doors.form(request).await {
        Ok(form) => {
            let columns = columns(&app, &form).await;
            (StatusCode::OK, columns.iter().map(shown).collect::<String>(), None)
        }
        Err(error) => {
            let status = web::describe(error.kind()).0;
            (status, problem(&error), Some(Noted::new(&error)))
        }
    };
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Try · Cuecard</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"stylesheet\" href=\"/console/assets/console.css\"></head>\
         <body><main><h1>Try</h1><div class=\"columns\" id=\"tried\">{body}</div></main></body></html>"
    );
    let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    protect_page(response.headers_mut());
    if let Some(failure) = failure {
        response.extensions_mut().insert(failure);
    }
    response
}

/// The draft on its own model or the chosen one, and what is to stand beside it; both are asked at once.
async fn columns(app: &App, Form { act, fields, .. }: &Form) -> Vec<Column> {
    let draft = async |model: Option<&str>| -> Result<Trial> {
        let draft = version_of(fields)?;
        let model_id = model.map(str::to_owned).or_else(|| draft.model_id.clone());
        let missing = || Error::invalid("/model_id", "Say on which model to try it.");
        let content = draft.content(model_id.clone().ok_or_else(missing)?)?;
        let values = values_of(fields, &content.variables)?;
        let subject = Subject::Draft(Box::new(draft));
        app.registry.try_out(&act.caller, &subject, &values, model_id.as_deref()).await
    };
    let beside = async {
        if let Some(version) = fields.given("try_version") {
            let came = version_tried(app, &act.caller, fields, version).await;
            return Some(Column { title: "The version beside it".to_owned(), came });
        }
        let model = fields.given("try_beside")?;
        Some(Column { title: "The draft".to_owned(), came: draft(Some(model)).await })
    };
    let own =
        async { Column { title: "The draft".to_owned(), came: draft(fields.given("try_model")).await } };
    let (own, beside) = tokio::join!(own, beside);
    std::iter::once(own).chain(beside).collect()
}

async fn version_tried(app: &App, caller: &domain::Caller, fields: &Fields, version: &str) -> Result<Trial> {
    let id: VersionId = version.parse().map_err(|error: String| Error::invalid("/try_version", error))?;
    let variables: Vec<Variable> = app.registry.version(caller, id).await?.version.content.variables;
    let values = values_of(fields, &variables)?;
    app.registry.try_out(caller, &Subject::Version(id), &values, None).await
}

fn shown(Column { title, came }: &Column) -> String {
    let mut html = format!("<section class=\"card\"><h2>{}</h2>", visible(title));
    match came {
        Ok(trial) => {
            let _ = write!(
                html,
                "<p class=\"muted\">{model} · {latency} ms · {input} tokens in, {output} out · ${cost}</p>\
                 <pre class=\"output\">{text}</pre>",
                model = visible(&trial.model_id),
                latency = trial.latency_ms,
                input = trial.input_tokens,
                output = trial.output_tokens,
                cost = trial.cost_usd,
                text = visible(&trial.output),
            );
        }
        Err(error) => html.push_str(&problem(error)),
    }
    html.push_str("</section>");
    html
}

fn problem(error: &Error) -> String {
    format!("<p class=\"problem\" role=\"alert\">{}</p>", visible(error.detail()))
}
