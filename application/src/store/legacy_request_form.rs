//! The form of requests that release 0.1.0 hashed for idempotency keys. It is frozen, because
//! stores keep these digests forever.
//!
//! Release 0.1.0 wrote commands with Rust's derived `Debug`, whose output can change with the
//! compiler or with the name of a field. This module writes the same bytes by hand and does not use
//! `Debug`. New requests are never hashed in this form, see `request_digest`. Later commands have
//! no legacy form.

use std::fmt::Write as _;
use std::sync::LazyLock;

use chrono::{Datelike as _, Timelike as _};
use rollbook_domain::event::{AssignedStatus, Audience, MissedReason, Terms, View};
use rollbook_domain::series::decide::{Allocation, Correction, Repair};
use rollbook_domain::{JsonText, StreamId, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::series_command::SeriesCommand;

/// Returns the digest of a command on a stream.
pub(super) fn command(stream: &StreamId, command: &SeriesCommand) -> [u8; 32] {
    digest(&(stream.to_string(), text_of(command)))
}

/// Returns the digest of a switch.
pub(super) fn switch(view: View, audience: &Audience, reason: &str, force: bool) -> [u8; 32] {
    #[derive(Serialize)]
    #[serde(tag = "scope", content = "value")]
    enum LegacyAudience<'a> {
        #[serde(rename = "everyone")]
        Everyone,
        #[serde(rename = "percent")]
        Percent(u8),
        #[serde(rename = "clients")]
        Clients(&'a [String]),
    }
    let view = match view {
        View::Legacy => "legacy",
        View::Precreated => "precreated",
    };
    let audience = match audience {
        Audience::Everyone => LegacyAudience::Everyone,
        Audience::Percent(percent) => LegacyAudience::Percent(*percent),
        Audience::Clients(clients) => LegacyAudience::Clients(clients),
    };
    digest(&("switch", view, audience, reason, force))
}

/// Returns the digest of applying a batch.
pub(super) fn apply(batch_digest: &str) -> [u8; 32] {
    digest(&("apply", batch_digest))
}

/// Returns the digest of a validation.
pub(super) fn validate(overdue_after_milliseconds: i64) -> [u8; 32] {
    digest(&("validate", overdue_after_milliseconds))
}

fn digest(request: &impl Serialize) -> [u8; 32] {
    // Serializing tuples of texts, numbers and booleans cannot fail.
    Sha256::digest(serde_json::to_vec(request).unwrap_or_default()).into()
}

fn text_of(command: &SeriesCommand) -> String {
    match command {
        SeriesCommand::Allocate(allocation) => format!("Allocate({})", allocation_text(allocation)),
        SeriesCommand::Respond { run, week, answers, score } => format!(
            "Respond {{ run: {run}, week: {week}, answers: {}, score: {} }}",
            answers.as_str(),
            option(score.as_ref(), u32::to_string)
        ),
        SeriesCommand::Miss { run, week, reason, comment } => format!(
            "Miss {{ run: {run}, week: {week}, reason: {}, comment: {} }}",
            missed_reason(*reason),
            option(comment.as_deref(), quoted)
        ),
        SeriesCommand::Extend { run, week, reason } => week_text("Extend", *run, *week, reason),
        SeriesCommand::AskToReopen { run, week, reason } => {
            week_text("AskToReopen", *run, *week, reason)
        }
        SeriesCommand::Correct { run, week, correction } => format!(
            "Correct {{ run: {run}, week: {week}, correction: {} }}",
            correction_text(correction)
        ),
        SeriesCommand::Reopen { run, week } => format!("Reopen {{ run: {run}, week: {week} }}"),
        SeriesCommand::Pause { weeks } => format!("Pause {{ weeks: {weeks} }}"),
        SeriesCommand::Resume => "Resume".to_owned(),
        SeriesCommand::Withdraw { keep_answered, reason } => {
            format!("Withdraw {{ keep_answered: {keep_answered}, reason: {} }}", quoted(reason))
        }
        // Release 0.1.0 named the week, not the assignment.
        SeriesCommand::WithdrawWeek { run, week, reason, assignment: _ } => {
            week_text("WithdrawWeek", *run, *week, reason)
        }
        SeriesCommand::Feedback { response, coach, text } => format!(
            "Feedback {{ response: {}, coach: {}, text: {} }}",
            quoted(response),
            quoted(coach),
            quoted(text)
        ),
        // Release 0.1.0 had no corrections, so no store has a digest of this text.
        SeriesCommand::Repair(repair) => repair_text(repair),
    }
}

fn repair_text(repair: &Repair) -> String {
    match repair {
        Repair::MoveResponse { response, run, week, reason } => {
            format!("{} {}", week_text("MoveResponse", *run, *week, reason), quoted(response))
        }
        Repair::AdoptResponse { response, run, week, reason } => {
            format!("{} {}", week_text("AdoptResponse", *run, *week, reason), quoted(response))
        }
        Repair::SetWeek { document, week, reason } => {
            format!("SetWeek {week} {} {}", quoted(document), quoted(reason))
        }
        Repair::Undo { correction, reason } => format!("Undo {correction} {}", quoted(reason)),
    }
}

fn week_text(name: &str, run: u32, week: u32, reason: &str) -> String {
    format!("{name} {{ run: {run}, week: {week}, reason: {} }}", quoted(reason))
}

fn allocation_text(allocation: &Allocation) -> String {
    let Allocation { terms, first_due, status, extend } = allocation;
    format!(
        "Allocation {{ terms: {}, first_due: {}, status: {}, extend: {extend} }}",
        terms_text(terms),
        instant(first_due),
        option(status.as_ref(), assigned_status)
    )
}

fn terms_text(terms: &Terms) -> String {
    let Terms {
        stored_client,
        coach,
        title,
        description,
        assigned_by,
        assigned_at,
        window,
        recurring,
        total_weeks,
    } = terms;
    format!(
        "Terms {{ stored_client: {}, coach: {}, title: {}, description: {}, assigned_by: {}, \
         assigned_at: {}, window: {}, recurring: {recurring}, total_weeks: {total_weeks} }}",
        quoted(stored_client),
        quoted(coach),
        quoted(title),
        quoted(description),
        option(assigned_by.as_deref(), quoted),
        option(assigned_at.as_ref(), instant),
        option(window.as_ref(), |window: &JsonText| window.as_str().to_owned())
    )
}

fn correction_text(correction: &Correction) -> String {
    let Correction { due, status, note } = correction;
    format!(
        "Correction {{ due: {}, status: {}, note: {} }}",
        option(due.as_ref(), instant),
        option(status.as_ref(), assigned_status),
        option(note.as_deref(), quoted)
    )
}

fn option<T: ?Sized>(value: Option<&T>, text: impl FnOnce(&T) -> String) -> String {
    value.map_or_else(|| "None".to_owned(), |value| format!("Some({})", text(value)))
}

fn missed_reason(reason: MissedReason) -> &'static str {
    match reason {
        MissedReason::Sick => "Sick",
        MissedReason::Traveling => "Traveling",
        MissedReason::PersonalEmergency => "PersonalEmergency",
        MissedReason::Other => "Other",
    }
}

