//! Tables (CSV): a row of names, then one test in each row.

use std::rc::Rc;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::{
    intake::Problem,
    node::{Data, Entry, Node, Place},
    shorthand,
    yaml::decimal,
};

const MAX_COLUMNS: usize = 1000;

/// What the cells of a column are.
enum Column {
    /// The values of a variable.
    Variable,
    /// Assertions.
    Assert,
    /// The metric of the row's assertions.
    Metric,
    /// Notes of this name; a list of them where it ends in `[]`.
    Metadata(String),
    /// A field of the test.
    Field(&'static str),
}

impl Column {
    /// Reads a name. What promptfoo gives a meaning that we do not follow is refused.
    fn new(name: &str) -> Result<Self, String> {
        Ok(match name {
            "" => return Err("the column has no name".to_owned()),
            "case_id" | "__case_id" => Self::Field("case_id"),
            "expected" => Self::Field("expected"),
            "tags" | "__tags" | "__metadata:tags" | "__metadata:tags[]" => Self::Field("tags"),
            "__description" => Self::Field("description"),
            "__threshold" => Self::Field("threshold"),
            "__metric" => Self::Metric,
            _ => match (name.strip_prefix("__expected"), name.strip_prefix("__metadata:")) {
                (Some(number), _) if number.bytes().all(|byte| byte.is_ascii_digit()) => Self::Assert,
                (_, Some(key)) if !matches!(key, "" | "[]") => Self::Metadata(key.to_owned()),
                _ if name.starts_with("__") => {
                    return Err(
                        "no such column is supported; a variable's name does not begin with __".to_owned()
                    );
                }
                _ => Self::Variable,
            },
        })
    }

    /// Whether both fill the same field, under whichever of its names.
    fn fills_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Field(field), Self::Field(other)) => field == other,
            (Self::Metadata(key), Self::Metadata(other)) => {
                key.trim_end_matches("[]") == other.trim_end_matches("[]")
            }
            _ => false,
        }
    }
}

/// The tests of a table.
pub(super) fn tests(text: &str) -> Box<dyn Iterator<Item = Result<Node, Problem>> + '_> {
    // The lengths of rows are compared here, for the reader would stop at the first that is wrong.
    let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = Rows { text, reader, at: 0, line: 1 };
    let header = match rows.next() {
        None => return Box::new(std::iter::empty()),
        Some(Err(problem)) => return Box::new(std::iter::once(Err(problem))),
        Some(Ok(header)) => header,
    };
    match columns(&header) {
        Err(problems) => Box::new(problems.into_iter().map(Err)),
        Ok(columns) => Box::new(rows.map(move |row| test(&columns, &row?))),
    }
}

/// The columns with their names. All that is wrong with them is said, for no row can be read then.
fn columns(header: &Row) -> Result<Vec<(Rc<str>, Column)>, Vec<Problem>> {
    if header.cells.len() > MAX_COLUMNS {
        return Err(vec![(header.line, format!("a table has at most {MAX_COLUMNS} columns"))]);
    }
    if let (1, Some(other)) = (header.cells.len(), header.cells[0].find([';', '\t'])) {
        let name = if header.cells[0][other..].starts_with(';') { "semicolons" } else { "tabs" };
        return Err(vec![(
            header.line,
            format!("the columns are separated by {name}; save them with commas"),
        )]);
    }
    let mut columns: Vec<(Rc<str>, Column)> = Vec::new();
    let mut problems = Vec::new();
    for (index, name) in header.cells.iter().map(str::trim).enumerate() {
        let column = match Column::new(name) {
            Ok(column)
                if columns.iter().any(|(taken, other)| **taken == *name || column.fills_same(other)) =>
            {
                Err("the column stands here for the second time".to_owned())
            }
            column => column,
        };
        match column {
            Ok(column) => columns.push((name.into(), column)),
            Err(why) => problems.push((header.line, format!("column {} `{name}`: {why}", index + 1))),
        }
    }
    if problems.is_empty() { Ok(columns) } else { Err(problems) }
}

