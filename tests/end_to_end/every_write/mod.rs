//! Every command and every request that writes, on a week that an import stored, on a week that a
//! migration made and on a generated one, before a migration is planned, between plan and apply,
//! and after it under either view. What was done is in the view that serves; then the migration is
//! applied where it was not, the checks are green, a certificate can be written, and the other view
//! can be switched to and shows the same.
//!
//! The list of commands and requests is read from the command line and from the API description, so
//! that a new one cannot be forgotten. The outcome of every cell is in `golden/every-write.md`.

mod deeds;
mod listed;
mod phases;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::deeds::{Deed, Edge, deeds};
use self::phases::{Cell, Phase, Templates, Week};

/// The columns of the table.
fn columns() -> impl Iterator<Item = (Phase, Week)> {
    Phase::ALL.into_iter().flat_map(|phase| Week::ALL.map(|week| (phase, week)))
}

/// Every deed at every edge that has it.
fn rows() -> Vec<(Deed, Edge)> {
    deeds()
        .into_iter()
        .flat_map(|deed| deed.edges().into_iter().map(move |edge| (deed, edge)))
        .collect()
}

/// The outcome of every cell, by row and column.
fn outcomes(templates: &Templates) -> BTreeMap<(usize, usize), String> {
    let (rows, columns): (Vec<_>, Vec<_>) = (rows(), columns().collect());
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let (row, column) = (number / columns.len(), number % columns.len());
            let Some((deed, edge)) = rows.get(row) else { return };
            let (phase, week) = columns[column];
            let outcome = Cell::new(templates, phase, week).run(deed, *edge);
            outcomes.lock().unwrap().insert((row, column), outcome);
        }
    };
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    outcomes.into_inner().unwrap()
}

fn table(outcomes: &BTreeMap<(usize, usize), String>) -> String {
    let columns: Vec<_> = columns().collect();
    let mut text = String::from("| command or request |");
    for (phase, week) in &columns {
        text += &format!(" {}, {} |", phase.name(), week.name(*phase));
    }
    text += "\n| --- |";
    text += &" --- |".repeat(columns.len());
    for (row, (deed, edge)) in rows().iter().enumerate() {
        text += &format!("\n| {} |", deed.row(*edge));
        for column in 0..columns.len() {
            text += &format!(" {} |", outcomes[&(row, column)]);
        }
    }
    text + "\n"
}

#[test]
fn every_write_is_seen_and_leaves_the_checks_green() {
    let templates = Templates::new();
    let table = table(&outcomes(&templates));
    println!("{table}");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/every_write/golden");
    testkit::assert_golden(&golden.join("every-write.md"), &table);
}
