//! The permissions of callers in a store: every grant against every permission, and ids that could
//! be mistaken for another client's.

use rollbook_application::store::Store;
use rollbook_domain::{
    Actor, Collection, Document, Event, JsonText, NewEvent, Personal, StreamId, Timestamp,
};
use rollbook_log::Commit;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::*;

/// A store with these documents.
fn store(documents: &[(Collection, &str, Value)]) -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), true).unwrap();
    let event = |(ordinal, (collection, id, body)): (u32, &(Collection, &str, Value))| {
        let stream = match collection {
            Collection::Coaches => StreamId::Coach((*id).to_owned()),
            _ => StreamId::Client((*id).to_owned()),
        };
        let body = Personal::new(JsonText::from_value(body));
        let document = Document::new(*collection, (*id).to_owned(), ordinal, body);
        NewEvent {
            stream,
            id: None,
            occurred_at: Timestamp::EPOCH,
            event: Event::DocumentImported(document),
        }
    };
    let events = (0..).zip(documents).map(event).collect();
    let commit = Commit {
        events,
        expected: Vec::new(),
        actor: Actor::System("test".to_owned()),
        cause: "test".to_owned(),
        key: None,
    };
    store.log().append(commit).unwrap();
    (directory, store)
}

/// Two clients of two coaches; two more that share an `authUid`; accounts of every kind.
fn town() -> (TempDir, Store) {
    use Collection::{Clients, Users};
    store(&[
        (Clients, "ada", json!({"authUid": "uid-ada", "coachId": "robin"})),
        (Clients, "ben", json!({"authUid": "uid-ben", "coachId": "sam"})),
        (Clients, "twin-1", json!({"authUid": "shared", "coachId": "robin"})),
        (Clients, "twin-2", json!({"authUid": "shared", "coachId": "sam"})),
        (Clients, "lone", json!({"coachId": ""})),
        (Users, "uid-ben", json!({"role": "client"})),
        (Users, "robin", json!({"role": "coach"})),
        (Users, "boss", json!({"roles": ["admin"]})),
        (Users, "ops", json!({"role": "operator"})),
        (Users, "ada", json!({"role": 7})),
        (Users, "nobody", json!({"email": "nobody@example.com"})),
    ])
}

fn holding(grants: &[Grant]) -> Caller {
    Caller::holding("the caller".to_owned(), grants.iter().cloned())
}

fn client(id: &str) -> Caller {
    holding(&[Grant::Client(id.to_owned())])
}

fn coach(id: &str) -> Caller {
    holding(&[Grant::Coach(id.to_owned())])
}

