//! The report on the stored document of a client, a coach or a form.

use rollbook_domain::{JsonText, Position};
use serde::{Deserialize, Serialize};

use crate::operations::DocumentKind;
use crate::store::{Reading, StoreError, StoredDocument};

/// A document as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentReport {
    /// The kind of the document.
    pub kind: DocumentKind,
    /// Its id.
    pub id: String,
    /// The position of the event that holds it.
    pub position: Position,
    /// The document.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
    pub document: JsonText,
}

/// Returns a stored document. A client may be named by any id.
///
/// # Errors
/// [`StoreError::UnknownClient`], [`StoreError::UnknownCoach`] or [`StoreError::UnknownForm`] if
/// there is none; if the client was erased, or the store cannot be read.
pub fn document(
    reading: &Reading<'_>,
    kind: DocumentKind,
    id: &str,
) -> Result<DocumentReport, StoreError> {
    let id = match kind {
        DocumentKind::Client => reading.client(id)?,
        DocumentKind::Coach | DocumentKind::Form => id.to_owned(),
    };
    let stored = reading.stored_document(kind.collection(), &id)?;
    let Some(StoredDocument { position, body }) = stored else {
        return Err(match kind {
            DocumentKind::Client => StoreError::UnknownClient(id),
            DocumentKind::Coach => StoreError::UnknownCoach(id),
            DocumentKind::Form => StoreError::UnknownForm(id),
        });
    };
    Ok(DocumentReport { kind, id, position, document: body })
}
