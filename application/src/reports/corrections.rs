//! The report on corrections that are in force.

use rollbook_domain::series::{Corrected, Series};
use rollbook_domain::{Event, Position, StreamId, Timestamp};
use rollbook_projections::views::{self, PrecreatedView};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::{Reading, StoreError};

/// A correction that is in force: it was not undone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldCorrection {
    /// The id of the correction.
    pub correction: Uuid,
    /// The position of its event.
    pub position: Option<Position>,
    /// The time of the correction.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub at: Option<Timestamp>,
    /// The stream of the series.
    pub series: String,
    /// The response that it moved; empty for a document that was given another week and has none.
    pub response: String,
    /// The document whose week number it set; `None` for a response that was moved or adopted.
    pub document: Option<String>,
    /// The run.
    pub run: u32,
    /// The week that holds the response now, or that the document stands for.
    pub week: u32,
    /// The weeks that held the response before, or that the document stood for.
    pub left: Vec<u32>,
    /// Documents that a later import changed in the fields that the correction replaces. The
    /// correction stays in force.
    pub overtaken: Vec<String>,
}

/// Returns the corrections in force, by series: those of one client, or of all.
///
/// # Errors
/// If the store cannot be read.
pub fn corrections(
    reading: &Reading<'_>,
    client: Option<&str>,
) -> Result<Vec<HeldCorrection>, StoreError> {
    let mut found: Vec<(StreamId, Series)> = Vec::new();
    let (rows, _) = reading.snapshot()?.rows::<PrecreatedView>()?;
    let wanted = client.map(|client| reading.identify(client)).transpose()?;
    views::each_series(&rows, &mut |stream, series: Series| {
        let is_wanted = wanted.as_ref().is_none_or(|identity| {
            stream.client().is_some_and(|client| identity.ids.iter().any(|id| id == client))
        });
        if is_wanted && series.corrections.iter().next().is_some() {
            found.push((stream, series));
        }
        Ok(())
    })?;
    let mut held = Vec::new();
    for (stream, series) in found {
        for corrected in series.corrections.iter() {
            let recorded = reading.store().log().event(corrected.id)?;
            let left = match recorded.as_ref().map(|recorded| &recorded.event) {
                Some(Event::ResponsePlaced(placement)) => {
                    placement.left.iter().map(|left| left.week).collect()
                }
                Some(Event::WeekNumberSet(setting)) => vec![setting.was()],
                _ => Vec::new(),
            };
            let is_number = corrected.corrected == Corrected::Number;
            held.push(HeldCorrection {
                correction: corrected.id,
                position: recorded.as_ref().map(|recorded| recorded.position),
                at: recorded.as_ref().map(|recorded| recorded.occurred_at),
                series: stream.to_string(),
                response: corrected.response.clone(),
                document: corrected.documents.first().filter(|_| is_number).cloned(),
                run: corrected.to.run,
                week: corrected.to.week,
                left,
                overtaken: corrected.overtaken.iter().cloned().collect(),
            });
        }
    }
    Ok(held)
}
