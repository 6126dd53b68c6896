//! Both views compared at every instant: the fixtures, each class with its cause and without it,
//! and rows that were tampered with.

mod classes;
mod decisions;
mod rows;
mod tampering;
mod turning_points;

use std::collections::BTreeSet;

use rollbook_migrations::parity::{ParityReport, ParityRules, compare, compare_client};

use self::rows::{figures, of_fixture, rules_of};

#[test]
fn every_difference_of_the_fixtures_has_its_class_but_for_bases_without_a_due_date() {
    type Figures = &'static [(&'static str, u64)];
    let expected: [(&str, Figures, u64); 4] = [
        (
            "tracker",
            &[
                ("week-id", 711),
                ("gap-week", 691),
                ("form-collision", 12),
                ("late-link", 2),
                ("summary", 26),
            ],
            0,
        ),
        ("clean", &[("week-id", 373), ("gap-week", 603), ("summary", 17)], 0),
        (
            "dirty",
            &[
                ("week-id", 833),
                ("gap-week", 1062),
                ("form-collision", 8),
                ("identity-split", 32),
                ("duplicate-allocation", 29),
                ("summary", 26),
            ],
            6,
        ),
        (
            "dirty-london",
            &[
                ("week-id", 578),
                ("gap-week", 1047),
                ("form-collision", 3),
                ("identity-split", 5),
                ("duplicate-allocation", 3),
                ("summary", 26),
            ],
            6,
        ),
    ];
    for (name, expected, unexplained) in expected {
        let rules = rules_of(name);
        let report = of_fixture(name).migrate(&rules).compare(&rules);
        assert_eq!(figures(&report), expected, "{name}");
        assert_eq!(report.unexplained_total, unexplained, "{name}: {:#?}", report.unexplained);
        assert_eq!(report.unexplained.len() as u64, unexplained);
        for found in &report.unexplained {
            assert!(found.what.contains("the base has no due date"), "{name}: {found:?}");
        }
    }
}

#[test]
fn before_the_migration_every_generated_week_is_unexplained() {
    let rules = rules_of("clean");
    let report = of_fixture("clean").compare(&rules);
    assert!(!report.is_explained());
    assert!(
        report.unexplained.iter().all(|found| found.what.contains("the week is not stored")),
        "{:#?}",
        report.unexplained
    );
}

#[test]
fn the_report_of_all_is_the_sum_of_its_clients_in_any_order() {
    let rules = rules_of("dirty");
    let both = of_fixture("dirty").migrate(&rules);
    let all = both.compare(&rules);
    let mut sum = ParityReport::default();
    for client in both.clients().iter().rev() {
        sum.absorb(compare_client(both.rows(), &rules, client).unwrap());
    }
    assert_eq!(sum, all);
    assert_eq!(all, both.compare(&rules));
    assert!(
        all.examples
            .iter()
            .all(|(class, examples)| !examples.is_empty() && all.differences.contains_key(class))
    );
}

#[test]
fn progress_counts_every_client_once() {
    let seen = std::sync::Mutex::new(BTreeSet::new());
    let both = of_fixture("clean");
    let rules = ParityRules::default();
    compare(both.rows(), &rules, &|done, all| assert!(seen.lock().unwrap().insert((done, all))))
        .unwrap();
    assert_eq!(seen.into_inner().unwrap(), (1..=30).map(|done| (done, 30)).collect());
}
