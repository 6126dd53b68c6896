//! The check that no response is hidden: every response that was given is in a view of its client,
//! or a record says why it is in none.

use std::collections::{BTreeSet, HashSet};

use rollbook_domain::status::Clock;
use rollbook_domain::{EventRecord, Position, StreamId, Timestamp};
use rollbook_log::Log;
use rollbook_projections::directory::{self, Directory, Identity};
use rollbook_projections::entry::Answer;
use rollbook_projections::views::{self, LegacyView, PrecreatedView};
use rollbook_projections::{ProjectionError, Snapshot, legacy, precreated};

use super::finding::{Checked, Found};
use crate::error::MigrationError;
use crate::hidden::{HiddenResponse, Trail, given_by};
use crate::parallel;

/// The responses that the views show, and the series with others.
pub(super) struct Responses {
    shown: HashSet<String>,
    suspects: BTreeSet<StreamId>,
}

impl Responses {
    /// Reads both views of every client at one instant. Whether a client is onboarded does not
    /// count: a response does not disappear with the list.
    pub(super) fn shown(snapshot: &Snapshot, now: Timestamp) -> Result<Self, MigrationError> {
        let (known, _) = snapshot.rows::<Directory>()?;
        let (old, _) = snapshot.rows::<LegacyView>()?;
        let (new, _) = snapshot.rows::<PrecreatedView>()?;
        let clock = Clock::new(now, directory::zone(&known)?);
        let mut clients: Vec<String> = Vec::new();
        views::each_stream(&new, &mut |stream| {
            if let StreamId::Series { client, .. } = stream
                && clients.last() != Some(&client)
            {
                clients.push(client);
            }
        })?;
        let parts = parallel::fold(&clients, |shown: &mut HashSet<String>, client| {
            let identity: Identity = directory::identify(&known, client)?;
            let rows = views::legacy_rows(&known, &old, &identity)?;
            collect(&legacy::answer(&identity.ids, &rows, &clock), shown);
            let rows = views::precreated_rows(&new, &identity)?;
            collect(&precreated::answer(&rows, &clock), shown);
            Ok::<_, ProjectionError>(())
        })?;
        let shown = parts.into_iter().flatten().collect();
        Ok(Self { shown, suspects: BTreeSet::new() })
    }

    /// Looks at one event of the log.
    pub(super) fn see(&mut self, recorded: &EventRecord) {
        if given_by(&recorded.event).is_some_and(|(given, ..)| !self.shown.contains(given)) {
            self.suspects.insert(recorded.stream.clone());
        }
    }

    /// The check, after every event was seen.
    pub(super) fn check(&self, log: &Log, at: Position) -> Result<Checked, MigrationError> {
        let (mut findings, mut told) = (Vec::new(), 0);
        for stream in &self.suspects {
            let mut trail = Trail::default();
            for recorded in log.stream_until(stream, 0, at)? {
                trail.follow(stream, recorded.position, &recorded.event);
            }
            let hidden = trail.hidden(|response| self.shown.contains(response));
            let out_of_view = trail.given().filter(|given| !self.shown.contains(*given)).count();
            told += out_of_view - hidden.len();
            findings.extend(hidden.iter().map(|hidden| finding(stream, hidden)));
        }
        let detail = format!(
            "{} responses in a view, {told} in none with a record that says why",
            self.shown.len()
        );
        Ok(Checked::new("no-response-hidden", detail, findings))
    }
}

fn collect(answer: &Answer<'_>, shown: &mut HashSet<String>) {
    for id in answer.entries.iter().filter_map(|entry| entry.response.value().copied()) {
        // Most responses are in both views.
        if !id.is_empty() && !shown.contains(id) {
            shown.insert(id.to_owned());
        }
    }
}

fn finding(stream: &StreamId, hidden: &HiddenResponse) -> Found {
    let HiddenResponse { response, run, week, position, event, holder } = hidden;
    let (client, form) = match stream {
        StreamId::Series { client, form } => (client.as_str(), form.as_str()),
        _ => ("", ""),
    };
    let about =
        format!("response {response} of client {client}, form {form}, run {run}, week {week}");
    let instead = holder.as_ref().map(|other| format!("; response {other} holds the week"));
    let instead = instead.unwrap_or_default();
    Found {
        text: format!(
            "{about} is in no view since position {position} ({event}), and no record says why{instead}"
        ),
        facts: format!("{about}, {event}{instead}"),
        about,
    }
}
