//! The text of an event in one line. Personal content is left out unless the caller asks for it.

use rollbook_application::reports::history::{ERASED, REDACTED, missed};
use rollbook_domain::event::{
    Acceptance, Audience, CheckOutcome, FindingName, LinkKind, Origin, Placement,
    QualifiedValidation,
};
use rollbook_domain::{Document, Event, JsonText, Personal, Position, Timestamp};

use super::short;

/// The length at which content is cut, in characters.
const LONGEST: usize = 120;

/// The text of an event.
pub(in crate::cli) fn detail(event: &Event, with_answers: bool) -> String {
    if let Event::Erased(event) = event {
        return detail(event, with_answers);
    }
    let personal = PersonalContent { with_answers };
    control_detail(event)
        .or_else(|| document_detail(event, personal))
        .or_else(|| week_detail(event, personal))
        .or_else(|| response_detail(event, personal))
        .or_else(|| series_detail(event, personal))
        .unwrap_or_default()
}

#[derive(Clone, Copy)]
struct PersonalContent {
    with_answers: bool,
}

impl PersonalContent {
    fn text(self, content: &Personal<String>) -> String {
        self.disclosed(content.expose().map(String::as_str))
    }

    fn json(self, content: &Personal<JsonText>) -> String {
        self.disclosed(content.expose().map(JsonText::as_str))
    }

    fn disclosed(self, content: Option<&str>) -> String {
        match content {
            None => ERASED.to_owned(),
            Some(content) if self.with_answers => cut(content),
            Some(_) => REDACTED.to_owned(),
        }
    }
}