/// A row as a test. An empty cell says nothing, but a variable is then the empty text.
fn test(columns: &[(Rc<str>, Column)], row: &Row) -> Result<Node, Problem> {
    if row.cells.len() != columns.len() {
        let cells = match row.cells.len() {
            1 => "1 cell".to_owned(),
            cells => format!("{cells} cells"),
        };
        let columns = match columns.len() {
            1 => "is 1 column".to_owned(),
            columns => format!("are {columns} columns"),
        };
        return Err((row.line, format!("the row has {cells}, and there {columns}")));
    }
    let (mut vars, mut asserts, mut metadata, mut fields) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut metric = None;
    for ((name, column), cell) in columns.iter().zip(&row.cells) {
        let place = Place { line: row.line, column: Some(Rc::clone(name)) };
        match column {
            Column::Variable => vars.push(Node::text(&place, cell).named(name)),
            _ if cell.trim().is_empty() => {}
            Column::Assert => asserts.push(shorthand::assertion(&place, cell)),
            Column::Metric => metric = Some(Node::text(&place, cell.trim()).named("metric")),
            Column::Metadata(key) => metadata.push(match key.strip_suffix("[]") {
                Some(key) => list(&place, cell).named(key),
                None => Node::text(&place, cell).named(key),
            }),
            Column::Field(field @ "tags") => fields.push(list(&place, cell).named(field)),
            Column::Field(field @ "threshold") => {
                let number = decimal(cell.trim()).map_or_else(|| Data::Text(cell.to_owned()), Data::Scalar);
                fields.push(Node::new(&place, number).named(field));
            }
            Column::Field(field @ "expected") => fields.push(Node::text(&place, cell).named(field)),
            Column::Field(field) => fields.push(Node::text(&place, cell.trim()).named(field)),
        }
    }
    let asserts = asserts.into_iter().map(|assert| Rc::new(with(assert, metric.as_ref())));
    let place = Place::line(row.line);
    fields.push(Node::new(&place, Data::Map(vars)).named("vars"));
    fields.push(Node::new(&place, Data::List(asserts.collect())).named("assert"));
    fields.push(Node::new(&place, Data::Map(metadata)).named("metadata"));
    Ok(Node::new(&place, Data::Map(fields)))
}

/// An assertion with the row's metric.
fn with(mut assertion: Node, metric: Option<&Entry>) -> Node {
    if let Data::Map(entries) = &mut assertion.data {
        entries.extend(metric.cloned());
    }
    assertion
}

/// The parts between commas; `\,` is a comma inside of a part.
fn list(place: &Place, cell: &str) -> Node {
    let mut parts = vec![String::new()];
    let mut rest = cell;
    while let Some(at) = rest.find(',') {
        let (part, after) = (&rest[..at], &rest[at + 1..]);
        let last = parts.len() - 1;
        if let Some(part) = part.strip_suffix('\\') {
            parts[last].push_str(part);
            parts[last].push(',');
        } else {
            parts[last].push_str(part);
            parts.push(String::new());
        }
        rest = after;
    }
    let last = parts.len() - 1;
    parts[last].push_str(rest);
    let nodes = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    Node::new(place, Data::List(nodes.map(|part| Rc::new(Node::text(place, part))).collect()))
}

/// The rows of a table with the lines on which they begin.
struct Rows<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// Up to where lines have been counted, in bytes.
    at: usize,
    line: usize,
}

/// A row.
struct Row {
    line: usize,
    cells: StringRecord,
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let before = usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        let mut cells = StringRecord::new();
        let read = self.reader.read_record(&mut cells);
        let after = usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        let row = self.text.get(before..after).unwrap_or_default();
        // The reader skips blank lines before a row and counts them to it.
        let start = before + row.len() - row.trim_start_matches(['\r', '\n']).len();
        self.line += self.text.get(self.at..start).unwrap_or_default().matches('\n').count();
        self.at = start;
        match read {
            Ok(false) => None,
            Err(error) => Some(Err((self.line, format!("this is not CSV: {error}")))),
            // Else the rest of the file would silently be one cell.
            Ok(true) if row.matches('"').count() % 2 == 1 => Some(Err((
                self.line,
                "a double quote is not closed; inside of a quoted cell a double quote is written twice"
                    .to_owned(),
            ))),
            Ok(true) => Some(Ok(Row { line: self.line, cells })),
        }
    }
}
