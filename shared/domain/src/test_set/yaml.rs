//! YAML 1.2 as values that know their lines.
//!
//! An alias shares what its anchor names, so a small file cannot take much memory; the size that the file
//! would have with all aliases written out is counted, and bounded, so it cannot take much time either.

mod scalar;

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use granit_parser::{Event, Parser, ScalarStyle, Tag};

pub(super) use self::scalar::decimal;
use super::{
    intake::Problem,
    node::{Data, Entry, Node, Place},
};

/// How deep lists and mappings are nested at most: what reads them afterwards is recursive.
const MAX_DEPTH: usize = 100;

/// What a value counts beside its text, in bytes: about what it takes in memory.
const NODE_BYTES: usize = 32;

/// The key that takes over the names of another mapping.
const MERGE: &str = "<<";

/// Reads one document. `most` bounds its bytes with all aliases written out, each value counting 32 more.
pub(super) fn parse(text: &str, most: usize) -> Result<Rc<Node>, Problem> {
    let mut loader = Loader { most, size: 0, open: Vec::new(), anchors: HashMap::new(), root: None };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            // The end of the file counts as a line of its own.
            let line = error.marker().line().min(text.lines().count());
            (line, format!("this is not YAML: {}", error.info()))
        })?;
        loader.event(event, Place::line(span.start.line()))?;
    }
    // A file without a document says nothing, as one that says `null`.
    Ok(loader.root.unwrap_or_else(|| Rc::new(Node::new(&Place::line(1), Data::Scalar("null".to_owned())))))
}

struct Loader {
    most: usize,
    /// The bytes so far, with all aliases written out.
    size: usize,
    /// The lists and mappings that are not finished, the outermost first.
    open: Vec<Open>,
    /// What is finished and has an anchor, with its size.
    anchors: HashMap<usize, (Rc<Node>, usize)>,
    root: Option<Rc<Node>>,
}

struct Open {
    place: Place,
    anchor: usize,
    /// The size before it began.
    before: usize,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Map { entries: Vec<Entry>, names: HashSet<String>, key: Option<(String, Place)>, merged: Vec<Rc<Node>> },
}

impl Loader {
    fn event(&mut self, event: Event, place: Place) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let before = self.size;
                self.grow(NODE_BYTES + text.len(), &place)?;
                let quoted = style != ScalarStyle::Plain;
                let json =
                    scalar::resolve(&text, quoted, tag.as_deref()).map_err(|why| place.problem(why))?;
                let data = json.map_or_else(|| Data::Text(text.into_owned()), Data::Scalar);
                self.finish(Node { place, data }, anchor, before)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(place, anchor, tag.as_deref(), Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                let (entries, names, merged) = (Vec::new(), HashSet::new(), Vec::new());
                self.open(place, anchor, tag.as_deref(), Content::Map { entries, names, key: None, merged })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { place, anchor, before, content }) => {
                    let data = content.data()?;
                    self.finish(Node { place, data }, anchor, before)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((node, size)) => {
                    let (node, size) = (Rc::clone(node), *size);
                    self.grow(size, &place)?;
                    self.attach(node, &place)
                }
                None => Err(place.problem("the alias stands inside of what it names")),
            },
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(place.problem("a second document begins here; a file has one"))
            }
            _ => Ok(()),
        }
    }

    fn grow(&mut self, size: usize, place: &Place) -> Result<(), Problem> {
        self.size = self.size.saturating_add(size);
        if self.size > self.most {
            return Err(place.problem(format!(
                "the file is too large up to here, with its aliases written out: {} bytes are allowed, \
                 each value counting {NODE_BYTES} more",
                self.most
            )));
        }
        Ok(())
    }

    fn open(
        &mut self,
        place: Place,
        anchor: usize,
        tag: Option<&Tag>,
        content: Content,
    ) -> Result<(), Problem> {
        if self.open.len() == MAX_DEPTH {
            return Err(place.problem(format!("values are nested deeper than {MAX_DEPTH} levels")));
        }
        let own = if matches!(content, Content::List(_)) { "seq" } else { "map" };
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema_tag(own)) {
            return Err(place.problem(scalar::unknown(tag)));
        }
        let before = self.size;
        self.grow(NODE_BYTES, &place)?;
        self.open.push(Open { place, anchor, before, content });
        Ok(())
    }

    fn finish(&mut self, node: Node, anchor: usize, before: usize) -> Result<(), Problem> {
        let node = Rc::new(node);
        // 0 is no anchor.
        if anchor > 0 {
            self.anchors.insert(anchor, (Rc::clone(&node), self.size - before));
        }
        let place = node.place.clone();
        self.attach(node, &place)
    }

    /// Puts a finished value where it belongs; `place` is where it, or its alias, stands.
    fn attach(&mut self, node: Rc<Node>, place: &Place) -> Result<(), Problem> {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, names, key, merged }) => match key.take() {
                Some((name, _)) if name == MERGE => merged.push(node),
                Some((name, place)) => entries.push(Entry { place, key: name, value: node }),
                None => {
                    let (Data::Text(name) | Data::Scalar(name)) = &node.data else {
                        return Err(place.problem("a name is a text, not a list or a mapping"));
                    };
                    if !names.insert(name.clone()) {
                        return Err(place.problem(format!("`{name}` stands here for the second time")));
                    }
                    *key = Some((name.clone(), place.clone()));
                }
            },
        }
        Ok(())
    }
}

