//! The content hash: what two versions must share to be the same content.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Body, Content, Variable};

impl Content {
    /// SHA-256, in lower-case hex, of the canonical JSON (RFC 8785) of [`Content::to_json`].
    pub fn sha256(&self) -> String {
        // A JSON value has unique keys and finite numbers, so its canonical form always exists.
        let canonical = serde_json_canonicalizer::to_vec(&self.to_json()).unwrap_or_default();
        hex::encode(Sha256::digest(canonical))
    }

    /// The content as one flat JSON object: `template_text`, `system_prompt` and `few_shot_examples`, or `messages`;
    /// then the fields that both shapes share. Nothing is left out, so absent settings are `null` or empty.
    pub fn to_json(&self) -> Value {
        let mut object = json!({
            "template_format": self.template_format,
            "variables": self.variables.iter().map(Variable::to_json).collect::<Vec<_>>(),
            "model_id": self.model_id,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "params": self.params,
            "config": self.config,
        });
        match &self.body {
            Body::Text { template_text, system_prompt, few_shot_examples } => {
                object["template_text"] = json!(template_text);
                object["system_prompt"] = json!(system_prompt);
                object["few_shot_examples"] = json!(few_shot_examples);
            }
            Body::Messages(messages) => object["messages"] = json!(messages),
        }
        object
    }
}

impl Variable {
    fn to_json(&self) -> Value {
        // A default nests too deeply for this only if `validate` refuses it; then its text stands in.
        let default = self.default.as_ref().map(|default| {
            serde_json::from_str(default.as_str()).unwrap_or_else(|_| Value::from(default.as_str()))
        });
        let mut object = json!({ "name": self.name, "type": self.kind, "required": self.required });
        if let Some(default) = default {
            object["default"] = default;
        }
        if let Some(description) = &self.description {
            object["description"] = json!(description);
        }
        object
    }
}
