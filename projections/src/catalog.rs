//! The list of all projections of a store, and the parser of their names.

use std::str::FromStr;

use crate::directory::Directory;
use crate::documents::Documents;
use crate::error::ProjectionError;
use crate::names::Names;
use crate::projection::{DynProjection, ProjectionName};
use crate::tracker::Tracker;
use crate::tree::Tree;
use crate::views::{LegacyView, PrecreatedView};

/// Every projection of a store, in the order in which they are folded.
pub fn all() -> Vec<Box<dyn DynProjection>> {
    vec![
        Box::new(Directory),
        Box::new(LegacyView),
        Box::new(PrecreatedView),
        Box::new(Documents),
        Box::new(Names),
        Box::new(Tracker),
        Box::new(Tree),
    ]
}

impl FromStr for ProjectionName {
    type Err = ProjectionError;

    /// Finds the projection with this name among [`all`].
    fn from_str(text: &str) -> Result<Self, ProjectionError> {
        let mut known = all().into_iter().map(|projection| projection.name());
        known.find(|name| name.as_str() == text).ok_or_else(|| {
            let known: Vec<&str> =
                all().iter().map(|projection| projection.name().as_str()).collect();
            ProjectionError::Unknown { name: text.to_owned(), known: known.join(", ") }
        })
    }
}
