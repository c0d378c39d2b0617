//! The matrix as a table in `docs/clients.md`, between two marks; the rest of the page is written by hand.

use std::fs;

use anyhow::{Context, Result};

use super::{CAPABILITIES, Cell, Row};
use crate::workspace::Workspace;

const PAGE: &str = "docs/clients.md";
const BEGIN: &str = "<!-- written by `cargo xtask clients --write`; do not edit -->";
const END: &str = "<!-- end of what is written -->";

/// Puts the table of `rows` into the page.
pub(super) fn write(workspace: &Workspace, rows: &[Row]) -> Result<()> {
    let path = workspace.at(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("{PAGE} cannot be read"))?;
    fs::write(&path, with_table(&page, &table(rows))?)
        .with_context(|| format!("{PAGE} cannot be written"))
}

/// Whether the page's table has the same marks as `rows`. Versions may differ, and so may what was skipped here.
pub(super) fn agrees(workspace: &Workspace, rows: &[Row]) -> Result<bool> {
    let page =
        fs::read_to_string(workspace.at(PAGE)).with_context(|| format!("{PAGE} cannot be read"))?;
    Ok(rows.iter().all(|row| {
        let line = page
            .lines()
            .find(|line| line.starts_with(&format!("| {} |", row.title)));
        line.is_some_and(|line| marks_agree(row, line))
    }))
}

fn marks_agree(row: &Row, line: &str) -> bool {
    let written: Vec<&str> = line
        .trim_matches('|')
        .split('|')
        .skip(2)
        .map(str::trim)
        .collect();
    let skipped = row
        .cells
        .iter()
        .any(|(_, cell)| matches!(cell, Cell::Skipped(_)));
    skipped
        || written
            == CAPABILITIES
                .iter()
                .map(|(name, _)| mark(row, name))
                .collect::<Vec<_>>()
}

fn table(rows: &[Row]) -> String {
    let names = CAPABILITIES.iter().map(|(name, _)| *name);
    let mut lines = vec![
        format!(
            "| client | version | {} |",
            names.clone().collect::<Vec<_>>().join(" | ")
        ),
        format!("|---|---|{}", ":-:|".repeat(CAPABILITIES.len())),
    ];
    lines.extend(rows.iter().map(|row| {
        let marks: Vec<&str> = names.clone().map(|name| mark(row, name)).collect();
        format!(
            "| {} | {} | {} |",
            row.title,
            row.version,
            marks.join(" | ")
        )
    }));
    lines.push(String::new());
    lines.extend(
        CAPABILITIES
            .iter()
            .map(|(name, meaning)| format!("- **{name}**: {meaning}")),
    );
    lines.join("\n")
}

/// An empty field is something that was not tried.
fn mark(row: &Row, capability: &str) -> &'static str {
    let cell = row.cells.iter().find(|(name, _)| *name == capability);
    match cell {
        None => "",
        Some((_, Cell::Passed)) => "yes",
        Some((_, Cell::Failed(_) | Cell::Skipped(_))) => "no",
    }
}

fn with_table(page: &str, table: &str) -> Result<String> {
    let (before, rest) = page
        .split_once(BEGIN)
        .with_context(|| format!("{PAGE} has no line {BEGIN}"))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("{PAGE} has no line {END}"))?;
    Ok(format!("{before}{BEGIN}\n\n{table}\n\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cell: Cell) -> Row {
        Row {
            name: "x".into(),
            title: "X".into(),
            version: "1".into(),
            cells: vec![("pull", cell)],
        }
    }

    #[test]
    fn the_table_takes_the_place_between_the_marks() {
        let page = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let new = with_table(&page, &table(&[row(Cell::Passed)])).unwrap();
        assert!(new.starts_with("a\n") && new.ends_with("\nb\n") && !new.contains("old"));
        assert!(new.contains("| X | 1 |  | yes |"));
        assert!(with_table("a", "b").is_err());
    }

    #[test]
    fn a_mark_that_differs_is_seen_and_a_skip_is_not_held_against_the_page() {
        let written = table(&[row(Cell::Passed)]);
        let line = written
            .lines()
            .find(|line| line.starts_with("| X |"))
            .unwrap();
        assert!(marks_agree(&row(Cell::Passed), line));
        assert!(!marks_agree(&row(Cell::Failed("why".into())), line));
        assert!(marks_agree(&row(Cell::Skipped("why".into())), line));
    }
}
