//! Whatever is done to a week of the pre-created view behind everybody's back, the comparison says
//! so.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rollbook_domain::series::Series;
use rollbook_domain::status::Clock;
use rollbook_domain::{Event, Personal, StreamId, Timestamp};
use rollbook_migrations::parity::{ParityRules, compare_client};
use rollbook_projections::directory::identify;
use rollbook_projections::legacy;
use rollbook_projections::turning_points::turning_points;
use rollbook_projections::views::{each_series, legacy_rows, precreated_rows};

use super::rows::{Both, HOUR, event, later, of_fixture, rules_of};

/// One thing done to a stored week.
#[derive(Clone, Copy, Debug)]
enum Tampering {
    Due(i64),
    Drop,
    Score(u32),
    Missed,
    Granted,
    TotalWeeks,
    Answered,
    Unanswered,
    Document,
    OtherWeek,
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        (1_i64..90 * 24 * HOUR).prop_map(Tampering::Due),
        (-90 * 24 * HOUR..0).prop_map(Tampering::Due),
        Just(Tampering::Drop),
        (1_u32..100).prop_map(Tampering::Score),
        Just(Tampering::Missed),
        Just(Tampering::Granted),
        Just(Tampering::TotalWeeks),
        Just(Tampering::Answered),
        Just(Tampering::Unanswered),
        Just(Tampering::Document),
        Just(Tampering::OtherWeek),
    ]
}

fn apply(series: &mut Series, document: &str, tampering: Tampering) {
    let mut item = series.items.document(document).unwrap().clone();
    series.items.retain(|item| item.stored.document != document);
    let stored = &mut item.stored;
    match tampering {
        Tampering::Due(by) => {
            let due = stored.due.value().map(|due| later(*due, by));
            item.reschedule(due);
        }
        Tampering::Drop => return,
        Tampering::Score(score) => stored.score = Some((1000 + score).into()),
        Tampering::Missed => item.mark_missed(),
        Tampering::Granted => item.extend(),
        Tampering::TotalWeeks => item.set_total_weeks(53),
        Tampering::Answered => item.answer("nobody-gave-this", Some(Timestamp::EPOCH), None),
        Tampering::Unanswered => item.clear(),
        Tampering::Document => stored.document.push('x'),
        Tampering::OtherWeek => stored.stored_week = Some(stored.week() + 1000),
    }
    series.items.insert(item);
}

/// The weeks that the legacy view shows of a client at some instant, by form.
fn ever_shown(both: &Both, client: &str, rules: &ParityRules) -> BTreeSet<(String, u32)> {
    let identity = identify(&both.directory, client).unwrap();
    let (ours, theirs) = (
        legacy_rows(&both.directory, &both.legacy, &identity).unwrap(),
        precreated_rows(&both.precreated, &identity).unwrap(),
    );
    let shown = |now| {
        let answer = legacy::answer(&identity.ids, &ours, &Clock::new(now, rules.zone));
        answer
            .entries
            .iter()
            .map(|entry| (entry.stored.form.clone(), entry.week))
            .collect::<Vec<_>>()
    };
    turning_points(&ours, &theirs, rules.zone, rules.overdue_after_milliseconds)
        .into_iter()
        .flat_map(shown)
        .collect()
}

#[test]
fn a_tampered_row_is_always_caught() {
    let rules = rules_of("tracker");
    let both = of_fixture("tracker").migrate(&rules);
    let mut weeks: Vec<(StreamId, String)> = Vec::new();
    each_series(&both.precreated, &mut |stream, series: Series| {
        weeks.extend(
            series.items.shown().map(|item| (stream.clone(), item.stored.document.clone())),
        );
        Ok(())
    })
    .unwrap();
    let mut shown: BTreeMap<String, BTreeSet<(String, u32)>> = BTreeMap::new();
    for client in both.clients() {
        shown.insert(client.clone(), ever_shown(&both, &client, &rules));
    }
    let granted = |week| Event::ExtensionGranted {
        run: 1,
        week,
        reason: Personal::new("a good reason".to_owned()),
    };
    proptest!(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() }, |(at in 0..weeks.len(), tampering in tampering(), decided in any::<bool>())| {
        let (stream, document) = &weeks[at];
        let StreamId::Series { client, form } = stream else { panic!("{stream} is no series") };
        let before = both.series(stream);
        let week = before.items.document(document).unwrap().clone();
        prop_assume!(identify(&both.directory, client).unwrap().onboarded);
        let is_shown = shown[client].contains(&(form.clone(), week.week()));
        match tampering {
            // A week that the legacy view never shows leaves no difference behind; that it is there
            // is the check `weeks-complete`.
            Tampering::Drop | Tampering::OtherWeek => prop_assume!(is_shown),
            // What no list shows is no difference.
            Tampering::Missed => prop_assume!(!week.is_completed()),
            Tampering::Granted => prop_assume!(!decided && !week.stored.extension_granted),
            // Without its link, a week that was linked is as the legacy view shows it.
            Tampering::Unanswered => prop_assume!(week.stored.response_id().is_some_and(|id| !before.linked.contains_key(id))),
            _ => {}
        }
        let mut tampered = both.clone();
        if decided {
            // A decision on the same week explains what it causes, and no damage.
            tampered.decide(event(stream, granted(week.week())));
            prop_assert!(compare_client(tampered.rows(), &rules, client).unwrap().is_explained());
        }
        tampered.tamper(stream, |series| apply(series, document, tampering));
        let report = compare_client(tampered.rows(), &rules, client).unwrap();
        prop_assert!(!report.is_explained(), "{} week {} {:?} went through: {:?}", stream, week.week(), tampering, report.differences);
    });
}
