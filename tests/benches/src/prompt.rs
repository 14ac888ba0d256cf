//! The prompt that is resolved under load.

use serde_json::{Value, json};

/// Its variables, as a query has them.
pub const VARIABLES: &str = "variables=%7B%22name%22%3A%22Ada%22%2C%22plan%22%3A%22Team%22%2C%22message%22%3A%22Where%20is%20my%20order%3F%22%7D";

/// A version of 1 KB with three variables.
pub fn prompt_of_1_kb() -> Value {
    let sentence =
        "You answer customers of Larkfield kindly, in at most three sentences, and never promise a date. ";
    let template = format!(
        "{}Customer: {{{{ name }}}}\nPlan: {{{{ plan }}}}\nMessage: {{{{ message }}}}\n",
        sentence.repeat(10)
    );
    json!({ "template_text": template, "model_id": "mock/echo" })
}

/// The path and query that resolve it, under the name `warm`.
pub fn question(environment: &str) -> String {
    format!("/api/resolve/warm?{environment}&user_id=user-1&{VARIABLES}")
}
