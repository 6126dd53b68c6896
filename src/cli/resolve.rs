//! How a finding of the audit is resolved, in terms of this command line.

use rollbook_application::reports::resolution::Resolution;

/// The command that resolves a finding, or what to do where there is none.
pub(super) fn command(resolution: &Resolution) -> String {
    let week = |week: &Option<u32>| week.map_or_else(|| "N".to_owned(), |week| week.to_string());
    match resolution {
        Resolution::MoveResponse { response, week: to } => format!(
            "rollbook correct move-response {} --week {} --reason TEXT",
            argument(response),
            week(to)
        ),
        Resolution::AdoptResponse { response, week: to } => format!(
            "rollbook correct adopt-response {} --week {} --reason TEXT",
            argument(response),
            week(to)
        ),
        Resolution::SetWeek { document, week: to } => format!(
            "rollbook correct set-week {} --week {} --reason TEXT",
            argument(document),
            week(to)
        ),
        Resolution::WeekTaken { week, held } => format!(
            "week {week} has the response {held}: move that one first, clear it with rollbook withdraw --assignment ID"
        ),
        Resolution::ClearWeek(assignment) => {
            format!("rollbook withdraw --assignment {} --reason TEXT", argument(assignment))
        }
        Resolution::SetDue(assignment) => format!(
            "no command here: PATCH /api/check-in-assignments/{assignment} at the service sets dueDate"
        ),
        Resolution::PutClient(client) => format!("rollbook client put {}", argument(client)),
        Resolution::Migrate => {
            "rollbook migrate plan --out FILE, then rollbook migrate apply FILE".to_owned()
        }
        Resolution::Undo(correction) => {
            format!("rollbook correct undo {correction} --reason TEXT, or leave the correction")
        }
        Resolution::Accept => {
            "no command: both views can be used with it; correct the export to resolve it"
                .to_owned()
        }
        Resolution::CorrectExport => {
            "no command: correct the export, and import it again".to_owned()
        }
    }
}

/// An id as one argument of a shell.
fn argument(id: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
    if !id.is_empty() && !id.starts_with('-') && id.chars().all(is_plain) {
        return id.to_owned();
    }
    format!("'{}'", id.replace('\'', "'\\''"))
}