impl Content {
    fn data(self) -> Result<Data, Problem> {
        let (mut entries, mut names, merged) = match self {
            Self::List(items) => return Ok(Data::List(items)),
            Self::Map { entries, names, merged, .. } => (entries, names, merged),
        };
        for source in merged {
            let sources = match &source.data {
                Data::List(items) => items.as_slice(),
                _ => std::slice::from_ref(&source),
            };
            for source in sources {
                for entry in source.entries("what `<<` takes over")? {
                    if names.insert(entry.key.clone()) {
                        entries.push(entry.clone());
                    }
                }
            }
        }
        Ok(Data::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_set::{MAX_CASE_BYTES, MAX_TEST_SET_BYTES};

    fn json(text: &str) -> String {
        let node = parse(text, MAX_TEST_SET_BYTES).unwrap();
        node.literal(&mut MAX_CASE_BYTES.clone()).unwrap().as_str().to_owned()
    }

    fn refused(text: &str) -> Problem {
        parse(text, MAX_TEST_SET_BYTES).unwrap_err()
    }

    #[test]
    fn values_become_json() {
        for (yaml, expected) in [
            ("", "null"),
            ("# nothing\n", "null"),
            ("a: 1\nb: [x, 'y', \"z\\n\"]\n", r#"{"a":1,"b":["x","y","z\n"]}"#),
            ("a: |\n  one\n  two\nb: >\n  one\n  two\n", r#"{"a":"one\ntwo\n","b":"one two\n"}"#),
            ("a: {b: {c: []}}", r#"{"a":{"b":{"c":[]}}}"#),
            ("1: a\ntrue: b\nnull: c", r#"{"1":"a","true":"b","null":"c"}"#),
            ("a: &x {k: 1}\nb: *x\nc: [*x]", r#"{"a":{"k":1},"b":{"k":1},"c":[{"k":1}]}"#),
            ("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}", r#"{"a":{"k":1,"l":2},"b":{"k":3,"l":2}}"#),
            ("- &x {k: 1}\n- {<<: [*x, {k: 2, m: 3}]}", r#"[{"k":1},{"k":1,"m":3}]"#),
            ("[!!str 5, !!int \"5\", ! 5, !!null '', !!float 1]", r#"["5",5,"5",null,1]"#),
            ("!!map {a: !!seq [b]}", r#"{"a":["b"]}"#),
            ("{\"a\": \"\\u00e9\", \"b\": null}", r#"{"a":"é","b":null}"#),
        ] {
            assert_eq!(json(yaml), expected, "{yaml}");
        }
    }

    #[test]
    fn values_know_their_lines() {
        let node = parse("# notes\nlist:\n  - a\n\n  - k: &x b\n    l: *x\n", MAX_TEST_SET_BYTES).unwrap();
        let list = node.get("list").unwrap().items("it").unwrap();
        assert_eq!(list[0].place.line, 3);
        assert_eq!(list[1].place.line, 5);
        assert_eq!(list[1].entries("it").unwrap()[1].place.line, 6);
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_its_line() {
        for (yaml, line, why) in [
            ("a: 1\nb: [", 2, "not YAML"),
            ("a: 1\nb: }", 2, "not YAML"),
            ("a: 1\nb: 2\na: 3", 3, "`a` stands here for the second time"),
            ("a: 1\n? [b]\n: c", 2, "a name is a text"),
            ("a: 1\nb: !include x.yaml", 2, "`!include`"),
            ("a: 1\nb: !custom {}", 2, "`!custom`"),
            ("a: 1\nb: !!int five", 2, "not the int"),
            ("a: 1\nb: !!binary aGk=", 2, "binary"),
            ("a: 1\nb: !!set {a}", 2, "set"),
            ("a: 1\nb: .inf", 2, "infinity"),
            ("a: 1\nb: *nobody", 2, "unknown anchor"),
            ("a: 1\nb: &b [*b]", 2, "inside of what it names"),
            ("a: 1\n---\nb: 2", 2, "second document"),
            ("a: 1\n<<: 2", 2, "mapping"),
        ] {
            let problem = refused(yaml);
            assert_eq!(problem.0, line, "{yaml}: {problem:?}");
            assert!(problem.1.contains(why), "{yaml}: {problem:?}");
        }
    }

    #[test]
    fn aliases_are_counted_as_if_written_out() {
        let laughs = (1..40).map(|level| {
            let aliases = vec![format!("*a{}", level - 1); 10].join(",");
            format!("a{level}: &a{level} [{aliases}]\n")
        });
        let laughs: Vec<String> = std::iter::once("a0: &a0 [lol]\n".to_owned()).chain(laughs).collect();
        let (line, detail) = refused(&laughs.concat());
        assert!((6..9).contains(&line) && detail.contains("too large"), "{line}: {detail}");
        assert!(parse("a: &a [x]\nb: *a", 228).is_ok());
        assert!(parse("a: &a [x]\nb: *a", 227).is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(100), MAX_TEST_SET_BYTES).is_ok());
        assert!(refused(&nested(101)).1.contains("nested"));
        assert_eq!(refused(&"[".repeat(1_000_000)).0, 1);
    }
}
