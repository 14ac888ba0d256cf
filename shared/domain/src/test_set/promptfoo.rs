//! promptfoo's files: a list of tests, or a config whose `tests` and `defaultTest` are read.

use std::{collections::HashMap, iter::once, rc::Rc};

use super::{
    MAX_CASE_BYTES, MAX_TEST_SET_BYTES,
    intake::Problem,
    node::{Data, Entry, Node},
    yaml,
};

/// What a config also says, and what changes no case: which prompts and models, and how they are run and
/// shown.
const TOLERATED: [&str; 20] = [
    "$schema",
    "assertionTemplates",
    "derivedMetrics",
    "description",
    "env",
    "evaluateOptions",
    "metadata",
    "name",
    "nunjucksFilters",
    "outputPath",
    "prompts",
    "providerPromptMap",
    "providers",
    "sharing",
    "tags",
    "targets",
    "tracing",
    "version",
    "writeLatestResults",
    "commandLineOptions",
];

/// Options of the command line that change cases.
const CHANGING: [&str; 6] = ["assertions", "promptPrefix", "promptSuffix", "tests", "var", "vars"];

/// The tests of a file, each with the defaults merged in.
pub(super) fn tests(text: &str) -> Box<dyn Iterator<Item = Result<Node, Problem>>> {
    let root = match yaml::parse(text, MAX_TEST_SET_BYTES) {
        Ok(root) => root,
        Err(problem) => return Box::new(once(Err(problem))),
    };
    let (tests, default, problems) = match &root.data {
        Data::List(items) => (items.clone(), None, Vec::new()),
        Data::Map(entries) => config(&root, entries),
        _ if root.is_null() => (Vec::new(), None, Vec::new()),
        _ => {
            let why = "a promptfoo file is a list of tests, or a config with `tests`";
            (Vec::new(), None, vec![root.place.problem(why)])
        }
    };
    let tests = tests.into_iter().map(move |test| {
        if let Data::Text(_) = test.data {
            return Err(test
                .place
                .problem("this names a file, which is not here; write the tests themselves"));
        }
        require_no_reference(&test)?;
        match &default {
            Some(default) if matches!(test.data, Data::Map(_)) => Ok(merged(default, &test)),
            _ => Ok(test.as_ref().clone()),
        }
    });
    Box::new(problems.into_iter().map(Err).chain(tests))
}

/// The tests of a config, what each takes over, and what is wrong around them.
fn config(root: &Node, entries: &[Entry]) -> (Vec<Rc<Node>>, Option<Rc<Node>>, Vec<Problem>) {
    let (mut tests, mut default, mut problems) = (Vec::new(), None, Vec::new());
    if root.get("tests").is_none_or(Node::is_null) {
        problems.push(root.place.problem("the config has no `tests`"));
    }
    for entry in entries.iter().filter(|entry| !entry.value.is_null()) {
        match (entry.key.as_str(), &entry.value.data) {
            ("tests", Data::List(items)) => tests.clone_from(items),
            ("tests", _) => problems.push(
                entry.place.problem("`tests` names what is not here; write the tests themselves, as a list"),
            ),
            ("defaultTest", _) => match require_default(entry) {
                Ok(()) => default = Some(Rc::clone(&entry.value)),
                // Without what they take over, right tests would look wrong.
                Err(problem) => return (Vec::new(), None, vec![problem]),
            },
            ("commandLineOptions", Data::Map(options)) => {
                let changing = options.iter().filter(|option| CHANGING.contains(&option.key.as_str()));
                problems.extend(changing.map(|option| {
                    option.place.problem(format!("the command line option `{}` is not supported", option.key))
                }));
            }
            (name, _) if TOLERATED.contains(&name) || name.starts_with("x-") => {}
            (name, _) => problems.push(entry.place.problem(format!(
                "`{name}` of a config is not supported; a key that only holds anchors begins with `x-`"
            ))),
        }
    }
    (tests, default, problems)
}

/// What goes into every case must be able to go into one.
fn require_default(entry: &Entry) -> Result<(), Problem> {
    let node = entry.value.as_ref();
    if let Data::Text(_) = node.data {
        return Err(entry.place.problem("`defaultTest` names a file, which is not here; write it itself"));
    }
    node.entries("`defaultTest`")?;
    require_no_reference(node)?;
    node.literal(&mut MAX_CASE_BYTES.clone()).map(drop)
}

/// promptfoo replaces `$ref` by another part of the file, or by another file.
fn require_no_reference(node: &Node) -> Result<(), Problem> {
    match &node.data {
        Data::List(items) => items.iter().try_for_each(|item| require_no_reference(item)),
        Data::Map(entries) => entries.iter().try_for_each(|entry| match entry.key.as_str() {
            "$ref" => Err(entry.place.problem(
                "`$ref` is not supported: repeat the value, or use an anchor; write a JSON schema that \
                 refers to itself as a text",
            )),
            _ => require_no_reference(&entry.value),
        }),
        Data::Text(_) | Data::Scalar(_) => Ok(()),
    }
}

/// A test with what it takes over: assertions of the default come first; of names that both have, the test's
/// win.
fn merged(default: &Node, test: &Node) -> Node {
    let (Data::Map(defaults), Data::Map(own)) = (&default.data, &test.data) else { return test.clone() };
    let own_asserts = test
        .get("options")
        .and_then(|options| options.get("disableDefaultAsserts"))
        .is_some_and(Node::is_true);
    let mut entries: Vec<Entry> = own.iter().filter(|entry| !entry.value.is_null()).cloned().collect();
    for default in defaults {
        let at = entries.iter().position(|entry| entry.key == default.key);
        match (default.key.as_str(), at) {
            ("description", _) => {}
            ("assert", _) if own_asserts => {}
            (_, None) => entries.push(default.clone()),
            ("assert" | "vars" | "options" | "metadata", Some(at)) => {
                entries[at].value = joined(&default.value, &entries[at].value);
            }
            _ => {}
        }
    }
    Node::new(&test.place, Data::Map(entries))
}

/// Lists one after another; mappings in one, where the own values win.
fn joined(default: &Node, own: &Rc<Node>) -> Rc<Node> {
    let data = match (&default.data, &own.data) {
        (Data::List(default), Data::List(own)) => Data::List(default.iter().chain(own).cloned().collect()),
        (Data::Map(default), Data::Map(own)) => {
            let mut rest: HashMap<&str, &Entry> =
                own.iter().map(|entry| (entry.key.as_str(), entry)).collect();
            let mut entries: Vec<Entry> = default
                .iter()
                .map(|entry| rest.remove(entry.key.as_str()).unwrap_or(entry).clone())
                .collect();
            entries.extend(own.iter().filter(|entry| rest.contains_key(entry.key.as_str())).cloned());
            Data::Map(entries)
        }
        // What is of a wrong shape is refused when the test is read.
        _ => return Rc::clone(own),
    };
    Rc::new(Node::new(&own.place, data))
}
