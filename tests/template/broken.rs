//! Broken templates: each is the real one with one edit, and is refused for that edit alone.

mod alarms;
mod functions;
mod limits;
mod managed;
mod network;
mod releases;
mod storage;
mod streams;

use crate::{TEMPLATE, checks, code::Code, template::Template};

/// An edit within a resource, by its name, and all that has to be said about it.
struct Edit {
    within: &'static str,
    from: &'static str,
    to: &'static str,
    said: &'static [&'static str],
}

const fn edit(
    within: &'static str,
    from: &'static str,
    to: &'static str,
    said: &'static [&'static str],
) -> Edit {
    Edit { within, from, to, said }
}

impl Edit {
    /// The real template with this edit.
    fn of_template(&self) -> String {
        let begin = TEMPLATE.find(&format!("\n  {}:\n", self.within)).expect(self.within);
        let (before, block) = TEMPLATE.split_at(begin + 1);
        let end = block.find("\n\n").map_or(block.len(), |end| end + 1);
        let (block, after) = block.split_at(end);
        assert_eq!(block.matches(self.from).count(), 1, "{} says not once {}", self.within, self.from);
        [before, &block.replace(self.from, self.to), after].concat()
    }
}

#[tokio::test]
async fn each_broken_template_is_refused_for_its_own_reason() {
    let code = Code::read().await;
    let edits = [
        alarms::EDITS.as_slice(),
        &functions::EDITS,
        &limits::EDITS,
        &managed::EDITS,
        &network::EDITS,
        &releases::EDITS,
        &storage::EDITS,
        &streams::EDITS,
    ];
    for edit in edits.into_iter().flatten() {
        let complaints = checks::complaints(&Template::parse(&edit.of_template()), &code).await;
        assert_eq!(complaints, edit.said, "{}: {} as {}", edit.within, edit.from, edit.to);
    }
}
