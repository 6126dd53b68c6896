//! What there is to be asked for. Owns the table of who may have it: a line a kind of grant, and what no line allows is denied.

use rollbook_domain::StreamId;

/// What a request asks for. Clients may be named by any id, known or not.
#[derive(Clone, Copy, Debug)]
pub enum Wants<'a> {
    /// To read what this client sees: check-ins, an assignment, an extension.
    CheckIns(&'a str),
    /// To act as this client does: answer, mark missed, ask for an extension or a reopening.
    AnswerFor(&'a str),
    /// To act as this client's coach: allocate, correct, pause, withdraw, reopen, give feedback.
    CoachOf {
        /// The client.
        client: &'a str,
        /// Whom the request calls the coach, where it does.
        coach: Option<&'a str>,
    },
    /// The list of what this coach's clients have.
    CoachList(&'a str),
    /// To evaluate the flag that tells which view serves this client.
    Flag(&'a str),
    /// To be told that nothing has the id that was asked for.
    Absence,
    /// The events of the whole log, now or live.
    AllEvents,
    /// The events of one stream, or the history of something in it.
    Stream(&'a StreamId),
    /// The history of a batch or an import, with what is personal taken out.
    BatchHistory,
    /// To plan, apply and validate migrations, and compare the views.
    Migrate,
    /// To see which view serves whom.
    ReadSwitch,
    /// To change which view serves whom.
    Switch,
    /// How the store is.
    Status,
    /// The service's figures.
    Metrics,
}
