//! What is written reads back, whatever it is.

use client::versions::NewVersion;
use domain::content::{
    ChatMessage, FewShotExample, Literal, MessageTemplate, Placeholder, PlaceholderTag, Role, TemplateFormat,
    Variable, VariableType,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json, value::to_raw_value};

use super::{PromptFile, ours};

/// Texts as people write them, and as they do not.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "[ \n\t\r:#'\"{}|>&*!%@`~?-]{0,12}",
        "(---\n| x|\n|\u{85}|\u{2028}|\u{feff}|\u{0}|é|🗝|null|yes|1\\.0|- a|key: b){0,6}",
        any::<String>(),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e300..1e300).prop_map(Value::from),
        (0.0..1.0).prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let members = prop::collection::btree_map(any_text(), inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

fn any_members() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(any_text(), any_json(), 0..3)
        .prop_map(|members| members.into_iter().collect())
}

fn any_variable() -> impl Strategy<Value = Variable> {
    let kinds = prop_oneof![Just(VariableType::String), Just(VariableType::Number), Just(VariableType::Json)];
    (any_text(), kinds, any::<bool>(), prop::option::of(any_json()), prop::option::of(any_text())).prop_map(
        |(name, kind, required, default, description)| {
            let default = default.map(|default| match kind {
                VariableType::String => json!(default.to_string()),
                _ => default,
            });
            let default = default.map(|default| Literal(to_raw_value(&default).unwrap()));
            Variable { name, kind, required, default, description }
        },
    )
}

fn any_messages() -> impl Strategy<Value = Vec<MessageTemplate>> {
    let message = prop_oneof![
        any_text().prop_map(|text| MessageTemplate::Message(ChatMessage::new(Role::Assistant, text))),
        any_text().prop_map(|name| {
            MessageTemplate::Placeholder(Placeholder { tag: PlaceholderTag::Placeholder, name })
        }),
    ];
    prop::collection::vec(message, 0..4)
}

fn any_example() -> impl Strategy<Value = FewShotExample> {
    (any_text(), any_text()).prop_map(|(input, output)| FewShotExample { input, output })
}

prop_compose! {
    fn any_version()(
        template in any_text(),
        system_prompt in prop::option::of(any_text()),
        examples in prop::option::of(prop::collection::vec(any_example(), 1..3)),
        messages in prop::option::of(any_messages()),
        variables in prop::option::of(prop::collection::vec(any_variable(), 0..3)),
        params in any_members(),
        config in any_members(),
        model_id in prop::option::of(any_text()),
        temperature in prop::option::of(0.0..2.0),
        max_tokens in prop::option::of(any::<u32>()),
        plain in any::<bool>(),
    ) -> NewVersion {
        let is_template = messages.is_none();
        NewVersion {
            template_text: is_template.then_some(template),
            system_prompt: system_prompt.filter(|_| is_template),
            few_shot_examples: examples.filter(|_| is_template),
            messages,
            template_format: if plain { TemplateFormat::Plain } else { TemplateFormat::Jinja },
            variables,
            model_id,
            temperature,
            max_tokens,
            params,
            config,
            note: None,
            based_on: None,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back_and_is_written_the_same(
        says in any_version(),
        version in prop::option::of(any::<u32>()),
        description in prop::option::of(any_text()),
        tags in prop::collection::vec(any_text(), 0..3),
    ) {
        let (team, name) = (Some("support".parse().unwrap()), "a/b: #c".parse().unwrap());
        let file = PromptFile { team, name, version, description, tags, says };
        let text = file.text().unwrap();
        let read = ours::read(&text);
        prop_assert_eq!(read.as_ref(), Ok(&file), "{}", text);
        prop_assert_eq!(read.unwrap().text().unwrap(), text);
    }
}
