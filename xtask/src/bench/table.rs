//! Reads the table that the `figures` bench prints, and prints two of them side by side.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::median;

/// One row of the figures: its name, the value, and the ratio to what it was measured beside.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub figure: String,
    pub value: f64,
    pub unit: String,
    pub ratio: Option<f64>,
}

/// The rows of a printed table. Columns are at least two spaces apart. The name of an indented row
/// follows that of the row that it belongs to.
pub fn parse(output: &str) -> Vec<Row> {
    let (mut rows, mut above) = (Vec::new(), String::new());
    for line in output.lines() {
        let columns: Vec<&str> =
            line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
        let [name, value, rest @ ..] = columns.as_slice() else { continue };
        let figure = if line.starts_with("  ") {
            format!("{above}, {name}")
        } else {
            above = (*name).to_owned();
            above.clone()
        };
        let (number, unit) = value.split_once(' ').unwrap_or((value, ""));
        let Ok(value) = number.parse() else { continue };
        // The last column says what is wanted; the one before it may be the ratio.
        let ratio = match rest {
            [_beside, ratio, _wanted] => ratio.parse().ok(),
            _ => None,
        };
        rows.push(Row { figure, value, unit: unit.to_owned(), ratio });
    }
    rows
}

/// Both sides with their medians. `here` and `other` hold the rows of each round.
pub fn side_by_side(other_name: &str, here: &[Vec<Row>], other: &[Vec<Row>]) -> String {
    let (here, other) = (Figures::of(here), Figures::of(other));
    let mut names = here.order.clone();
    names.extend(other.order.iter().filter(|name| !here.order.contains(name)).cloned());
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{:<width$} {:>12} {:>12} {:>9} {:>8}   beside it: here, other",
        "figure (medians)",
        "here",
        shortened(other_name),
        "here/other",
        "better",
    );
    for name in &names {
        let (ours, theirs) = (here.rounds.get(name), other.rounds.get(name));
        let quotient = ours.zip(theirs).and_then(|(ours, theirs)| quotient(ours, theirs));
        let better = quotient.map(|quotient| {
            let gain = if is_rate(name) { quotient } else { 1.0 / quotient };
            format!("{:+.1} %", (gain - 1.0) * 100.0)
        });
        let _ = writeln!(
            text,
            "{name:<width$} {:>12} {:>12} {:>10} {:>8}   {:>9} {:>6}",
            value(ours),
            value(theirs),
            quotient.map_or_else(String::new, |quotient| format!("{quotient:.3}")),
            better.unwrap_or_default(),
            ratio(ours),
            ratio(theirs),
        );
    }
    text
}

/// The rows of all rounds by their names.
struct Figures {
    order: Vec<String>,
    rounds: BTreeMap<String, Vec<Row>>,
}

impl Figures {
    fn of(rounds: &[Vec<Row>]) -> Self {
        let mut figures = Self { order: Vec::new(), rounds: BTreeMap::new() };
        for row in rounds.iter().flatten() {
            if !figures.rounds.contains_key(&row.figure) {
                figures.order.push(row.figure.clone());
            }
            figures.rounds.entry(row.figure.clone()).or_default().push(row.clone());
        }
        figures
    }
}

/// The median of the quotients round by round: effects that slow down a complete round cancel out.
fn quotient(here: &[Row], other: &[Row]) -> Option<f64> {
    median(here.iter().zip(other).map(|(here, other)| here.value / other.value).collect())
}

/// Whether more is better: `(commits/s)`, `(/s)`.
fn is_rate(figure: &str) -> bool {
    figure.ends_with("/s)")
}

fn value(rounds: Option<&Vec<Row>>) -> String {
    let Some((rounds, first)) = rounds.and_then(|rounds| Some((rounds, rounds.first()?))) else {
        return "-".to_owned();
    };
    let value = median(rounds.iter().map(|row| row.value).collect()).unwrap_or(f64::NAN);
    let digits = usize::from(value < 1_000.0);
    format!("{value:.digits$} {}", first.unit).trim_end().to_owned()
}

fn ratio(rounds: Option<&Vec<Row>>) -> String {
    let ratios = rounds.into_iter().flatten().filter_map(|row| row.ratio).collect();
    median(ratios).map_or_else(String::new, |ratio| format!("{ratio:.2}"))
}

fn shortened(name: &str) -> String {
    name.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
figure (medians of one run)                          rollbook        beside it   ratio  wanted
synced append, 1 writers (commits/s)                     1234             1500    0.82  >= 0.70 of raw groups
one client's legacy view, 52 weeks (us)                  12.5                           < 100 us
verify 40000 events: and all rows folded again (/s)           250000            1.5 s          reported
  peak memory of that process so far                  120 MiB      80 MiB read          < 512 MiB
plan 20 series, 80 weeks                                1.5 s                           reported
  peak memory of that process                         unknown                           < 1024 MiB
";

    #[test]
    fn the_printed_table_is_read_row_by_row() {
        let row = |figure: &str, value, unit: &str, ratio| Row {
            figure: figure.to_owned(),
            value,
            unit: unit.to_owned(),
            ratio,
        };
        let verify = "verify 40000 events: and all rows folded again (/s)";
        let expected = [
            row("synced append, 1 writers (commits/s)", 1234.0, "", Some(0.82)),
            row("one client's legacy view, 52 weeks (us)", 12.5, "", None),
            row(verify, 250_000.0, "", None),
            row(&format!("{verify}, peak memory of that process so far"), 120.0, "MiB", None),
            row("plan 20 series, 80 weeks", 1.5, "s", None),
        ];
        assert_eq!(parse(TABLE), expected);
    }

    #[test]
    fn more_is_better_for_rates_and_less_for_times() {
        let round = |rate, time| {
            let row = |figure: &str, value| Row {
                figure: figure.to_owned(),
                value,
                unit: String::new(),
                ratio: Some(0.5),
            };
            vec![row("append (commits/s)", rate), row("view (us)", time)]
        };
        let here = [round(110.0, 11.0), round(220.0, 22.0), round(100.0, 10.0)];
        let other = [round(100.0, 10.0), round(200.0, 20.0), round(100.0, 10.0)];
        let table = side_by_side("HEAD~1", &here, &other);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[1].contains("110.0") && lines[1].contains("1.100"), "{table}");
        assert!(lines[1].contains("+10.0 %"), "{table}");
        assert!(lines[2].contains("-9.1 %"), "{table}");
    }

    #[test]
    fn a_figure_of_one_side_only_is_kept() {
        let row =
            Row { figure: "new (us)".to_owned(), value: 2.0, unit: String::new(), ratio: None };
        let table = side_by_side("HEAD~1", &[vec![row]], &[vec![]]);
        assert!(table.lines().nth(1).unwrap().starts_with("new (us)"), "{table}");
        assert!(!table.contains('%'), "{table}");
    }
}
