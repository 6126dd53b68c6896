//! The fields of one document: values of another type, or beyond reason.

use rollbook_domain::document::{Oddity, oddities};
use rollbook_domain::{Document, StreamId};

use super::{Finding, FindingKind, Findings};

/// Adds a finding for each field that is read as something else than was written.
pub(super) fn check(stream: &StreamId, document: &Document, found: &mut Findings) {
    let Some(body) = document.body.expose() else { return };
    let (client, form) = match stream {
        StreamId::Series { client, form } => (client.clone(), Some(form.clone())),
        StreamId::Client(client) => (client.clone(), None),
        StreamId::Coach(_) | StreamId::Form(_) | StreamId::Control => (String::new(), None),
    };
    for (field, oddity) in oddities(document.collection, body) {
        let kind = match oddity {
            Oddity::OtherType => FindingKind::FieldOfOtherType,
            Oddity::BeyondReason => FindingKind::FieldBeyondReason,
        };
        let finding = Finding {
            client: client.clone(),
            form: form.clone(),
            week: None,
            documents: vec![document.id.clone()],
            field: Some(format!("{}.{field}", document.collection.name())),
            resolve: None,
        };
        found.add(kind, finding);
    }
}
