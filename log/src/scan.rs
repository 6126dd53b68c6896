//! The sequential scan over records. It returns every commit complete and in order, or an error: a
//! missing position never goes unnoticed.

use std::ops::ControlFlow;

use rollbook_domain::event::Position;

use crate::engine::{Cursor as _, Engine, Family, Purpose, failed};
use crate::error::{Corruption, CorruptionKind, LogError};
use crate::layout;
use crate::stored::{self, Record};

/// Calls `each` with the records of the commits that have events from position `next` up to
/// `until`, in order, until it breaks.
///
/// Returns the position after the last record. The head of the log must have reached `until`.
pub(crate) fn scan(
    engine: &impl Engine,
    next: Position,
    until: Position,
    mut each: impl FnMut(&Record<'_>, &[u8]) -> Result<ControlFlow<()>, LogError>,
) -> Result<Position, LogError> {
    let mut cursor = engine.cursor(Family::Records, Purpose::Scan)?;
    cursor.seek_for_prev(next.to_be_bytes());
    let mut expected = None;
    let mut next = next;
    while next <= until {
        let Some((key, value)) = cursor.item() else {
            cursor.status().map_err(failed("read"))?;
            return Err(Corruption { position: next, kind: CorruptionKind::MissingRecord }.into());
        };
        let first = layout::number(key).ok_or_else(|| layout::malformed("records"))?;
        // The first record may begin before `next`. Every other one begins exactly there.
        if expected.is_some_and(|expected| expected != first) {
            return Err(Corruption { position: next, kind: CorruptionKind::MissingRecord }.into());
        }
        let record = stored::check(first, value)?;
        if record.last() < next {
            return Err(Corruption { position: next, kind: CorruptionKind::MissingRecord }.into());
        }
        let flow = each(&record, value)?;
        next = record.last().saturating_add(1);
        expected = Some(next);
        if flow.is_break() {
            break;
        }
        cursor.next();
    }
    Ok(next)
}
