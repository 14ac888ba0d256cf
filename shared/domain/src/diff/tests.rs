//! Differences as a reader sees them.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::{Diff, Hunk, Level, Tag, diff};
use crate::content::{Body, Content, TemplateFormat};

fn content(body: Body) -> Content {
    Content {
        body,
        template_format: TemplateFormat::Plain,
        variables: Vec::new(),
        model_id: "gpt-4o-mini".to_owned(),
        temperature: 0.7,
        max_tokens: 1000,
        params: Map::new(),
        config: Map::new(),
    }
}

fn text(template_text: &str, system_prompt: Option<&str>) -> Content {
    content(Body::Text {
        template_text: template_text.to_owned(),
        system_prompt: system_prompt.map(str::to_owned),
        few_shot_examples: Vec::new(),
    })
}

/// The one hunk of the one text that changed.
fn only_hunk(diff: Diff) -> Hunk {
    assert_eq!((diff.fields.len(), diff.text.len(), diff.text[0].hunks.len()), (0, 1, 1));
    diff.text.into_iter().next().unwrap().hunks.remove(0)
}

/// A hunk in unified form; changed pieces stand in angle brackets.
fn unified(hunk: &Hunk) -> String {
    let Hunk { old_start, old_lines, new_start, new_lines, lines } = hunk;
    let mut out = format!("@@ -{old_start},{old_lines} +{new_start},{new_lines} @@\n");
    for line in lines {
        out.push(match line.tag {
            Tag::Equal => ' ',
            Tag::Delete => '-',
            Tag::Insert => '+',
        });
        if line.pieces.is_empty() {
            out.push_str(&line.text);
        }
        for piece in &line.pieces {
            let [open, close] = if piece.changed { ["<", ">"] } else { ["", ""] };
            out.extend([open, &piece.text, close]);
        }
    }
    out
}

#[test]
fn changed_lines_stand_in_their_context_with_their_words() {
    let from = "1\n2\n3\n4\nYou are a polite bot.\nAnswer.\n5\n6\n7\n8\n";
    let to = "1\n2\n3\n4\nYou are a very polite assistant.\nAnswer.\n5\n6\n7\n8\n";
    let expected = "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-You are a polite <bot>.\n+You are a <very >polite <assistant>.\n Answer.\n 5\n 6\n";
    assert_eq!(unified(&only_hunk(diff(&text(from, None), &text(to, None)))), expected);
}

#[test]
fn lines_that_only_come_or_go_have_no_pieces() {
    let diff_of = |from: &str, to: &str| unified(&only_hunk(diff(&text(from, None), &text(to, None))));
    assert_eq!(diff_of("a\n", "a\nb\n"), "@@ -1,1 +1,2 @@\n a\n+b\n");
    assert_eq!(diff_of("a\nb\n", "b\n"), "@@ -1,2 +1,1 @@\n-a\n b\n");
    assert_eq!(diff_of("", "a"), "@@ -0,0 +1,1 @@\n+a");
    assert_eq!(diff_of("a", "a\n"), "@@ -1,1 +1,1 @@\n-a+a<\n>");
}

#[test]
fn parameters_change_one_by_one_and_keep_how_they_were_written() {
    let from = text("x", None);
    let mut to = Content { temperature: 1.0, max_tokens: 5, model_id: "m".to_owned(), ..from.clone() };
    to.variables = serde_json::from_str(r#"[{"name": "n", "type": "number", "default": 1.50}]"#).unwrap();
    to.params.insert("top_p".to_owned(), json!(0.5));
    let mut from = from;
    from.config.insert("a".to_owned(), json!([1]));
    assert_eq!(
        serde_json::to_string(&diff(&from, &to)).unwrap(),
        concat!(
            r#"{"fields":[{"field":"model_id","from":"gpt-4o-mini","to":"m"},"#,
            r#"{"field":"temperature","from":0.7,"to":1.0},{"field":"max_tokens","from":1000,"to":5},"#,
            r#"{"field":"variables","from":[],"to":[{"name":"n","type":"number","required":true,"default":1.50}]},"#,
            r#"{"field":"params.top_p","to":0.5},{"field":"config.a","from":[1]}],"text":[]}"#,
        )
    );
}

#[test]
fn messages_are_compared_as_one_text() {
    let messages = |json: &str| content(Body::Messages(serde_json::from_str(json).unwrap()));
    let from = messages(r#"[{"role": "system", "content": "Be curt."}, {"role": "user", "content": "Hi"}]"#);
    let to = messages(r#"[{"role": "system", "content": "Be kind."}, {"type": "placeholder", "name": "h"}]"#);
    let difference = diff(&from, &to);
    assert_eq!(difference.text[0].field, "messages");
    let expected =
        "@@ -1,4 +1,3 @@\n [system]\n-Be <curt>.\n-[<user>]<\n>-<Hi>\n+Be <kind>.\n+[<placeholder h>]\n";
    assert_eq!(unified(&only_hunk(difference)), expected);
    let shapes = diff(&text("Hi", None), &from);
    let changed: Vec<_> = shapes.text.iter().map(|change| change.field).collect();
    assert_eq!(changed, ["template_text", "messages"]);
    let alike = messages(r#"[{"role": "system", "content": "a\n[user]\nb"}]"#);
    let other = messages(r#"[{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]"#);
    assert_eq!(diff(&alike, &other).fields[0].field, "messages");
}

#[test]
fn an_empty_text_that_appears_is_a_change() {
    let difference = diff(&text("x", None), &text("x", Some("")));
    assert_eq!(difference.fields[0].field, "system_prompt");
    assert!(difference.text.is_empty());
}

#[test]
fn large_blocks_are_compared_by_lines_only() {
    let (from, to) = ("a b ".repeat(20_000), "b a ".repeat(20_000));
    let difference = diff(&text(&from, None), &text(&to, None));
    assert_eq!(difference.text[0].level, Level::Line);
    assert!(difference.text[0].hunks[0].lines.iter().all(|line| line.pieces.is_empty()));
}

/// The old text or the new one, put together from a diff that shows all lines.
fn side(hunks: &[Hunk], without: Tag) -> String {
    let lines = hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.tag != without);
    lines.map(|line| line.text.as_str()).collect()
}

proptest! {
    /// Nothing is lost: a diff without gaps gives both texts back, and its pieces give its lines.
    #[test]
    fn a_diff_holds_both_texts(from in "([ab]{0,2}[ \n.é]){0,6}", to in "([ab]{0,2}[ \n.é]){0,6}") {
        let difference = diff(&text(&from, None), &text(&to, None));
        prop_assert_eq!(difference.is_empty(), from == to);
        prop_assert_eq!(diff(&text(&from, None), &text(&to, None)), difference.clone());
        if let Some(change) = difference.text.first() && change.hunks.len() == 1 {
            let hunk = &change.hunks[0];
            prop_assume!(hunk.old_lines == from.split_inclusive('\n').count());
            prop_assert_eq!(side(&change.hunks, Tag::Insert), from);
            prop_assert_eq!(side(&change.hunks, Tag::Delete), to);
            for line in hunk.lines.iter().filter(|line| !line.pieces.is_empty()) {
                let pieces: String = line.pieces.iter().map(|piece| piece.text.as_str()).collect();
                prop_assert_eq!(&pieces, &line.text);
            }
        }
    }
}
