//! What people read: lines, pairs and tables. Whatever others wrote is shown harmlessly.

use std::fmt::Write as _;

use terminal::{Style, measure_text_width, style};

/// How an answer is shown to a person.
pub trait Show {
    /// Writes it.
    fn show(&self, paper: &mut Paper);
}

/// What a list shows of each thing.
pub trait Row {
    /// The columns.
    const COLUMNS: &'static [&'static str];

    /// What stands in them.
    fn cells(&self) -> Vec<String>;
}

/// A text that grows line by line.
#[derive(Default)]
pub struct Paper {
    text: String,
}

impl Paper {
    /// All of it.
    pub fn text(self) -> String {
        self.text
    }

    /// A line.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.text += &clean(text.as_ref());
        self.text += "\n";
    }

    /// A line in a style.
    pub fn styled(&mut self, text: impl AsRef<str>, style: &Style) {
        for line in text.as_ref().lines() {
            // A text never fails to be written to.
            let _ = writeln!(self.text, "{}", style.apply_to(clean(line)));
        }
    }

    /// A line that is painted already, of texts that are clean.
    pub fn painted(&mut self, line: &str) {
        self.text += line;
        self.text += "\n";
    }

    /// A heading.
    pub fn heading(&mut self, text: &str) {
        self.styled(text, &Style::new().bold());
    }

    /// A name and its value; nothing where there is none.
    pub fn pair(&mut self, name: &str, value: impl Into<Option<String>>) {
        if let Some(value) = value.into() {
            let _ = writeln!(self.text, "{} {}", style(format!("{name:<14}")).dim(), clean(&value));
        }
    }

    /// A text of several lines under a heading; nothing where there is none.
    pub fn block(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.line("");
            self.heading(name);
            for line in text.lines() {
                self.line(format!("  {line}"));
            }
        }
    }

    /// Things in columns.
    pub fn table<T: Row>(&mut self, things: &[T]) {
        let rows: Vec<Vec<String>> = things.iter().map(Row::cells).collect();
        self.columns(T::COLUMNS, &rows);
    }

    /// Cells in columns.
    pub fn columns(&mut self, names: &[&str], rows: &[Vec<String>]) {
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| in_one_line(cell)).collect()).collect();
        let width = |column: usize| {
            let cells = rows.iter().chain([&names]).filter_map(|row| row.get(column));
            cells.map(|cell| measure_text_width(cell)).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..names.len()).map(width).collect();
        self.heading(&row(&names, &widths));
        for cells in &rows {
            self.text += &row(cells, &widths);
            self.text += "\n";
        }
    }
}

fn row(cells: &[String], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths);
    let padded = cells.map(|(cell, width)| cell.clone() + &" ".repeat(width - measure_text_width(cell)));
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// The longest cell, in columns of the terminal.
const WIDEST: usize = 60;

fn in_one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    terminal::truncate_str(&clean(&line), WIDEST, "…").into_owned()
}

/// A text that can do nothing to a terminal, and looks like what it is: control characters, and those that hide or turn
/// around what stands beside them, are written out.
pub fn clean(text: &str) -> String {
    let hides = |c: char| {
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
            || (c.is_control() && !matches!(c, '\n' | '\t'))
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\n\td"), "a\\u{1b}[31mb\\u{202e}c\n\td");
        assert_eq!(clean("schön 漢字 🗝"), "schön 漢字 🗝");
    }

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them_also_in_wide_letters() {
        let mut paper = Paper::default();
        let rows = [["漢字", "1"], ["a\nb", "22"]].map(|row| row.map(str::to_owned).to_vec());
        paper.columns(&["NAME", "N"], &rows);
        assert_eq!(paper.text(), "NAME  N\n漢字  1\na b   22\n");
    }
}
