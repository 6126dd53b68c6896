//! Any interleaving of commands, reopening, catching up and rebuilding ends in the rows that a
//! fresh fold of the same log gives; and a view as of a position is that of a store which ends
//! there.

use std::path::Path;

use proptest::prelude::*;
use rollbook_domain::event::{Audience, View};
use rollbook_domain::{Collection, Event, StreamId, Timestamp};
use rollbook_log::Log;
use rollbook_projections::directory::{self, Directory};
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::tree::Tree;
use rollbook_projections::{ProjectionName, Runtime, all, as_of};

use crate::commands::{self, Command, any_command, any_now};
use crate::support;

const CLIENTS: [&str; 2] = ["client-1", "client-2"];
const FORMS: [&str; 2] = ["form-1", "form-2"];
const VIEWS: [View; 2] = [View::Legacy, View::Precreated];

#[derive(Clone, Debug)]
enum Step {
    Command {
        client: usize,
        form: usize,
        command: Command,
        now: Timestamp,
    },
    /// A client document in one of several forms: which other identity it has, whether the lists
    /// are open.
    Client {
        client: usize,
        form: u8,
    },
    /// A coach with a new name.
    Coach(u8),
    /// Another view serves everybody, a part, or one client by document id.
    Switch {
        view: View,
        audience: Audience,
    },
    /// An import of nothing, which says what the old server's zone was.
    Zone(usize),
    Reopen,
    CatchUp,
    Rebuild(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0_usize..2, 0_usize..2, any_command(), any_now())
            .prop_map(|(client, form, command, now)| Step::Command { client, form, command, now }),
        2 => (0_usize..2, 0_u8..8).prop_map(|(client, form)| Step::Client { client, form }),
        1 => (0_u8..3).prop_map(Step::Coach),
        2 => (prop_oneof![Just(View::Legacy), Just(View::Precreated)], any_audience())
            .prop_map(|(view, audience)| Step::Switch { view, audience }),
        1 => (0_usize..2).prop_map(Step::Zone),
        1 => Just(Step::Reopen),
        2 => Just(Step::CatchUp),
        1 => (0_usize..6).prop_map(Step::Rebuild),
    ]
}

fn any_audience() -> impl Strategy<Value = Audience> {
    prop_oneof![
        1 => Just(Audience::Everyone),
        2 => (0_u8..=100).prop_map(Audience::Percent),
        2 => (0_usize..2).prop_map(|client| Audience::Clients(vec![CLIENTS[client].to_owned()])),
    ]
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(any_step(), 1..60)
}

/// A store that can be closed and opened again.
struct Store<'d> {
    directory: &'d Path,
    runtime: Option<Runtime>,
}

impl<'d> Store<'d> {
    fn open(directory: &'d Path) -> Self {
        Self { directory, runtime: Some(Runtime::new(support::open(directory), all())) }
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }

    fn log(&self) -> &Log {
        self.runtime().log()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Command { client, form, command, now } => {
                self.command(CLIENTS[*client], FORMS[*form], command, *now)
            }
            Step::Client { client, form } => self.client(CLIENTS[*client], *form),
            Step::Coach(name) => {
                let body = format!(r#"{{"profile":{{"firstName":"Coach","lastName":"{name}"}}}}"#);
                self.document(
                    &StreamId::Coach("coach-1".into()),
                    support::document(Collection::Coaches, "coach-1", &body),
                );
            }
            Step::Switch { view, audience } => {
                let event = Event::ViewSwitched {
                    view: *view,
                    audience: audience.clone(),
                    reason: "test".into(),
                    forced: true,
                };
                support::append(self.log(), vec![support::new_event(&StreamId::Control, event)]);
            }
            Step::Zone(zone) => {
                let legacy_timezone = ["UTC", "Europe/London"][*zone].to_owned();
                let event = Event::ImportCompleted {
                    digest: "test".into(),
                    legacy_timezone,
                    collections: vec![],
                    summary: None,
                };
                support::append(self.log(), vec![support::new_event(&StreamId::Control, event)]);
            }
            Step::Reopen => {
                self.runtime = None;
                *self = Self::open(self.directory);
            }
            Step::CatchUp => {
                support::catch_up(self.runtime());
            }
            Step::Rebuild(which) => {
                let name = self.runtime().names()[*which];
                let rebuilt = self.runtime().rebuild(name, &|_, _| {}).unwrap();
                assert!(rebuilt.identical, "{rebuilt:?}");
            }
        }
    }