#[track_caller]
fn may(store: &Store, caller: &Caller, permission: Permission<'_>) -> Option<Actor> {
    match caller.authorize(store, permission) {
        Ok(actor) => Some(actor),
        Err(AccessDenied::Forbidden) => None,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_grant_allows_what_the_table_says_and_nothing_else() {
    let (_directory, store) = town();
    let (of_ada, of_ben, of_nobody) = (
        StreamId::series("ada", "f"),
        StreamId::series("ben", "f"),
        StreamId::series("no one", "f"),
    );
    let (ada, control, form) =
        (StreamId::Client("ada".to_owned()), StreamId::Control, StreamId::Form("f".to_owned()));
    let coach_of = |client, coach| Permission::CoachOf { client, coach };
    let permission = [
        ("check-ins own", Permission::CheckIns("ada")),
        ("check-ins other's", Permission::CheckIns("ben")),
        ("check-ins unknown", Permission::CheckIns("no one")),
        ("answer own", Permission::AnswerFor("ada")),
        ("answer other's", Permission::AnswerFor("ben")),
        ("answer unknown", Permission::AnswerFor("no one")),
        ("coach own", coach_of("ada", None)),
        ("coach own as oneself", coach_of("ada", Some("robin"))),
        ("coach own as another", coach_of("ada", Some("sam"))),
        ("coach other's", coach_of("ben", None)),
        ("coach other's as oneself", coach_of("ben", Some("robin"))),
        ("coach unknown", coach_of("no one", None)),
        ("list of oneself", Permission::CoachList("robin")),
        ("list of another", Permission::CoachList("sam")),
        ("flag own", Permission::Flag("ada")),
        ("flag other's", Permission::Flag("ben")),
        ("flag unknown", Permission::Flag("no one")),
        ("absence", Permission::Absence),
        ("all events", Permission::AllEvents),
        ("series own", Permission::Stream(&of_ada)),
        ("series other's", Permission::Stream(&of_ben)),
        ("series unknown", Permission::Stream(&of_nobody)),
        ("client stream own", Permission::Stream(&ada)),
        ("form stream", Permission::Stream(&form)),
        ("control stream", Permission::Stream(&control)),
        ("batch history", Permission::BatchHistory),
        ("migrate", Permission::Migrate),
        ("read switch", Permission::ReadSwitch),
        ("switch", Permission::Switch),
        ("status", Permission::Status),
        ("metrics", Permission::Metrics),
    ];
    let allowed = |grant: Grant| -> Vec<&str> {
        let caller = holding(&[grant]);
        permission
            .iter()
            .filter(|(_, permission)| may(&store, &caller, *permission).is_some())
            .map(|(name, _)| *name)
            .collect()
    };
    assert_eq!(
        allowed(Grant::Client("uid-ada".to_owned())),
        ["check-ins own", "answer own", "flag own"]
    );
    assert_eq!(
        allowed(Grant::Coach("robin".to_owned())),
        [
            "check-ins own",
            "answer own",
            "coach own",
            "coach own as oneself",
            "list of oneself",
            "flag own",
            "series own",
            "client stream own"
        ]
    );
    assert_eq!(allowed(Grant::Metrics), ["metrics"]);
    let flags = ["flag own", "flag other's", "flag unknown"];
    assert_eq!(allowed(Grant::Status), [&flags[..], &["read switch", "status"]].concat());
    assert_eq!(allowed(Grant::Switch), [&flags[..], &["read switch", "switch"]].concat());
    assert_eq!(
        allowed(Grant::Migrations),
        ["control stream", "batch history", "migrate", "status"]
    );
    assert_eq!(allowed(Grant::Admin).len(), permission.len());
    assert!(
        permission.iter().all(|(_, permission)| may(&store, &holding(&[]), *permission).is_none())
    );
}

#[test]
fn a_client_is_known_by_every_identity_and_acts_under_one() {
    let (_directory, store) = town();
    for own in ["ada", "uid-ada"] {
        for asked in ["ada", "uid-ada"] {
            assert_eq!(
                may(&store, &client(own), Permission::AnswerFor(asked)),
                Some(Actor::Client("ada".to_owned()))
            );
        }
        for other in ["ben", "uid-ben", "", "ada ", "Ada", "ada\0", "ada/", "robin", "*"] {
            assert_eq!(
                may(&store, &client(own), Permission::CheckIns(other)),
                None,
                "{own} asks for {other:?}"
            );
        }
        assert_eq!(client(own).sees(&store).unwrap(), Visible::Clients(["ada".to_owned()].into()));
    }
    // Who is not known yet has what is theirs: nothing.
    assert_eq!(
        may(&store, &client("new"), Permission::CheckIns("new")),
        Some(Actor::Client("new".to_owned()))
    );
}

#[test]
fn an_identity_that_two_documents_share_is_the_first_ones() {
    let (_directory, store) = town();
    // Asked for by the shared id, the answer is the first twin's: so it is no answer for the
    // second.
    assert!(may(&store, &client("shared"), Permission::CheckIns("twin-1")).is_some());
    assert!(may(&store, &client("shared"), Permission::CheckIns("twin-2")).is_none());
    assert!(may(&store, &client("twin-2"), Permission::CheckIns("twin-2")).is_some());
    assert!(may(&store, &client("twin-2"), Permission::CheckIns("shared")).is_none());
    assert!(may(&store, &client("twin-2"), Permission::CheckIns("twin-1")).is_none());
    assert!(may(&store, &coach("robin"), Permission::CheckIns("shared")).is_some());
    assert!(may(&store, &coach("sam"), Permission::CheckIns("shared")).is_none());
}

#[test]
fn a_coach_has_their_clients_and_acts_in_no_other_name() {
    let (_directory, store) = town();
    assert_eq!(
        may(&store, &coach("robin"), Permission::AnswerFor("uid-ada")),
        Some(Actor::Coach("robin".to_owned()))
    );
    assert_eq!(
        coach("robin").sees(&store).unwrap(),
        Visible::Clients(["ada".to_owned(), "twin-1".to_owned()].into())
    );
    // A client without a coach has none, also not one without an id.
    assert!(may(&store, &coach(""), Permission::CheckIns("lone")).is_none());
    assert_eq!(holding(&[Grant::Admin]).sees(&store).unwrap(), Visible::All);
    assert_eq!(holding(&[Grant::Migrations]).sees(&store).unwrap(), Visible::Clients([].into()));
}

#[test]
fn the_narrowest_grant_names_who_acted() {
    let (_directory, store) = town();
    let all =
        holding(&[Grant::Admin, Grant::Coach("robin".to_owned()), Grant::Client("ada".to_owned())]);
    assert_eq!(
        may(&store, &all, Permission::AnswerFor("ada")),
        Some(Actor::Client("ada".to_owned()))
    );
    assert_eq!(
        may(&store, &all, Permission::AnswerFor("twin-1")),
        Some(Actor::Coach("robin".to_owned()))
    );
    assert_eq!(
        may(&store, &all, Permission::AnswerFor("ben")),
        Some(Actor::Admin("the caller".to_owned()))
    );
}

#[test]
fn who_says_nothing_of_themselves_is_who_the_documents_say() {
    let (_directory, store) = town();
    let stored = |id: &str| Caller::as_stored(id.to_owned());
    assert!(may(&store, &stored("robin"), Permission::CheckIns("ada")).is_some());
    assert!(may(&store, &stored("robin"), Permission::CheckIns("ben")).is_none());
    assert!(may(&store, &stored("boss"), Permission::AllEvents).is_some());
    assert!(may(&store, &stored("ops"), Permission::Migrate).is_some());
    assert!(may(&store, &stored("ops"), Permission::CheckIns("ada")).is_none());
    assert_eq!(
        may(&store, &stored("uid-ben"), Permission::CheckIns("ben")),
        Some(Actor::Client("ben".to_owned()))
    );
    // No account says who this is, but a client document does.
    assert_eq!(
        may(&store, &stored("uid-ada"), Permission::CheckIns("ada")),
        Some(Actor::Client("ada".to_owned()))
    );
    // An account that says nothing one can understand is no client either.
    assert!(may(&store, &stored("ada"), Permission::CheckIns("ada")).is_none());
    for nobody in ["nobody", "sam", "no one", ""] {
        for permission in [
            Permission::CheckIns("ada"),
            Permission::CheckIns(nobody),
            Permission::Status,
            Permission::AllEvents,
        ] {
            assert!(
                may(&store, &stored(nobody), permission).is_none(),
                "{nobody:?} permission {permission:?}"
            );
        }
    }
}