fn cut(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

fn instant(at: Option<&Timestamp>) -> String {
    at.map_or_else(|| "no date".to_owned(), Timestamp::to_string)
}

fn place(run: u32, week: u32) -> String {
    if run == 1 { format!("week {week}") } else { format!("run {run} week {week}") }
}

/// Events about imported documents.
fn document_detail(event: &Event, personal: PersonalContent) -> Option<String> {
    Some(match event {
        Event::DocumentImported(document) | Event::DocumentChanged(document) => {
            let Document { collection, id, body, .. } = document;
            format!("{} {id}: {}", collection.name(), personal.json(body))
        }
        Event::DocumentRemoved { collection, id } => format!("{} {id}", collection.name()),
        _ => return None,
    })
}

/// Events about one week.
fn week_detail(event: &Event, personal: PersonalContent) -> Option<String> {
    Some(match event {
        Event::AssignmentCreated { assignment, run, week, due, origin, terms } => {
            let by = match origin {
                Origin::Allocation => "allocated",
                Origin::Submission => "made by a response",
                Origin::Migration => "made by a migration",
            };
            format!(
                "{} of {}, due {due}, {by}: {assignment}",
                place(*run, *week),
                terms.total_weeks
            )
        }
        Event::AssignmentRescheduled { run, week, due } => {
            format!("{}, due {due}", place(*run, *week))
        }
        Event::WindowChanged { run, week, window } => {
            let window = window.as_ref().map_or("null", JsonText::as_str);
            format!("{}, window {window}", place(*run, *week))
        }
        Event::AssignmentMissed { run, week, reason, comment } => {
            let comment = comment
                .as_ref()
                .map(|comment| format!(": {}", personal.text(comment)))
                .unwrap_or_default();
            format!("{}, {}{comment}", place(*run, *week), missed(*reason))
        }
        Event::ExtensionGranted { run, week, reason }
        | Event::ReopenRequested { run, week, reason }
        | Event::AssignmentWithdrawn { run, week, reason } => {
            format!("{}: {}", place(*run, *week), personal.text(reason))
        }
        Event::AssignmentReopened { run, week } => place(*run, *week),
        Event::StatusAssigned { run, week, status } => {
            format!("{}, {}", place(*run, *week), status.name())
        }
        Event::NoteWritten { run, week, note } => {
            format!("{}: {}", place(*run, *week), personal.text(note))
        }
        Event::DocumentAdopted { assignment, run, week, document } => {
            format!("{}, document {document} is now assignment {assignment}", place(*run, *week))
        }
        Event::DuplicateWithdrawn { run, week, assignment, reason } => {
            format!("{}, only {assignment}: {}", place(*run, *week), personal.text(reason))
        }
        _ => return None,
    })
}

/// Events about a response.
fn response_detail(event: &Event, personal: PersonalContent) -> Option<String> {
    Some(match event {
        Event::ResponseSubmitted { run, week, response, score, answers, .. } => {
            let score =
                score.map_or_else(|| "no score".to_owned(), |score| format!("score {score}"));
            format!(
                "{}, {score}, response {response}: {}",
                place(*run, *week),
                personal.json(answers)
            )
        }
        Event::ResponseLinked { response, run, week, named, kind, .. } => {
            let how = match kind {
                LinkKind::Linked => "linked to",
                LinkKind::Adopted => "adopted by",
            };
            format!("response {response} (named {named:?}) {how} {}", place(*run, *week))
        }
        Event::ResponseCleared { run, week, response, reason } => {
            format!(
                "{}, response {response} no longer counts: {}",
                place(*run, *week),
                personal.text(reason)
            )
        }
        Event::DuplicateCleared { run, week, assignment, response, reason } => {
            format!(
                "{}, only {assignment}, response {response} no longer counts: {}",
                place(*run, *week),
                personal.text(reason)
            )
        }
        Event::ResponsePlaced(placement) => {
            let Placement { correction, response, run, week, left, reason, .. } = placement;
            let from: Vec<String> = left.iter().map(|left| place(left.run, left.week)).collect();
            let how = if from.is_empty() {
                "adopted by".to_owned()
            } else {
                format!("moved from {} to", from.join(" and "))
            };
            format!(
                "response {response} {how} {}, correction {correction}: {}",
                place(*run, *week),
                personal.text(reason)
            )
        }
        Event::CorrectionUndone { correction, reason } => {
            format!("correction {correction} undone: {}", personal.text(reason))
        }
        Event::FeedbackGiven { response, coach, text } => {
            format!("response {response}, coach {coach}: {}", personal.text(text))
        }
        _ => return None,
    })
}

/// Events about a whole series or a client.
fn series_detail(event: &Event, personal: PersonalContent) -> Option<String> {
    Some(match event {
        Event::SeriesPaused { run, pause_weeks, until, moved } => {
            format!("run {run} by {pause_weeks} weeks until {until}, {} weeks moved", moved.len())
        }
        Event::SeriesResumed { run, restored } => {
            let first = restored
                .first()
                .map(|first| format!(", the first due {}", instant(first.due.as_ref())))
                .unwrap_or_default();
            format!("run {run}, {} weeks moved back{first}", restored.len())
        }
        Event::SeriesExtended { run, total_weeks } => format!("run {run}, {total_weeks} weeks now"),
        Event::SeriesWithdrawn { run, keep_answered, reason } => {
            let kept = if *keep_answered {
                "answered weeks stay in the views"
            } else {
                "answered weeks leave the views"
            };
            format!("run {run}, {kept}: {}", personal.text(reason))
        }
        Event::ClientErased { ids, reason, .. } => {
            format!("the personal data of {} was erased: {}", ids.join(", "), cut(reason))
        }
        _ => return None,
    })
}

/// Events of the control stream.
fn control_detail(event: &Event) -> Option<String> {
    Some(match event {
        Event::ImportCompleted { digest, legacy_timezone, collections, .. } => {
            let documents: u64 =
                collections.iter().map(|exported| u64::from(exported.documents)).sum();
            format!(
                "{documents} documents in {} collections, zone {legacy_timezone}, digest {}",
                collections.len(),
                short(digest)
            )
        }
        Event::BatchPlanned { digest, kind, rules, base, .. } => {
            format!("{kind} {rules}, base {base}, digest {}", short(digest))
        }
        Event::BatchApplied { digest, series, created, linked, adopted, skipped } => {
            format!(
                "{series} series, {created} created, {linked} linked, {adopted} adopted, {skipped} skipped, digest {}",
                short(digest)
            )
        }
        Event::WeeksChanged { digest, series, changed, skipped } => {
            format!(
                "{series} series, {changed} changed, {skipped} skipped, digest {}",
                short(digest)
            )
        }
        Event::ValidationRecorded { at, checks, .. } => validation(*at, checks),
        Event::QualifiedValidationRecorded(QualifiedValidation {
            at, checks, accepted, ..
        }) => {
            let count: usize = accepted.iter().map(|accepted| accepted.findings.len()).sum();
            format!("{}, with {count} accepted findings", validation(*at, checks))
        }
        Event::FindingsAccepted(Acceptance { check, findings, reason }) => {
            format!("{check}: {}: {}", named(findings), cut(reason))
        }
        Event::AcceptanceWithdrawn { findings, reason } => {
            format!("{} findings: {}", findings.len(), cut(reason))
        }
        Event::ParityRecorded { at, classes, unexplained } => {
            let explained: u64 = classes.iter().map(|(_, count)| count).sum();
            format!("at {at}: {explained} differences explained, {unexplained} unexplained")
        }
        Event::ViewSwitched { view, audience, reason, forced } => {
            let whom = match audience {
                Audience::Everyone => "everybody".to_owned(),
                Audience::Percent(percent) => format!("{percent} % of all clients"),
                Audience::Clients(clients) => clients.join(", "),
            };
            let forced = if *forced { ", forced" } else { "" };
            format!("{} for {whom}{forced}: {}", view.name(), cut(reason))
        }
        Event::BackupTaken { name, at } => format!("{name} at {at}"),
        Event::StageRecorded { stage, note } => format!("{stage}: {}", cut(note)),
        Event::LegacyRetired { reason } => cut(reason),
        Event::ResponsesAttested { digest, responses, .. } => {
            format!(
                "{responses} responses before the batch without erased clients, digest {}",
                short(digest)
            )
        }
        _ => return None,
    })
}

/// How many accepted findings a line names.
const FINDINGS_SHOWN: usize = 3;

fn named(findings: &[FindingName]) -> String {
    let about: Vec<String> = (findings.iter().take(FINDINGS_SHOWN))
        .map(|finding| format!("{} ({})", finding.id, finding.about))
        .collect();
    let more = match findings.len().saturating_sub(FINDINGS_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", about.join("; "))
}

fn validation(at: Position, checks: &[CheckOutcome]) -> String {
    let red: Vec<&str> =
        checks.iter().filter(|check| !check.green).map(|check| check.name.as_str()).collect();
    let outcome =
        if red.is_empty() { "all green".to_owned() } else { format!("red: {}", red.join(", ")) };
    format!("{} checks at {at}, {outcome}", checks.len())
}
