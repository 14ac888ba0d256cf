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
    /// What is finished and has an anchor.
    anchors: HashMap<usize, Anchored>,
    root: Option<Rc<Node>>,
}

/// A value that aliases name.
#[derive(Clone)]
struct Anchored {
    node: Rc<Node>,
    size: usize,
    /// How many levels of lists and mappings it has.
    depth: usize,
}

struct Open {
    place: Place,
    anchor: usize,
    /// The size before it began.
    before: usize,
    /// How many levels of lists and mappings are in it.
    inside: usize,
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
                self.finish(Node { place, data }, anchor, before, 0)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(place, anchor, tag.as_deref(), Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                let (entries, names, merged) = (Vec::new(), HashSet::new(), Vec::new());
                self.open(place, anchor, tag.as_deref(), Content::Map { entries, names, key: None, merged })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { place, anchor, before, inside, content }) => {
                    let data = content.data()?;
                    self.finish(Node { place, data }, anchor, before, inside + 1)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(Anchored { node, size, depth }) => {
                    self.grow(size, &place)?;
                    self.require_shallow(depth, &place)?;
                    self.attach(node, &place, depth)
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

    /// Refuses more levels here than may be open.
    fn require_shallow(&self, levels: usize, place: &Place) -> Result<(), Problem> {
        if self.open.len() + levels > MAX_DEPTH {
            return Err(place.problem(format!("values are nested deeper than {MAX_DEPTH} levels")));
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
        self.require_shallow(1, &place)?;
        let own = if matches!(content, Content::List(_)) { "seq" } else { "map" };
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema_tag(own)) {
            return Err(place.problem(scalar::unknown(tag)));
        }
        let before = self.size;
        self.grow(NODE_BYTES, &place)?;
        self.open.push(Open { place, anchor, before, inside: 0, content });
        Ok(())
    }

    fn finish(&mut self, node: Node, anchor: usize, before: usize, depth: usize) -> Result<(), Problem> {
        let node = Rc::new(node);
        // 0 is no anchor.
        if anchor > 0 {
            let size = self.size - before;
            self.anchors.insert(anchor, Anchored { node: Rc::clone(&node), size, depth });
        }
        let place = node.place.clone();
        self.attach(node, &place, depth)
    }

    /// Puts a finished value of so many levels where it belongs; `place` is where it, or its alias, stands.
    fn attach(&mut self, node: Rc<Node>, place: &Place, depth: usize) -> Result<(), Problem> {
        let open = self.open.last_mut().map(|open| {
            open.inside = open.inside.max(depth);
            &mut open.content
        });
        match open {
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
mod tests;
