//! People by their names. What is kept says by a key's id who did something, and an id tells nobody who that was.

use std::collections::BTreeMap;

use domain::Result;
use serde_json::Value;

use crate::App;

/// The members that say who did something.
const WHO: [&str; 3] = ["by", "created_by", "moved_by"];

/// What the audit chains, and what people wrote, is shown exactly as it is: an id in it names nobody.
const EXACT: [&str; 6] = ["after", "before", "content", "evidence", "from", "to"];

/// Puts the names of keys in the place of their ids. Who is no key, such as `steer`, stays.
pub(crate) async fn by_name(app: &App, context: &mut Value) -> Result<()> {
    let mut names = BTreeMap::new();
    each(context, &mut |who| drop(names.insert(who.clone(), None)));
    for (who, name) in &mut names {
        if let Some(id) = who.strip_prefix("key_") {
            *name = app.registry().cache.api_key(id).await?.map(|key| key.name.clone());
        }
    }
    each(context, &mut |who| {
        if let Some(Some(name)) = names.get(who) {
            name.clone_into(who);
        }
    });
    Ok(())
}

fn each(context: &mut Value, found: &mut impl FnMut(&mut String)) {
    match context {
        Value::Array(values) => values.iter_mut().for_each(|value| each(value, found)),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(who) if WHO.contains(&name.as_str()) => found(who),
                    _ if EXACT.contains(&name.as_str()) => {}
                    _ => each(value, found),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_did_something_is_found_but_in_what_is_exact() {
        let mut context = json!({
            "by": "a", "named": "x", "list": [{ "created_by": "b", "moved_by": null }], "before": { "by": "c" },
            "version": { "content": { "config": { "by": "d" } } },
        });
        let mut found = Vec::new();
        each(&mut context, &mut |who| found.push(std::mem::take(who)));
        found.sort();
        assert_eq!(found, ["a", "b"]);
        assert_eq!((&context["by"], &context["before"]["by"]), (&json!(""), &json!("c")));
    }
}
