//! `rollbook status`: how the store stands, and what to do next. Owns the report; it is read from what is folded already, or
//! from the log itself, so that asking changes nothing.

use std::collections::BTreeMap;

use clap::Args;
use rollbook_domain::control::{BatchState, Control, ImportState, SwitchRefused, ValidationState};
use rollbook_domain::event::{Audience, CheckOutcome, View};
use rollbook_domain::{Collection, Position};
use rollbook_projections::Projection;
use rollbook_projections::rows::{MemoryRows, RowChanges};
use rollbook_projections::tracker::{self, Counts, Tracker};
use serde::Serialize;
use uuid::Uuid;

use super::Context;
use super::output::{BAD, BOLD, FAINT, GOOD, styled};
use super::switch::Serving;
use crate::error::StoreError;
use crate::store::{Store, clients};

/// Show how the store stands, and what to do next.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  rollbook status\n  rollbook status --json | jq .next")]
pub(super) struct StatusArguments {}

impl StatusArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), StoreError> {
        let store = context.open()?;
        let head = store.log().head();
        let checkpoints = store.runtime().checkpoints()?;
        let is_folded = checkpoints.iter().all(|(_, position)| *position == head);
        let (control, counts) = if is_folded { tracked(&store)? } else { tracked_in_memory(&store)? };
        let clients = if is_folded { Some(clients(&store.snapshot()?)?) } else { None };
        let status = Status {
            data: context.data.display().to_string(),
            store_id: store.log().store_id(),
            format: format_of(context),
            head,
            projections: checkpoints
                .iter()
                .map(|(name, position)| Projected { name, position: *position, behind: head - position })
                .collect(),
            zone: control.legacy_timezone.as_deref().unwrap_or("UTC"),
            import: control.import.as_ref().map(Imported::of),
            documents: &counts.documents,
            weeks: Weeks { allocated: counts.allocated, submitted: counts.submitted_weeks, migrated: counts.migrated },
            answered: counts.answered,
            batches: control.batches.iter().map(Batch::of).collect(),
            validation: control.validation.as_ref().map(Validated::of),
            parity: control.parity.map(|(at, unexplained)| Parity { at, unexplained }),
            switch: Serving::of(&control.switch, clients.as_deref()),
            legacy_retired: control.legacy_retired,
            events: &counts.events,
            next: next(&control),
        };
        context.output.either(&status, || status.text())
    }
}

fn tracked(store: &Store) -> Result<(Control, Counts), StoreError> {
    let snapshot = store.snapshot()?;
    let (rows, _) = snapshot.of(Tracker.name())?;
    Ok((tracker::control(&rows)?, tracker::counts(&rows)?))
}

/// The tracker's rows as the next command will fold them, without writing them.
fn tracked_in_memory(store: &Store) -> Result<(Control, Counts), StoreError> {
    let mut rows = MemoryRows::default();
    let nothing = MemoryRows::default();
    let mut changes = RowChanges::new(&nothing);
    for commit in store.log().commits_after(0) {
        Tracker.fold(&mut changes, &commit?)?;
    }
    rows.absorb(changes.finish()?);
    Ok((tracker::control(&rows)?, tracker::counts(&rows)?))
}

/// The format that the store says it has; its directory was opened, so the text is there.
fn format_of(context: &Context) -> Option<u32> {
    let text = std::fs::read_to_string(context.data.join("FORMAT")).ok()?;
    text.split_whitespace().nth(1)?.parse().ok()
}

/// One line: what to do next.
fn next(control: &Control) -> String {
    if control.import.is_none() {
        return "rollbook import EXPORT_DIR".to_owned();
    }
    if control.batches.is_empty() {
        return "rollbook audit, then rollbook migrate plan --out FILE".to_owned();
    }
    match control.decide_switch(View::Precreated, Audience::Everyone, "status", false) {
        Err(SwitchRefused::Unfinished(digest)) => {
            format!("rollbook migrate apply FILE again, with the file of batch {}", digest.get(..12).unwrap_or(&digest))
        }
        Err(SwitchRefused::NotValidated | SwitchRefused::Stale { .. }) => "rollbook migrate validate".to_owned(),
        Err(SwitchRefused::Red(red)) => format!("find out why these are red, then rollbook migrate validate: {red}"),
        Err(_) => "rollbook history control".to_owned(),
        Ok(_) if control.legacy_retired => "nothing".to_owned(),
        Ok(_) if control.switch.default == View::Precreated && control.switch.other_percent == 0 => {
            "watch; rollbook switch legacy --reason TEXT goes back at any time".to_owned()
        }
        Ok(_) if control.switch.other_percent > 0 || !control.switch.clients.is_empty() => {
            "watch, then rollbook switch precreated --percent N (more), or for everybody; rollbook switch legacy goes back".to_owned()
        }
        Ok(_) => "rollbook switch precreated --percent 10 --reason TEXT".to_owned(),
    }
}

