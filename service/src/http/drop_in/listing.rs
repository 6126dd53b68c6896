//! The list of assignments: what a caller may see, the order, and the pages. A page starts after
//! the last assignment of the previous page, so assignments that are added meanwhile shift nothing.

use std::cmp::Reverse;

use rollbook_application::code::Code;
use rollbook_application::store::{Store, StoreError};
use rollbook_domain::series::Series;
use rollbook_domain::{Position, StreamId, Timestamp};
use rollbook_projections::ProjectionError;
use rollbook_projections::directory::Identity;
use rollbook_projections::entry::ListParameters;
use rollbook_projections::rows::{RowSource, StoredRows, decode};
use rollbook_projections::views::{self, PrecreatedView, keys};

use super::super::error::ApiError;
use super::assignment::{Assignment, Which};
use crate::access::{AccessDenied, Caller, Permission, Visible};

/// A page of the list.
pub(super) struct AssignmentPage {
    pub(super) assignments: Vec<Assignment>,
    pub(super) total: usize,
    pub(super) next_cursor: Option<String>,
    pub(super) position: Position,
}

/// The sort key of an assignment: the time of assignment, newest first, then client, form, run and
/// week.
type Place = (Reverse<Timestamp>, String, u32, u32);

const DEFAULT_LIMIT: usize = 50;
const MOST: usize = 200;

/// Returns the requested page of the assignments that the caller may see.
pub(super) fn list(
    store: &Store,
    caller: &Caller,
    which: &Which,
    asked: ListParameters,
) -> Result<AssignmentPage, ApiError> {
    let limit = which.limit.unwrap_or(DEFAULT_LIMIT);
    if limit == 0 || limit > MOST {
        return Err(ApiError::bad_request(Code::OutOfRange, format!("limit is 1 to {MOST}")));
    }
    let after = which.cursor.as_deref().map(place_of).transpose()?;
    let scope = Scope::of(store, caller, which)?;
    let snapshot = store.snapshot()?;
    let (rows, position) = snapshot.rows::<PrecreatedView>().map_err(StoreError::from)?;
    let clock = asked.clock(store.zone()?);
    let mut found: Vec<(Place, Assignment)> = Vec::new();
    let mut take = |stream: &StreamId, series: &Series| {
        let StreamId::Series { client, .. } = stream else { return };
        let of_coach = |coach: &str| which.coach_id.as_deref().is_none_or(|wanted| wanted == coach);
        for item in series.items.shown().filter(|item| of_coach(&item.stored.coach)) {
            let assignment = Assignment::of(client, item.run, &item.stored, &clock);
            if which.status.is_none_or(|status| status == assignment.status) {
                let assigned_at = item.stored.assigned_at.unwrap_or(Timestamp::EPOCH);
                found.push((
                    (Reverse(assigned_at), stream.to_string(), item.run, item.week()),
                    assignment,
                ));
            }
        }
    };
    scope.each(&rows, &mut take).map_err(StoreError::from)?;
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    let total = found.len();
    let mut page =
        found.into_iter().filter(|(place, _)| after.as_ref().is_none_or(|after| place > after));
    let mut assignments = Vec::new();
    let mut last = None;
    for (place, assignment) in page.by_ref().take(limit) {
        last = Some(place);
        assignments.push(assignment);
    }
    let next_cursor = page.next().and_then(|_more| last.as_ref().map(cursor_of));
    Ok(AssignmentPage { assignments, total, next_cursor, position })
}

/// The series to read.
enum Scope {
    Everyone,
    Clients(Vec<Identity>),
}

impl Scope {
    fn of(store: &Store, caller: &Caller, which: &Which) -> Result<Self, ApiError> {
        if let Some(client) = &which.client_id {
            caller.authorize(store, Permission::CheckIns(client))?;
            return Ok(Self::Clients(vec![store.identify(client)?]));
        }
        if let Some(coach) = &which.coach_id {
            caller.authorize(store, Permission::CoachList(coach))?;
        }
        match caller.sees(store)? {
            Visible::All => Ok(Self::Everyone),
            Visible::Clients(clients) if clients.is_empty() && which.coach_id.is_none() => {
                Err(AccessDenied::Forbidden.into())
            }
            Visible::Clients(clients) => Ok(Self::Clients(
                clients
                    .iter()
                    .map(|client| store.identify(client))
                    .collect::<Result<_, StoreError>>()?,
            )),
        }
    }

    fn each(
        &self,
        rows: &StoredRows<'_>,
        take: &mut dyn FnMut(&StreamId, &Series),
    ) -> Result<(), ProjectionError> {
        let Self::Clients(identities) = self else {
            return views::each_series(rows, &mut |stream, series: Series| {
                take(&stream, &series);
                Ok(())
            });
        };
        for id in identities.iter().flat_map(|identity| &identity.ids) {
            rows.scan(&keys::series_prefix(id), &mut |key, bytes| {
                let name =
                    String::from_utf8_lossy(key.get(keys::ALL_SERIES.len()..).unwrap_or_default())
                        .into_owned();
                let stream = name.parse().map_err(|source| ProjectionError::Row {
                    key: name,
                    source: Box::new(source),
                })?;
                take(&stream, &decode(key, bytes)?);
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// `<assigned at> <run> <week> <stream>`.
fn cursor_of((Reverse(assigned_at), stream, run, week): &Place) -> String {
    format!("{assigned_at} {run} {week} {stream}")
}

fn place_of(cursor: &str) -> Result<Place, ApiError> {
    let mut parts = cursor.splitn(4, ' ');
    let mut next = || parts.next().unwrap_or_default();
    let (assigned_at, run, week) = (next().parse().ok(), next().parse().ok(), next().parse().ok());
    let stream = next().to_owned();
    match (assigned_at, run, week) {
        (Some(assigned_at), Some(run), Some(week)) if !stream.is_empty() => {
            Ok((Reverse(assigned_at), stream, run, week))
        }
        _ => Err(ApiError::bad_request(Code::BadCursor, "cursor is none that this list gave")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_its_place() {
        let place = (
            Reverse("2026-01-05T09:00:00.123456789Z".parse().unwrap()),
            "series/a b/c%2F".to_owned(),
            2,
            51,
        );
        assert_eq!(place_of(&cursor_of(&place)), Ok(place));
        for wrong in ["", "x", "2026-01-05T09:00:00Z 1 1", "2026-01-05T09:00:00Z 1 x s"] {
            assert_eq!(place_of(wrong).unwrap_err().code(), Code::BadCursor, "{wrong}");
        }
    }
}
