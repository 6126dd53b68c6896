//! The grants of a caller whose token names no role, from the imported documents. The role in a
//! `users` document counts. A caller who is the identity of a client document is that client.

use rollbook_application::store::{Reading, StoreError};

use super::grant::Grant;
use super::scope::grants_of_roles;

/// The grants of a subject by the store's documents.
pub(super) fn grants_as_stored(
    reading: &Reading<'_>,
    subject: &str,
) -> Result<Vec<Grant>, StoreError> {
    let roles = reading.stored_roles(subject)?;
    if !roles.is_empty() {
        return Ok(grants_of_roles(&roles, subject));
    }
    let is_client = reading.identify(subject)?.document.is_some();
    Ok(if is_client { vec![Grant::Client(subject.to_owned())] } else { Vec::new() })
}
