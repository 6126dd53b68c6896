//! What names on the command line mean: a series by its name or by client and form, forms and coaches. Owns that a command never
//! invents a form or a coach by a slip of the keyboard; clients are the store's.

use clap::Args;
use rollbook_domain::event::View;
use rollbook_domain::{Collection, Event, JsonText, StreamId};
use rollbook_projections::directory;
use serde::Deserialize;

use crate::error::StoreError;
use crate::store::Store;

/// A series, by its stream's name or by client and form.
#[derive(Debug, Args)]
pub(super) struct SeriesName {
    /// The series: series/<client>/<form>.
    #[arg(value_name = "SERIES", required_unless_present = "client", conflicts_with_all = ["client", "form"])]
    pub(super) series: Option<String>,
    /// The client, by any id.
    #[arg(long, value_name = "ID", requires = "form")]
    pub(super) client: Option<String>,
    /// The form.
    #[arg(long, value_name = "ID", requires = "client")]
    pub(super) form: Option<String>,
}

impl SeriesName {
    /// The stream of the series.
    ///
    /// # Errors
    /// When there is no such series.
    pub(super) fn resolve(&self, store: &Store) -> Result<StreamId, StoreError> {
        match (&self.series, &self.client, &self.form) {
            (Some(name), _, _) => store.series_named(name),
            (None, Some(client), Some(form)) => store.series_of(client, form),
            // clap asks for one or the other.
            _ => Err(StoreError::Usage("name the series, or its --client and --form".to_owned())),
        }
    }
}

/// A form's document, as last imported.
///
/// # Errors
/// [`StoreError::UnknownForm`] when there is none.
pub(super) fn form(store: &Store, id: &str) -> Result<JsonText, StoreError> {
    let mut held = None;
    for recorded in store.log().stream(&StreamId::Form(id.to_owned()), 0)? {
        match recorded.event {
            Event::DocumentImported(document) | Event::DocumentChanged(document) if document.collection == Collection::Forms => {
                held = document.body.into_inner();
            }
            Event::DocumentRemoved { collection: Collection::Forms, .. } => held = None,
            _ => {}
        }
    }
    held.ok_or_else(|| StoreError::UnknownForm(id.to_owned()))
}

/// A form's title; empty when its document has none.
pub(super) fn form_title(form: &JsonText) -> String {
    #[derive(Default, Deserialize)]
    struct Titled {
        #[serde(default)]
        title: Option<serde_json::Value>,
    }
    let titled: Titled = form.read().unwrap_or_default();
    titled.title.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

/// Checks that a coach is known.
///
/// # Errors
/// [`StoreError::UnknownCoach`] when no coach document has the id.
pub(super) fn coach(store: &Store, id: &str) -> Result<(), StoreError> {
    let snapshot = store.snapshot()?;
    let (rows, _) = snapshot.of(View::Legacy.name())?;
    match directory::coach(&rows, id)? {
        Some(_name) => Ok(()),
        None => Err(StoreError::UnknownCoach(id.to_owned())),
    }
}