#[derive(Serialize)]
struct Status<'a> {
    data: String,
    store_id: Uuid,
    format: Option<u32>,
    head: Position,
    projections: Vec<Projected>,
    zone: &'a str,
    import: Option<Imported<'a>>,
    documents: &'a BTreeMap<String, u64>,
    weeks: Weeks,
    answered: u64,
    batches: Vec<Batch<'a>>,
    validation: Option<Validated<'a>>,
    parity: Option<Parity>,
    switch: Serving<'a>,
    legacy_retired: bool,
    events: &'a BTreeMap<String, u64>,
    next: String,
}

#[derive(Serialize)]
struct Projected {
    name: &'static str,
    position: Position,
    behind: u64,
}

#[derive(Serialize)]
struct Weeks {
    allocated: u64,
    submitted: u64,
    migrated: u64,
}

#[derive(Serialize)]
struct Parity {
    at: Position,
    unexplained: u64,
}

#[derive(Serialize)]
struct Imported<'a> {
    position: Position,
    digest: &'a str,
    collections: BTreeMap<&'static str, u32>,
}

impl<'a> Imported<'a> {
    fn of(import: &'a ImportState) -> Self {
        let name = |collection: Collection| collection.name();
        let collections = import.collections.iter().map(|exported| (name(exported.collection), exported.documents)).collect();
        Self { position: import.position, digest: &import.digest, collections }
    }
}

#[derive(Serialize)]
struct Batch<'a> {
    digest: &'a str,
    kind: &'a str,
    rules: &'a str,
    base: Position,
    applied_at: Option<Position>,
    series: u64,
    created: u64,
    linked: u64,
    adopted: u64,
    skipped: u64,
}

impl<'a> Batch<'a> {
    fn of(batch: &'a BatchState) -> Self {
        let BatchState { digest, kind, rules, base, applied_at, counts, .. } = batch;
        let (series, created, linked, adopted, skipped) = *counts;
        Self { digest, kind, rules, base: *base, applied_at: *applied_at, series, created, linked, adopted, skipped }
    }
}

#[derive(Serialize)]
struct Validated<'a> {
    position: Position,
    at: Position,
    digest: &'a str,
    green: bool,
    checks: &'a [CheckOutcome],
}

impl<'a> Validated<'a> {
    fn of(validation: &'a ValidationState) -> Self {
        let ValidationState { position, at, digest, checks } = validation;
        Self { position: *position, at: *at, digest, green: validation.all_green(), checks }
    }
}

impl Status<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| text.push_str(&format!("{} {value}\n", styled(BOLD, format!("{name:<12}"))));
        let format = self.format.map_or_else(|| "unknown".to_owned(), |format| format.to_string());
        line("store", format!("{} in {}, format {format}", self.store_id, self.data));
        line("head", self.head.to_string());
        let projections: Vec<String> = self.projections.iter().map(Projected::text).collect();
        line("projections", projections.join(", "));
        line("zone", self.zone.to_owned());
        line("import", self.import.as_ref().map_or_else(|| "none".to_owned(), Imported::text));
        let Weeks { allocated, submitted, migrated } = self.weeks;
        line(
            "weeks",
            format!("{migrated} made by migrations, {allocated} allocated, {submitted} made by answers; {} answered here", self.answered),
        );
        for batch in &self.batches {
            line("batch", batch.text());
        }
        line("validation", self.validation.as_ref().map_or_else(|| "none".to_owned(), Validated::text));
        let parity = |parity: &Parity| format!("{} unexplained at {}", parity.unexplained, parity.at);
        line("parity", self.parity.as_ref().map_or_else(|| "none".to_owned(), parity));
        let retired = if self.legacy_retired { "; the legacy view is retired" } else { "" };
        line("switch", format!("{}{retired}", self.switch.text()));
        line("events", named_counts(self.events));
        line("next", self.next.clone());
        text
    }
}

fn named_counts(counts: &BTreeMap<String, u64>) -> String {
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}

impl Projected {
    fn text(&self) -> String {
        let Self { name, position, behind } = self;
        if *behind == 0 { format!("{name} {position}") } else { format!("{name} {position} {}", styled(BAD, format!("({behind} behind)"))) }
    }
}

impl Imported<'_> {
    fn text(&self) -> String {
        let collections: Vec<String> = self.collections.iter().map(|(name, documents)| format!("{name} {documents}")).collect();
        format!("position {}: {}", self.position, collections.join(", "))
    }
}

impl Batch<'_> {
    fn text(&self) -> String {
        let Self { digest, kind, rules, base, series, created, linked, adopted, skipped, .. } = self;
        let digest = styled(FAINT, digest.get(..12).unwrap_or(digest));
        match self.applied_at {
            Some(at) => format!(
                "{digest} {kind} {rules}, applied at {at}: {series} series, {created} created, {linked} linked, {adopted} adopted, {skipped} skipped"
            ),
            None => format!("{digest} {kind} {rules}, begun at {base}, {}", styled(BAD, "not through")),
        }
    }
}

impl Validated<'_> {
    fn text(&self) -> String {
        let green = self.checks.iter().filter(|check| check.green).count();
        let count = format!("{green} of {} green", self.checks.len());
        if self.green {
            return format!("{} at {}", styled(GOOD, count), self.at);
        }
        let red: Vec<&str> = self.checks.iter().filter(|check| !check.green).map(|check| check.name.as_str()).collect();
        format!("{} at {}: {}", styled(BAD, count), self.at, red.join(", "))
    }
}
