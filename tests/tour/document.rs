//! The steps that a document asks its reader to take.

/// Commands, and what the document says they answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) commands: String,
    pub(crate) answer: String,
}

/// The steps of a section, which goes to the next heading of its level or above: each `sh` block, with the `text` block
/// after it. A step without such a block answers nothing.
pub(crate) fn steps(markdown: &str, heading: &str) -> Vec<Step> {
    let level = |line: &str| line.bytes().take_while(|byte| *byte == b'#').count();
    let ends = |line: &str| (1..=level(heading)).contains(&level(line));
    let mut lines = markdown.lines().skip_while(|line| *line != heading).skip(1).peekable();
    assert!(lines.peek().is_some(), "there is no section `{heading}`");
    let mut steps: Vec<Step> = Vec::new();
    while let Some(line) = lines.next().filter(|line| !ends(line)) {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n"));
        let block: String = block.collect();
        match (language, steps.last_mut()) {
            ("sh", _) => steps.push(Step { commands: block, answer: String::new() }),
            ("text", Some(step)) if step.answer.is_empty() => step.answer = block,
            _ => panic!("a block of `{language}` is neither commands nor the answer to any:\n{block}"),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_go_with_the_answer_after_them() {
        let markdown = "# A\n```sh\nno\n```\n## B\nWords.\n```sh\na\n# b\n```\n\n```sh\nc\n```\n\n```text\nd\n\n```\n\
            ### D\n```sh\ne\n```\n## C\n```sh\nno\n```\n";
        let step =
            |commands: &str, answer: &str| Step { commands: commands.to_owned(), answer: answer.to_owned() };
        assert_eq!(steps(markdown, "## B"), [step("a\n# b\n", ""), step("c\n", "d\n\n"), step("e\n", "")]);
        assert_eq!(steps(markdown, "### D"), [step("e\n", "")]);
    }

    #[test]
    #[should_panic(expected = "neither commands nor the answer")]
    fn an_answer_without_commands_is_found() {
        steps("## A\n```sh\na\n```\n```text\nb\n```\n```text\nc\n```\n", "## A");
    }
}