fn assigned_status(status: &AssignedStatus) -> String {
    let name = match status {
        AssignedStatus::Pending => "Pending",
        AssignedStatus::Active => "Active",
        AssignedStatus::Inactive => "Inactive",
        AssignedStatus::Overdue => "Overdue",
        AssignedStatus::Missed => "Missed",
        AssignedStatus::Completed => "Completed",
    };
    name.to_owned()
}

/// `Timestamp(2026-01-05T09:00:00.120Z)`: 0, 3, 6 or 9 decimals, as few as hold the instant. A year
/// outside 0 to 9999 has a sign and at least five characters.
fn instant(instant: &Timestamp) -> String {
    let at = instant.as_chrono().naive_utc();
    let year = match at.year() {
        year @ 0..=9999 => format!("{year:04}"),
        year => format!("{year:+05}"),
    };
    let nanoseconds = at.nanosecond();
    let decimals = match nanoseconds {
        0 => String::new(),
        _ if nanoseconds.is_multiple_of(1_000_000) => format!(".{:03}", nanoseconds / 1_000_000),
        _ if nanoseconds.is_multiple_of(1_000) => format!(".{:06}", nanoseconds / 1_000),
        _ => format!(".{nanoseconds:09}"),
    };
    format!(
        "Timestamp({year}-{:02}-{:02}T{:02}:{:02}:{:02}{decimals}Z)",
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// A text in double quotes, with the escapes of a Rust string literal.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '\0' => quoted.push_str("\\0"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\n' => quoted.push_str("\\n"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            _ if is_escaped(character) => {
                // Writing to a string cannot fail.
                let _written = write!(quoted, "\\u{{{:x}}}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether 0.1.0 wrote a character as its number: a combining character, an invisible one, or one
/// that the Unicode version of that build did not assign. The table is a copy, because the one in
/// the standard library changes with Unicode.
fn is_escaped(character: char) -> bool {
    static RANGES: LazyLock<Vec<(u32, u32)>> = LazyLock::new(|| {
        let ranges = include_str!("legacy_escapes.txt").split_ascii_whitespace();
        ranges.filter_map(range).collect()
    });
    let code = u32::from(character);
    let index = RANGES.partition_point(|(first, _last)| *first <= code);
    index.checked_sub(1).and_then(|index| RANGES.get(index)).is_some_and(|(_, last)| code <= *last)
}

fn range(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((u32::from_str_radix(first, 16).ok()?, u32::from_str_radix(last, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::request_samples::{self as samples, AWKWARD};
    use super::*;

    fn hex(digest: [u8; 32]) -> String {
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The texts of release 0.1.0, recorded before its code was removed.
    const COMMANDS: [&str; 18] = [
        "bbf178b8b5295894ee9a928a79fc28d1b437895b014076e09fa4539d468b15fb",
        "f76defc236c7cd320554d058331582ba712d9b913137a0818951e6f99d7e8991",
        "41600d733551422b4ba5ebb87d5c64919a5c6efbfe07e1725699d8a2176db9d0",
        "fa4799b3ed14f59419ecc876919bd7152b5a12ed195ea23037d56582e889db50",
        "4f65ed0e0f5ca82c4e0809b89b97370fc85addbd5241d5e252d32d630abf6cf0",
        "cd15ecc07a9e4caee5f142befc75bda382060c0154cb4a43a91d47279b536f84",
        "30dc83fbfd998c75b4b9bea8f63edeb3255085a264b8011815ffc648d84b7054",
        "fc02d05291aae07e6dbfbb96bfc0ee3995ace161896b7205cd67d7180b4e8041",
        "723a4ce0a53291d4d066eb4fa51926d5018e848708b6f5147649b55f86858c1a",
        "88791343c38a374f07a2d382b260b8d72aad89b719d4a99d34ef2dff0c64cfee",
        "ef73f52a8665509a7504049210c25843db2b73faf35a6ef9c4ef415decab4c99",
        "b0377a2d5c865bf5c84cf37493aa35343e01fa16f46239273d55e78945e454c7",
        "11d1aa1ede96fb1f354fb9c1c86eec8be888961bc910e61508debf48fd6699fa",
        "09bc9e97565f45c9d78002ea5e787301c32fccd74fbac979d672298e48044228",
        "2170b62573234cb354e84869bf9e7c714aef0b2f20f161015dfc3e49750a922b",
        "c39f5a719f49df9688c0788710e4a955c9c919aafad2bf490d35a0da54b557da",
        "df3e690bb8d411f1578fe58815ef10dcc37ac1296ee0cbd5715c5495c026b700",
        "0e8f7f99ebc3d59a3675dacaca39c40ab360a6aeef8a6ce19f421f8897f64dde",
    ];
    const SWITCHES: [&str; 5] = [
        "273e92ff7d978ae7f801e029e0d92cbadf64d86b79167cf0ea96f19bb061d2ee",
        "6d768cee6dec01b82a4389a52e4b43923341d36d30fd833c9570e1a8929b4369",
        "b661e46b642dd9c0873d8974e478ef4bfcc51f783c4beb6548575d020fd65f8f",
        "156d8987087c8ca0400f3eea457c96ee859aa53f5c29b5b92a94176870c085dd",
        "f6eacb364fe3a0d00b35414d4e1de499418515124b22e13448c85366b45e2fb0",
    ];

    #[test]
    fn digests_are_those_of_release_0_1_0() {
        let commands = samples::commands()
            .into_iter()
            .map(|(stream, sample)| hex(command(&stream.parse().unwrap(), &sample)));
        assert_eq!(commands.collect::<Vec<_>>(), COMMANDS);
        let switches = samples::switches()
            .into_iter()
            .map(|(view, audience, reason, force)| hex(switch(view, &audience, reason, force)));
        assert_eq!(switches.collect::<Vec<_>>(), SWITCHES);
        assert_eq!(
            hex(apply("abc123")),
            "33611e63d87360519438927a6d663c8e564ee7354426a98d2e6389ebe55cbb2b"
        );
        assert_eq!(
            [hex(validate(259_200_000)), hex(validate(-1))],
            [
                "5796b9f6c3196fd49bc1dc7ac198a0fb7aa7f3f3ff908583603e49942a816134",
                "5e36fca5f0da5111367f90609df6e38a209af4eb1ae5dcf88aa30b008987a88f"
            ]
        );
    }

    #[test]
    fn texts_have_the_escapes_of_release_0_1_0() {
        let expected = "\"\\u{301}she said \\\"it's\\\" C:\\\\ \\n\\r\\t\\0\\u{7}\\u{7f} e\\u{301} ü \
                        \\u{200d}\\u{a0}\\u{e000}\\u{378} 你 😀\\u{10ffff}\"";
        assert_eq!(quoted(AWKWARD), expected);
        let table: Vec<_> =
            include_str!("legacy_escapes.txt").split_ascii_whitespace().map(range).collect();
        assert_eq!((table.len(), table.iter().flatten().count()), (909, 909));
        assert!(table.iter().flatten().flat_map(|(a, b)| [a, b]).is_sorted());
    }
}
