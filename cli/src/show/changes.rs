//! The difference of two contents, as a unified diff in which changed words stand out.

use client::versions::{FieldChange, Line, TextChange};
use terminal::Style;

use crate::paper::{Paper, clean};

/// Writes what changed from one to the other.
pub fn show_changes(paper: &mut Paper, names: (&str, &str), fields: &[FieldChange], texts: &[TextChange]) {
    if fields.is_empty() && texts.is_empty() {
        return paper.line(format!("{} and {} say the same.", names.0, names.1));
    }
    let (gone, come) = (Style::new().red(), Style::new().green());
    paper.styled(format!("--- {}", names.0), &gone);
    paper.styled(format!("+++ {}", names.1), &come);
    for field in fields {
        paper.heading(&field.field);
        for (mark, value, style) in [('-', &field.from, &gone), ('+', &field.to, &come)] {
            if let Some(value) = value {
                paper.styled(format!("{mark}{}", value.as_str()), style);
            }
        }
    }
    for text in texts {
        paper.heading(&text.field);
        for hunk in &text.hunks {
            let (old, new) = ((hunk.old_start, hunk.old_lines), (hunk.new_start, hunk.new_lines));
            let place = format!("@@ -{},{} +{},{} @@", old.0, old.1, new.0, new.1);
            paper.styled(place, &Style::new().cyan());
            for line in &hunk.lines {
                show_line(paper, line);
            }
        }
    }
}

fn show_line(paper: &mut Paper, line: &Line) {
    let (mark, style) = match line.tag.as_str() {
        "delete" => ('-', Style::new().red()),
        "insert" => ('+', Style::new().green()),
        _ => (' ', Style::new()),
    };
    let text = line.text.trim_end_matches('\n');
    if line.pieces.is_empty() || !terminal::colors_enabled() {
        paper.styled(format!("{mark}{text}"), &style);
    } else {
        let mut shown = style.apply_to(mark).to_string();
        for piece in &line.pieces {
            let style = if piece.changed { style.clone().reverse() } else { style.clone() };
            shown += &style.apply_to(clean(piece.text.trim_end_matches('\n'))).to_string();
        }
        paper.painted(&shown);
    }
    if !line.text.ends_with('\n') {
        paper.line("\\ no line ending");
    }
}