    fn command(&self, client: &str, form: &str, command: &Command, now: Timestamp) {
        let stream = StreamId::series(client, form);
        let (series, version) = support::series(self.log(), &stream);
        let events = commands::events(command, &support::decider(client, form, &series, now));
        if !events.is_empty() {
            support::append_at(self.log(), &stream, version, events);
        }
    }

    fn client(&self, client: &str, form: u8) {
        // Also another client's id, or an identity that both have.
        let other = ["", "uid-both", "client-2", client][usize::from(form % 4)];
        let body = format!(
            r#"{{"authUid":"{other}","onboardingStatus":"{}"}}"#,
            if form < 6 { "completed" } else { "new" }
        );
        self.document(
            &StreamId::Client(client.into()),
            support::document(Collection::Clients, client, &body),
        );
    }

    fn document(&self, stream: &StreamId, document: rollbook_domain::Document) {
        let is_new = self.log().stream_version(stream).unwrap() == 0;
        let event = if is_new {
            Event::DocumentImported(document)
        } else {
            Event::DocumentChanged(document)
        };
        support::append(self.log(), vec![support::new_event(stream, event)]);
    }

    fn run(&mut self, history: &[Step]) {
        for client in 0..2 {
            self.step(&Step::Client { client, form: 1 });
        }
        history.iter().for_each(|step| self.step(step));
    }
}

/// Everybody there is or might be.
const ASKED: [&str; 4] = ["client-1", "client-2", "uid-both", "nobody"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_those_of_a_fresh_fold(history in history(), instants in proptest::collection::vec(any_now(), 3)) {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::open(directory.path());
        store.run(&history);
        support::catch_up(store.runtime());
        let (_elsewhere, fresh) = support::fresh(store.log(), all());
        for name in fresh.names().iter().copied() {
            // The tree is over stored bytes, and the copy has its own instants.
            if name != ProjectionName::of::<Tree>() {
                prop_assert_eq!(store.runtime().digest(name).unwrap(), fresh.digest(name).unwrap(), "{}", name);
            }
            prop_assert!(store.runtime().rebuild(name, &|_, _| {}).unwrap().identical, "{}", name);
        }
        for (view, client) in VIEWS.into_iter().flat_map(|view| ASKED.map(|client| (view, client))) {
            for now in &instants {
                prop_assert_eq!(support::view(store.runtime(), view, client, *now), support::view(&fresh, view, client, *now));
            }
        }
    }

    #[test]
    fn as_of_a_position_is_the_store_that_ends_there(history in history(), now in any_now(), part in 0_u64..=100) {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::open(directory.path());
        store.run(&history);
        let head = store.log().head();
        // Also inside a commit.
        let position = head * part / 100;
        let elsewhere = tempfile::tempdir().unwrap();
        let earlier = Runtime::new(support::copy_of(store.log(), elsewhere.path(), position), all());
        for (view, client) in VIEWS.into_iter().flat_map(|view| ASKED.map(|client| (view, client))) {
            let (rows, identity) = as_of::rows(store.runtime(), view, client, position).unwrap();
            let snapshot = earlier.snapshot().unwrap();
            let then = snapshot.view(view).unwrap().0;
            prop_assert_eq!(&identity, &directory::identify(&then.directory, client).unwrap());
            prop_assert_eq!(support::body(&rows, client, now), support::body(&then, client, now), "{:?} {} at {} of {}", view, client, position, head);
        }
        let snapshot = earlier.snapshot().unwrap();
        let control = tracker::control(&snapshot.rows::<Tracker>().unwrap().0).unwrap();
        prop_assert_eq!(&as_of::control(store.runtime(), position).unwrap().switch, &control.switch);
        for client in ASKED {
            let identity = directory::identify(&snapshot.rows::<Directory>().unwrap().0, client).unwrap();
            let served = control.switch.view_for(identity.canonical());
            prop_assert_eq!(as_of::live_view(store.runtime(), client, position).unwrap(), served, "{} at {} of {}", client, position, head);
        }
        let beyond = as_of::rows(store.runtime(), View::Legacy, "client-1", head + 1).unwrap_err();
        prop_assert_eq!(beyond.to_string(), format!("position {} is beyond the head of the log, {head}", head + 1));
    }
}
