//! The terms of a run: the fields that all its weeks share.
//!
//! The terms are kept in memory once for all weeks of a run, both in the events that create the
//! weeks and in the created weeks.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::document::SharedFields;
use crate::json::JsonText;
use crate::limits::cap_weeks;
use crate::time::Timestamp;

/// The fields that every week of a run shares. They come from the base of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The client id that the old application would have stored: one of the client's identities.
    pub stored_client: String,
    /// The coach's id; empty if unknown.
    pub coach: String,
    /// The form's title; may be empty.
    pub title: String,
    /// The description; may be empty.
    pub description: String,
    /// Who assigned it: a coach's id or a name; lists show `None` as `Coach`.
    pub assigned_by: Option<String>,
    /// When it was assigned.
    pub assigned_at: Option<Timestamp>,
    /// The check-in window as stored; `None` if unset.
    pub window: Option<JsonText>,
    /// Whether the form recurs weekly.
    pub recurring: bool,
    /// The number of weeks in the run.
    pub total_weeks: u32,
}

/// The terms of a run, shared by the events that create its weeks. Cloning is cheap, and comparing
/// two clones compares only pointers.
#[derive(Clone, Debug)]
pub struct RunTerms(Arc<CachedTerms>);

#[derive(Debug)]
struct CachedTerms {
    terms: Terms,
    /// The shared fields of the weeks, cached when the first week is created. Equality ignores
    /// them.
    fields: OnceLock<Arc<SharedFields>>,
}

impl RunTerms {
    /// Returns the shared fields of a week of this form: those of the week `near` it if they are
    /// equal, otherwise fields that are created once for all weeks.
    pub fn fields(&self, form: &str, near: Option<&Arc<SharedFields>>) -> Arc<SharedFields> {
        let held =
            self.0.fields.get_or_init(|| match near.filter(|near| agree(near, form, self)) {
                Some(near) => near.clone(),
                None => Arc::new(shared_fields(form, self)),
            });
        // The terms of an event belong to one form, but a caller may pass another form.
        if held.form == form { held.clone() } else { Arc::new(shared_fields(form, self)) }
    }
}

impl From<Terms> for RunTerms {
    fn from(terms: Terms) -> Self {
        Self(Arc::new(CachedTerms { terms, fields: OnceLock::new() }))
    }
}

impl Deref for RunTerms {
    type Target = Terms;

    fn deref(&self) -> &Terms {
        &self.0.terms
    }
}

impl PartialEq for RunTerms {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl Eq for RunTerms {}

impl Serialize for RunTerms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RunTerms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Terms::deserialize(deserializer).map(Self::from)
    }
}

fn shared_fields(form: &str, terms: &Terms) -> SharedFields {
    SharedFields {
        client: terms.stored_client.clone(),
        coach: terms.coach.clone(),
        form: form.to_owned(),
        title: terms.title.clone(),
        description: terms.description.clone(),
        assigned_by: terms.assigned_by.clone().unwrap_or_default(),
        assigned_at: terms.assigned_at,
        recurring: terms.recurring,
        total_weeks: cap_weeks(terms.total_weeks),
        window: terms.window.clone(),
    }
}

fn agree(shared: &SharedFields, form: &str, terms: &Terms) -> bool {
    let Terms {
        stored_client,
        coach,
        title,
        description,
        assigned_by,
        assigned_at,
        window,
        recurring,
        total_weeks,
    } = terms;
    shared.form == form
        && shared.client == *stored_client
        && shared.coach == *coach
        && shared.title == *title
        && shared.description == *description
        && shared.assigned_by == assigned_by.as_deref().unwrap_or_default()
        && shared.assigned_at == *assigned_at
        && shared.recurring == *recurring
        && shared.total_weeks == cap_weeks(*total_weeks)
        && shared.window == *window
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(title: &str) -> RunTerms {
        let (stored_client, coach, title, description) =
            ("c-1".into(), "k-1".into(), title.into(), String::new());
        let (assigned_by, assigned_at, window) = (None, None, None);
        Terms {
            stored_client,
            coach,
            title,
            description,
            assigned_by,
            assigned_at,
            window,
            recurring: true,
            total_weeks: 4,
        }
        .into()
    }

    #[test]
    fn all_weeks_of_a_run_hold_the_same_fields() {
        let made = terms("Weekly");
        let first = made.fields("f-1", None);
        assert_eq!(
            (first.title.as_str(), first.client.as_str(), first.form.as_str()),
            ("Weekly", "c-1", "f-1")
        );
        assert!(Arc::ptr_eq(&first, &made.clone().fields("f-1", None)));
        assert_eq!(made.fields("f-2", None).form, "f-2");
    }

    #[test]
    fn a_week_near_by_lends_its_fields_only_where_they_agree() {
        let near = terms("Weekly").fields("f-1", None);
        assert!(Arc::ptr_eq(&near, &terms("Weekly").fields("f-1", Some(&near))));
        assert_eq!(terms("Monthly").fields("f-1", Some(&near)).title, "Monthly");
        assert_eq!(terms("Weekly").fields("f-2", Some(&near)).form, "f-2");
    }

    #[test]
    fn terms_are_equal_by_what_they_say() {
        let read = terms("Weekly");
        let _made = read.fields("f-1", None);
        assert_eq!(read, terms("Weekly"));
        assert_ne!(read, terms("Monthly"));
        assert_eq!(
            serde_json::from_str::<RunTerms>(&serde_json::to_string(&read).unwrap()).unwrap(),
            read
        );
    }
}
