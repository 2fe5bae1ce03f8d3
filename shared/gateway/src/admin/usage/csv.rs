//! Tables as RFC 4180 has them, with no cell that a spreadsheet would take for a formula: names of models and sessions
//! are chosen by callers, and the table is opened by an administrator.

use serde_json::Value;

/// The head of a table: its columns' JSON pointers as names.
pub(super) fn head<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    line(columns.into_iter().map(|column| text(&column[1..].replace('/', "_"))))
}

/// A row of a table: the values that its columns point to.
pub(super) fn row<'a>(columns: impl IntoIterator<Item = &'a str>, row: &Value) -> String {
    line(columns.into_iter().map(|column| row.pointer(column).map_or_else(String::new, cell)))
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let mut line = cells.collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null | Value::Object(_) => String::new(),
        Value::Bool(yes) => yes.to_string(),
        // Small costs without an exponent, which JSON would write.
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => float.to_string(),
            None => number.to_string(),
        },
        Value::String(said) => text(said),
        Value::Array(values) => {
            let words: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            text(&words.join("; "))
        }
    }
}

fn text(said: &str) -> String {
    let begins = said.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    let formula = begins.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let said = if formula { format!("'{said}") } else { said.to_owned() };
    if said.contains(['"', ',', ';', '\r', '\n', '\t']) {
        format!("\"{}\"", said.replace('"', "\"\""))
    } else {
        said
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{cell, head, row};

    fn check(value: &Value, expected: &str) {
        assert_eq!(cell(value), expected, "{value}");
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        check(&json!("gpt-4o"), "gpt-4o");
        check(&json!("a,b"), "\"a,b\"");
        check(&json!("say \"hi\""), "\"say \"\"hi\"\"\"");
        check(&json!("two\r\nlines"), "\"two\r\nlines\"");
        check(&json!(["a: 500", "b: 503"]), "\"a: 500; b: 503\"");
        check(&json!([]), "");
        check(&Value::Null, "");
        check(&json!(true), "true");
    }

    #[test]
    fn numbers_have_no_exponent() {
        check(&json!(0.000_000_001), "0.000000001");
        check(&json!(12.5), "12.5");
        check(&json!(u64::MAX), "18446744073709551615");
    }

    #[test]
    fn no_cell_is_a_formula() {
        check(&json!("=1+1"), "'=1+1");
        check(&json!("+1"), "'+1");
        check(&json!("-1"), "'-1");
        check(&json!("@SUM(A1)"), "'@SUM(A1)");
        check(&json!("\t=1"), "\"'\t=1\"");
        check(
            &json!("=HYPERLINK(\"https://evil.example\",\"x\")"),
            "\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"x\"\")\"",
        );
        check(&json!(["=1"]), "'=1");
        check(&json!("a=b"), "a=b");
    }

    #[test]
    fn a_table_has_a_head_and_rows() {
        let columns = ["/model", "/total_ms/p50"];
        assert_eq!(head(columns), "model,total_ms_p50\r\n");
        let json = json!({ "model": "a,b", "total_ms": { "p50": 5 } });
        assert_eq!(row(columns, &json), "\"a,b\",5\r\n");
        assert_eq!(row(columns, &json!({})), ",\r\n");
    }
}
