//! Answers for people, from the JSON that programs get.

use std::io::{self, Write};

use serde_json::Value;

use super::words::time;

/// A value in a word.
fn word(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) if matches!(name, "created" | "expires" | "at" | "seen") => {
            number.as_i64().map_or_else(|| number.to_string(), time)
        }
        Value::Array(list) => {
            let words = list.iter().map(|it| word(name, it));
            words.collect::<Vec<_>>().join(" ")
        }
        Value::Object(fields) => fields.get("name").map_or_else(
            || value.to_string(),
            |name| name.as_str().unwrap_or_default().to_owned(),
        ),
        Value::Number(_) => value.to_string(),
    }
}

/// A line for each of a list, with these of its fields, in columns; what is a text itself is a line.
///
/// # Errors
/// `out` cannot be written to.
pub(super) fn rows(list: &Value, fields: &[&str], out: &mut dyn Write) -> io::Result<()> {
    let empty = Vec::new();
    let list = list.as_array().unwrap_or(&empty);
    let lines: Vec<Vec<String>> = list
        .iter()
        .map(|row| match row {
            Value::Object(row) => {
                let value = |field: &&str| row.get(*field).unwrap_or(&Value::Null);
                fields
                    .iter()
                    .map(|field| word(field, value(field)))
                    .collect()
            }
            text => vec![word("", text)],
        })
        .collect();
    let width = |at: usize| {
        let cells = lines.iter().filter_map(|line| line.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..fields.len()).map(width).collect();
    for line in lines {
        let cells = line.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A line for each of these fields of one thing that says something.
///
/// # Errors
/// `out` cannot be written to.
pub(super) fn fields(of: &Value, names: &[&str], out: &mut dyn Write) -> io::Result<()> {
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    for name in names {
        let said = word(name, of.get(*name).unwrap_or(&Value::Null));
        writeln!(out, "{:width$}  {said}", name.replace('_', " "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_columns_and_things_are_lines() {
        let list = json!([
            {"id": 7, "name": "web", "read_only": true, "more": 1},
            {"id": 12, "name": "a-longer-one", "read_only": false, "tags": ["a", "b"]},
        ]);
        let mut out = Vec::new();
        rows(&list, &["id", "name", "read_only", "tags"], &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        assert_eq!(
            said,
            "7   web           yes  -\n12  a-longer-one  no   a b\n"
        );
        let mut out = Vec::new();
        let one = json!({"name": "web", "expires": 1_795_255_200_000_000_i64});
        fields(&one, &["name", "expires"], &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        assert_eq!(said, "name     web\nexpires  2026-11-21T10:00:00Z\n");
        let mut out = Vec::new();
        rows(&json!(["a/b", "a/c"]), &["name"], &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a/b\na/c\n");
    }
}
