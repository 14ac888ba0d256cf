//! Tables.

use proptest::prelude::*;
use serde_json::Value;

use super::{problems, stored};
use crate::test_set::Format::Csv;

#[test]
fn a_table_becomes_cases() {
    let table = "\u{feff}question, n ,__expected,__expected2,__description,__metadata:by,\
                 __metadata:of[],__threshold,__metric,__tags,__case_id\r\n\
                 \"Where, \"\"exactly\"\"\r\nis it?\",1.50,contains:{{n}},is-json,A place,me,\
                 \"a\\,b, c\",.5,tone {{n}},\"critical, de\",first\r\n\
                 \r\n\
                 What?,,Bern, ,,,,,,,\r\n";
    assert_eq!(
        stored(Csv, table),
        [
            concat!(
                r#"{"case_id":"first","vars":{"question":"Where, \"exactly\"\r\nis it?","n":"1.50"},"#,
                r#""assert":[{"type":"contains","value":"1.50","metric":"tone 1.50"},"#,
                r#"{"type":"is-json","metric":"tone 1.50"}],"threshold":0.5,"tags":["critical","de"],"#,
                r#""metadata":{"by":"me","description":"A place","of":["a,b","c"]}}"#
            ),
            r#"{"vars":{"question":"What?","n":""},"assert":[{"type":"equals","value":"Bern"}]}"#,
        ]
    );
}

#[test]
fn columns_named_as_in_json_lines_are_ours() {
    assert_eq!(
        stored(Csv, "q,expected,tags,case_id\n a ,{{q}} ,critical,x\nb,c,,\n"),
        [
            r#"{"case_id":"x","vars":{"q":" a "},"expected":"{{q}} ","tags":["critical"]}"#,
            r#"{"vars":{"q":"b"},"expected":"c"}"#,
        ]
    );
}

#[test]
fn a_schema_is_read_from_its_text() {
    let table = "q,__expected\na,\"is-json:{\"\"required\"\": [\"\"a\"\"]}\"\n";
    let assert = r#"[{"type":"is-json","value":{"required":["a"]}}]"#;
    assert_eq!(stored(Csv, table), [format!(r#"{{"vars":{{"q":"a"}},"assert":{assert}}}"#)]);
}

#[test]
fn all_bad_rows_are_reported_by_the_lines_on_which_they_begin() {
    let table = "q,__expected,__expected2,__threshold,case_id\n\
                 \"a\nb\",javascript:x,fn:y,,\n\
                 c,x\n\
                 \n\
                 \n\
                 d,contains:{{e}},,,\n\
                 e,contains-sql:x,,,\n\
                 f,x,,high,\n\
                 g,x,,2,\n\
                 h,,,,\n\
                 i,file://x.txt,,,\n\
                 file://j,x,,,\n\
                 {{k}},x,,,\n\
                 l,x,,,l\n\
                 m,x,,,l\n\
                 n,is-json:[},,,\n";
    let found = problems(Csv, table);
    let expected = [
        (2, "column `__expected`: `javascript` runs code"),
        (2, "column `__expected2`: `javascript` runs code"),
        (4, "the row has 2 cells, and there are 5 columns"),
        (7, "column `__expected`: `{{ e }}` names no variable"),
        (8, "column `__expected`: there is no assertion type `contains-sql`"),
        (9, "column `__threshold`: `threshold` is a number"),
        (10, "`threshold` is a number"),
        (11, "neither `expected` nor `assert`"),
        (12, "column `__expected`: `file://` reads a file"),
        (13, "column `q`: `file://` reads a file"),
        (14, "column `q`: promptfoo would render"),
        (16, "the case id `l` is already that of line 15"),
        (17, "column `__expected`: line 1 of the schema"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((line, detail), (expected, why)) in found.iter().zip(expected) {
        assert_eq!(*line, expected, "{detail}");
        assert!(detail.starts_with(why) || detail.contains(why), "{detail}: {why}");
    }
}

#[test]
fn cells_and_columns_are_counted_in_words_that_fit() {
    assert_eq!(problems(Csv, "q,expected\na\n")[0].1, "the row has 1 cell, and there are 2 columns");
    assert_eq!(problems(Csv, "q\na,b\n")[0].1, "the row has 2 cells, and there is 1 column");
}

#[test]
fn a_bad_header_is_all_that_is_reported() {
    let header = "q,,__expectd,__prefix,q,case_id,__case_id,__expectedx,tags,__metadata:tags[],\
                  __metadata:a,__metadata:a[],__metadata:[],__config:__expected:threshold";
    let found = problems(Csv, &format!("\n{header}\na,b\n"));
    let columns: Vec<&str> = found.iter().map(|(_, detail)| detail.split(':').next().unwrap()).collect();
    assert!(found.iter().all(|(line, _)| *line == 2), "{found:?}");
    assert_eq!(
        columns,
        [
            "column 2 ``",
            "column 3 `__expectd`",
            "column 4 `__prefix`",
            "column 5 `q`",
            "column 7 `__case_id`",
            "column 8 `__expectedx`",
            "column 10 `__metadata",
            "column 12 `__metadata",
            "column 13 `__metadata",
            "column 14 `__config",
        ]
    );
}

#[test]
fn what_is_no_table_of_ours_is_refused() {
    let wide = format!("{}\n", "a,".repeat(1000));
    for (table, line, why) in [
        ("q;expected\na;b\n", 1, "separated by semicolons"),
        ("q\texpected\na\tb\n", 1, "separated by tabs"),
        ("q,expected\na,\"b\nc,d\n", 2, "double quote is not closed"),
        ("q,expected\na,b\nc,\"d\ne,\"f\"\n", 3, "double quote is not closed"),
        ("\"q,expected\na,b\n", 1, "double quote is not closed"),
        (wide.as_str(), 1, "at most 1000 columns"),
    ] {
        let found = problems(Csv, table);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0 == line && found[0].1.contains(why), "{found:?}");
    }
    for empty in ["", "\n\n", "\u{feff}", "q,expected\n"] {
        assert!(super::error(Csv, empty.as_bytes()).detail().contains("empty"), "{empty:?}");
    }
    let latin = super::error(Csv, b"q,expected\na,b\nStra\xdfe,c\n");
    assert!(latin.detail().starts_with("line 3: the file is not UTF-8"), "{latin}");
}

proptest! {
    /// Whatever a spreadsheet quotes comes back, and rows are counted by lines.
    #[test]
    fn cells_stay_what_they_were(cells in prop::collection::vec("[a,;\"\r\n {é]{0,8}", 1..6)) {
        prop_assume!(cells.iter().all(|cell| !cell.contains("{{")));
        let quoted = cells.iter().map(|cell| format!("\"{}\",x\r\n", cell.replace('"', "\"\"")));
        let table: String = std::iter::once("q,expected\r\n".to_owned()).chain(quoted).collect();
        for (case, cell) in stored(Csv, &table).iter().zip(&cells) {
            let case: Value = serde_json::from_str(case).unwrap();
            prop_assert_eq!(&case["vars"]["q"], cell);
        }
        let found = problems(Csv, &format!("{table}\r\nlast,\r\n"));
        prop_assert_eq!(found[0].0, table.matches('\n').count() + 2);
    }
}
