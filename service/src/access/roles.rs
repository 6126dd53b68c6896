//! The grants of a caller whose token names no role, from the imported documents. The role in a
//! `users` document counts. A caller who is the identity of a client document is that client.

use rollbook_application::store::{Reading, StoreError};
use rollbook_domain::{Collection, Event};
use rollbook_projections::documents::{self, Documents};
use serde_json::Value;

use super::grant::Grant;
use super::scope::grants_of_roles;

/// The grants of a subject by the store's documents.
pub(super) fn grants_as_stored(
    reading: &Reading<'_>,
    subject: &str,
) -> Result<Vec<Grant>, StoreError> {
    let (rows, _) = reading.snapshot()?.rows::<Documents>()?;
    if let Some(row) = documents::find(&rows, Collection::Users, subject)?
        && let Some(recorded) = reading.store().log().at(row.position)?
        && let Event::DocumentImported(document) | Event::DocumentChanged(document) =
            &recorded.event
        && let Some(body) = document.body.expose()
        && let Ok(Value::Object(user)) = serde_json::from_str(body.as_str())
    {
        let said: Vec<&Value> = ["role", "roles"]
            .iter()
            .filter_map(|name| user.get(*name))
            .filter(|value| !value.is_null())
            .collect();
        if !said.is_empty() {
            return Ok(grants_of_roles(said, subject));
        }
    }
    let is_client = reading.identify(subject)?.document.is_some();
    Ok(if is_client { vec![Grant::Client(subject.to_owned())] } else { Vec::new() })
}
