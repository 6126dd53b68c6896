//! The permissions that a request can need. `caller` decides who has them.

use rollbook_domain::StreamId;

/// A permission that a request needs. A client may be named by any id, known or not.
#[derive(Clone, Copy, Debug)]
pub enum Permission<'a> {
    /// To read the data of this client: check-ins, an assignment, an extension.
    CheckIns(&'a str),
    /// To act as this client: respond, mark a week as missed, ask for an extension or a reopening.
    AnswerFor(&'a str),
    /// To act as this client's coach: allocate, correct, pause, withdraw, reopen, give feedback.
    CoachOf {
        /// The client.
        client: &'a str,
        /// The coach that the request names, if any.
        coach: Option<&'a str>,
    },
    /// To list the assignments of this coach's clients.
    CoachList(&'a str),
    /// To evaluate the feature flag for this client.
    Flag(&'a str),
    /// To learn that an id is unknown.
    Absence,
    /// To read all events of the log, stored or live.
    AllEvents,
    /// To read the events of one stream, or the history of something in it.
    Stream(&'a StreamId),
    /// To read the history of a batch or an import, without personal data.
    BatchHistory,
    /// To plan, apply and validate migrations, and compare the views.
    Migrate,
    /// To read the switch.
    ReadSwitch,
    /// To put and read the documents of clients, coaches and forms.
    Documents,
    /// To change the switch.
    Switch,
    /// To read the status of the store.
    Status,
    /// To read the metrics.
    Metrics,
}
