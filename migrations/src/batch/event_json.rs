//! The JSON of the events that a batch may contain. `wire` says why it is apart from the domain.

use std::borrow::Cow;

use rollbook_domain::event::{LinkKind, NumberSetting, Origin, RunTerms, Terms};
use rollbook_domain::{Event, JsonText, Number, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The events that a batch may contain.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub(super) enum EventJson<'a> {
    AssignmentCreated {
        assignment: Uuid,
        run: u32,
        week: u32,
        due: Timestamp,
        origin: OriginJson,
        terms: TermsJson<'a>,
    },
    ResponseLinked {
        response: Cow<'a, str>,
        run: u32,
        week: u32,
        named: Cow<'a, str>,
        kind: LinkJson,
        completed_at: Option<Timestamp>,
        score: Option<Number>,
    },
    AssignmentRescheduled {
        run: u32,
        week: u32,
        due: Timestamp,
    },
    WindowChanged {
        run: u32,
        week: u32,
        window: Option<Cow<'a, JsonText>>,
    },
    WeekNumberSet {
        document: Cow<'a, str>,
        run: u32,
        from: Option<u32>,
        week: Option<u32>,
        replaces: Option<Uuid>,
        restores: bool,
    },
}

/// A batch creates weeks for one reason only.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OriginJson {
    Migration,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LinkJson {
    Linked,
    Adopted,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TermsJson<'a> {
    stored_client: Cow<'a, str>,
    coach: Cow<'a, str>,
    title: Cow<'a, str>,
    description: Cow<'a, str>,
    assigned_by: Option<Cow<'a, str>>,
    assigned_at: Option<Timestamp>,
    window: Option<Cow<'a, JsonText>>,
    recurring: bool,
    total_weeks: u32,
}

impl<'a> EventJson<'a> {
    /// The JSON of an event; `None` for an event that a batch cannot contain.
    pub(super) fn of(event: &'a Event) -> Option<Self> {
        Some(match event {
            Event::AssignmentCreated {
                assignment,
                run,
                week,
                due,
                origin: Origin::Migration,
                terms,
            } => EventJson::AssignmentCreated {
                assignment: *assignment,
                run: *run,
                week: *week,
                due: *due,
                origin: OriginJson::Migration,
                terms: terms.into(),
            },
            Event::ResponseLinked { response, run, week, named, kind, completed_at, score } => {
                EventJson::ResponseLinked {
                    response: Cow::Borrowed(response),
                    run: *run,
                    week: *week,
                    named: Cow::Borrowed(named),
                    kind: match kind {
                        LinkKind::Linked => LinkJson::Linked,
                        LinkKind::Adopted => LinkJson::Adopted,
                    },
                    completed_at: *completed_at,
                    score: *score,
                }
            }
            Event::AssignmentRescheduled { run, week, due } => {
                EventJson::AssignmentRescheduled { run: *run, week: *week, due: *due }
            }
            Event::WindowChanged { run, week, window } => EventJson::WindowChanged {
                run: *run,
                week: *week,
                window: window.as_ref().map(Cow::Borrowed),
            },
            // A batch carries no personal content: a correction with its reason is none of its.
            Event::WeekNumberSet(NumberSetting {
                correction: None,
                document,
                run,
                from,
                week,
                replaces,
                restores,
                reason: None,
            }) => EventJson::WeekNumberSet {
                document: Cow::Borrowed(document),
                run: *run,
                from: *from,
                week: *week,
                replaces: *replaces,
                restores: *restores,
            },
            _ => return None,
        })
    }
}

impl From<EventJson<'_>> for Event {
    fn from(event: EventJson<'_>) -> Self {
        match event {
            EventJson::AssignmentCreated { assignment, run, week, due, origin, terms } => {
                let OriginJson::Migration = origin;
                Event::AssignmentCreated {
                    assignment,
                    run,
                    week,
                    due,
                    origin: Origin::Migration,
                    terms: Terms::from(terms).into(),
                }
            }
            EventJson::ResponseLinked { response, run, week, named, kind, completed_at, score } => {
                Event::ResponseLinked {
                    response: response.into_owned(),
                    run,
                    week,
                    named: named.into_owned(),
                    kind: match kind {
                        LinkJson::Linked => LinkKind::Linked,
                        LinkJson::Adopted => LinkKind::Adopted,
                    },
                    completed_at,
                    score,
                }
            }
            EventJson::AssignmentRescheduled { run, week, due } => {
                Event::AssignmentRescheduled { run, week, due }
            }
            EventJson::WindowChanged { run, week, window } => {
                Event::WindowChanged { run, week, window: window.map(Cow::into_owned) }
            }
            EventJson::WeekNumberSet { document, run, from, week, replaces, restores } => {
                Event::WeekNumberSet(NumberSetting {
                    correction: None,
                    document: document.into_owned(),
                    run,
                    from,
                    week,
                    replaces,
                    restores,
                    reason: None,
                })
            }
        }
    }
}

impl<'a> From<&'a RunTerms> for TermsJson<'a> {
    fn from(terms: &'a RunTerms) -> Self {
        Self {
            stored_client: Cow::Borrowed(&terms.stored_client),
            coach: Cow::Borrowed(&terms.coach),
            title: Cow::Borrowed(&terms.title),
            description: Cow::Borrowed(&terms.description),
            assigned_by: terms.assigned_by.as_deref().map(Cow::Borrowed),
            assigned_at: terms.assigned_at,
            window: terms.window.as_ref().map(Cow::Borrowed),
            recurring: terms.recurring,
            total_weeks: terms.total_weeks,
        }
    }
}

impl From<TermsJson<'_>> for Terms {
    fn from(terms: TermsJson<'_>) -> Self {
        Self {
            stored_client: terms.stored_client.into_owned(),
            coach: terms.coach.into_owned(),
            title: terms.title.into_owned(),
            description: terms.description.into_owned(),
            assigned_by: terms.assigned_by.map(Cow::into_owned),
            assigned_at: terms.assigned_at,
            window: terms.window.map(Cow::into_owned),
            recurring: terms.recurring,
            total_weeks: terms.total_weeks,
        }
    }
}
