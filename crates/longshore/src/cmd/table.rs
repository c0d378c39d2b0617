//! docs/api.md says of each command which endpoint does the same: all are there, and what they name is there.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory as _};

use crate::cli::Cli;

/// Every command that has none below it, as it is typed.
fn leaves(command: &Command, before: &str, all: &mut BTreeSet<String>) {
    for below in command.get_subcommands() {
        let name = format!("{before}{}", below.get_name());
        if below.get_subcommands().next().is_some() {
            leaves(below, &format!("{name} "), all);
        } else {
            all.insert(name);
        }
    }
}

#[test]
fn each_command_has_its_endpoint_in_the_table_or_the_reason_why_it_has_none() {
    let page = include_str!("../../../../docs/api.md");
    let (_, rest) = page.split_once("## Commands and endpoints").unwrap();
    let table = rest.split("\n## ").next().unwrap();
    let known: BTreeSet<String> = longshore_api::endpoints()
        .map(|endpoint| format!("{} {}", endpoint.method.as_str(), endpoint.path))
        .collect();
    let mut told = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (command, does) = (cells[1].trim_matches('`'), cells[2]);
        assert!(
            told.insert(command.to_owned()),
            "`{command}` stands there twice"
        );
        if let Some(reason) = does.strip_prefix("none: ") {
            assert!(!reason.is_empty(), "why has `{command}` no endpoint?");
            continue;
        }
        for endpoint in does.split(", ") {
            let endpoint = endpoint.trim_matches('`');
            assert!(
                known.contains(endpoint),
                "`{command}`: there is no {endpoint}"
            );
        }
    }
    let mut all = BTreeSet::new();
    leaves(&Cli::command(), "", &mut all);
    assert_eq!(
        told, all,
        "the table is on the left, the commands are on the right"
    );
}
