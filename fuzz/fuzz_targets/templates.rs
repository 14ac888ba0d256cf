//! Templates and values of anybody: whatever they say, compiling and rendering end within the budget, and never panic.

#![no_main]

use domain::{
    content::{Body, Content, TemplateFormat},
    template::{Compiled, Values},
};
use libfuzzer_sys::fuzz_target;
use serde_json::Map;

fn content(template: &str, template_format: TemplateFormat) -> Content {
    Content {
        body: Body::Text {
            template_text: template.to_owned(),
            system_prompt: None,
            few_shot_examples: Vec::new(),
        },
        template_format,
        variables: Vec::new(),
        model_id: "test/model".to_owned(),
        temperature: 0.0,
        max_tokens: 1,
        params: Map::new(),
        config: Map::new(),
    }
}

fuzz_target!(|text: &str| {
    // What stands before the first NUL is the template, and the rest its values.
    let (template, values) = text.split_once('\0').unwrap_or((text, "{}"));
    let values = Values::parse(values).unwrap_or_default();
    for format in [TemplateFormat::Jinja, TemplateFormat::Mustache, TemplateFormat::Plain] {
        // Variables that nobody declares are those that the template uses.
        let Ok(content) = content(template, format).with_variables(None) else { continue };
        if let Ok(compiled) = Compiled::new(&content) {
            let _ = compiled.render(&values);
        }
    }
});
