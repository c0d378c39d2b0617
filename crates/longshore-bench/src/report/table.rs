//! Figures as text: a line for each measurement while it runs, and the tables in Markdown at the end.

use std::fmt::Write as _;

use crate::line::{Figure, Line, Sample, Unit};
use crate::peer::Program;

use super::Results;
use super::results::Spread;

/// One measurement, as it is printed when it is done.
pub(crate) fn sample(line: &Line, program: Program, sample: &Sample) -> String {
    let mut text = format!("{:<28} {program:<16}", line.name);
    if let Some(why) = &sample.skipped {
        return text + "skipped: " + why;
    }
    if sample.errors > 0 {
        let error = sample.error.as_deref().unwrap_or("unknown");
        let _ = write!(text, "void: {} errors, the first: {error}", sample.errors);
        return text;
    }
    for (figure, value) in &sample.figures {
        let _ = write!(text, " {figure} {}", number(*value));
    }
    text + limit(sample)
}

fn limit(sample: &Sample) -> &'static str {
    match (sample.server_bound, sample.generator_bound) {
        (true, _) => "  [server]",
        (false, true) => "  [load generator]",
        (false, false) => "",
    }
}

/// All tables, in Markdown.
pub(crate) fn table(lines: &[Line], results: &Results) -> String {
    let mut text = String::new();
    let with_rate = |line: &&Line| line.unit != Unit::Nothing;
    part(
        &mut text,
        "Units a second, median (least to most)",
        lines,
        results,
        with_rate,
        &|line, program| {
            let shown = figure(results, line, program, Figure::Rate, true);
            if shown == "-" {
                shown
            } else {
                shown + bound(results, line, program)
            }
        },
    );
    part(
        &mut text,
        "Processor time of the server: seconds per GB, microseconds per request or image",
        lines,
        results,
        with_rate,
        &|line, program| figure(results, line, program, Figure::Cpu, false),
    );
    part(
        &mut text,
        "Microseconds of one unit: median / 99 of 100",
        lines,
        results,
        with_rate,
        &|line, program| pair(results, line, program, Figure::P50, Figure::P99),
    );
    part(
        &mut text,
        "Most memory, MB: anonymous / resident with mapped files",
        lines,
        results,
        |_| true,
        &|line, program| pair(results, line, program, Figure::Memory, Figure::Resident),
    );
    let with_more = |line: &&Line| !more(results, line, Program::Longshore).is_empty();
    part(
        &mut text,
        "Other figures",
        lines,
        results,
        with_more,
        &|line, program| more(results, line, program),
    );
    text
}

fn part(
    text: &mut String,
    title: &str,
    lines: &[Line],
    results: &Results,
    which: impl Fn(&&Line) -> bool,
    cell: &dyn Fn(&Line, Program) -> String,
) {
    let measured = |program: &Program| {
        lines
            .iter()
            .any(|line| !results.samples(&line.name, *program).is_empty())
    };
    let programs: Vec<Program> = Program::ALL.into_iter().filter(measured).collect();
    let mut rows = String::new();
    for line in lines.iter().filter(|line| which(line)) {
        let _ = write!(rows, "| {}{} |", line.name, unit(line.unit));
        for program in &programs {
            let shown = match results.samples(&line.name, *program) {
                [] => "-".to_owned(),
                samples if samples.iter().any(|sample| sample.errors > 0) => "void".to_owned(),
                _ => cell(line, *program),
            };
            let _ = write!(rows, " {shown} |");
        }
        rows.push('\n');
    }
    if rows.is_empty() {
        return;
    }
    let _ = write!(text, "{title}:\n\n| line |");
    for program in &programs {
        let _ = write!(text, " {program} |");
    }
    let _ = write!(text, "\n|---|{}\n{rows}\n", "---|".repeat(programs.len()));
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => " (GB)",
        Unit::Requests => " (requests)",
        Unit::Images => " (images)",
        Unit::Nothing => "",
    }
}

fn figure(
    results: &Results,
    line: &Line,
    program: Program,
    figure: Figure,
    spread: bool,
) -> String {
    match results.figure(&line.name, program, figure) {
        None => "-".to_owned(),
        Some(Spread {
            median,
            least,
            most,
        }) if spread && results.rounds > 1 => {
            format!("{} ({} to {})", number(median), number(least), number(most))
        }
        Some(Spread { median, .. }) => number(median),
    }
}

fn pair(results: &Results, line: &Line, program: Program, one: Figure, two: Figure) -> String {
    format!(
        "{} / {}",
        figure(results, line, program, one, false),
        figure(results, line, program, two, false)
    )
}

/// A mark where the load generator was the limit and the figure a lower bound.
fn bound(results: &Results, line: &Line, program: Program) -> &'static str {
    let samples = results.samples(&line.name, program);
    let bound = samples
        .iter()
        .filter(|sample| sample.generator_bound)
        .count();
    if bound * 2 > samples.len() {
        " [g]"
    } else {
        ""
    }
}

fn more(results: &Results, line: &Line, program: Program) -> String {
    let shown = [
        (Figure::Beside, "GB/s beside"),
        (Figure::Rise, "times the p99 of the same without"),
        (Figure::Slowest, "times the median for the slowest"),
        (Figure::Start, "ms to start"),
        (Figure::Size, "MB of program"),
    ];
    let each = shown.iter().filter_map(|(figure, words)| {
        let spread = results.figure(&line.name, program, *figure)?;
        Some(format!("{} {words}", number(spread.median)))
    });
    each.collect::<Vec<_>>().join(", ")
}

/// Three digits that count.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => {
            let digits = format!("{value:.0}");
            let (sign, digits) = digits
                .strip_prefix('-')
                .map_or(("", digits.as_str()), |rest| ("-", rest));
            let mut grouped = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at).is_multiple_of(3) {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            sign.to_owned() + &grouped
        }
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::all;

    #[test]
    fn numbers_show_what_counts() {
        let shown: Vec<String> = [118_234.4, 999.6, 12.34, 1.234, 0.0876]
            .into_iter()
            .map(number)
            .collect();
        assert_eq!(shown, ["118,234", "1,000", "12.3", "1.23", "0.088"]);
    }

    #[test]
    fn a_table_has_a_column_for_each_program_and_says_void_where_there_were_errors() {
        let lines: Vec<Line> = all()
            .into_iter()
            .filter(|line| line.name == "manifest-c64")
            .collect();
        let mut results = Results::new(super::super::Machine::default(), 2);
        for rate in [100_000.0, 120_000.0] {
            let sample = Sample {
                figures: [(Figure::Rate, rate)].into(),
                generator_bound: true,
                ..Sample::default()
            };
            results.add("manifest-c64", Program::Longshore, sample);
        }
        results.add(
            "manifest-c64",
            Program::Debian,
            Sample {
                errors: 1,
                ..Sample::default()
            },
        );
        let text = table(&lines, &results);
        assert!(
            text.contains("| line | longshore | docker-registry |\n|---|---|---|\n"),
            "{text}"
        );
        let row = "| manifest-c64 (requests) | 110,000 (100,000 to 120,000) [g] | void |";
        assert!(text.contains(row), "{text}");
    }

    #[test]
    fn a_measurement_is_printed_with_its_first_error() {
        let lines = all();
        let error = Sample {
            errors: 2,
            error: Some("404".to_owned()),
            ..Sample::default()
        };
        let text = sample(lines.first().unwrap(), Program::Zot, &error);
        assert!(text.ends_with("void: 2 errors, the first: 404"), "{text}");
    }
}
