//! Refuses, before it is parsed, what the parser or a walk over its tree could not take.
//!
//! minijinja's parser recurses without bound for `not not …`, `- - …` and `elif`, and makes a tree as deep as a chain
//! of operators is long: a hundred KiB of these would overflow the stack of whoever parses, walks or drops it.

use minijinja::{
    machinery::{Token, tokenize},
    syntax::SyntaxConfig,
};

use crate::template::Fault;

/// The most names, operators and brackets in one tag; texts, numbers, commas and colons are free.
const MAX_PARTS: usize = 200;

/// The most `elif` in one template.
const MAX_ELIF: usize = 200;

pub(super) fn scan(source: &str, syntax: SyntaxConfig) -> Result<(), Fault> {
    let (mut parts, mut elifs, mut tag_begins) = (0, 0, false);
    for token in tokenize(source, false, syntax) {
        // What is no token is for the parser to explain.
        let Ok((token, span)) = token else { break };
        let refuse = |detail: String| Err(Fault { at: span.start_offset as usize, detail });
        let begins = std::mem::replace(&mut tag_begins, matches!(token, Token::BlockStart));
        match token {
            Token::BlockStart | Token::VariableStart => parts = 0,
            Token::TemplateData(_)
            | Token::Str(_)
            | Token::String(_)
            | Token::Int(_)
            | Token::Float(_)
            | Token::Comma
            | Token::Colon => {}
            Token::Ident(word @ ("include" | "extends" | "import" | "from" | "block")) if begins => {
                return refuse(format!("`{word}` loads another template; a prompt's template stands alone"));
            }
            Token::Ident("elif") if begins => elifs += 1,
            _ => parts += 1,
        }
        if parts > MAX_PARTS {
            return refuse(format!(
                "this tag has more than {MAX_PARTS} parts: split it with `set`, or close its bracket"
            ));
        }
        if elifs > MAX_ELIF {
            return refuse(format!("the template has more than {MAX_ELIF} `elif`"));
        }
    }
    Ok(())
}
