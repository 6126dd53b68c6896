//! The contract of `Ordering`, one test per clause. A backend joins with one line:
//! `conformance!(name, how to make one)`.

mod clauses;
mod sequencer;

use rollbook_log::Ordering;

/// A backend under test, and a value that must live as long.
pub struct Backend {
    pub ordering: Box<dyn Ordering>,
    pub _keep: Box<dyn std::any::Any>,
}

macro_rules! conformance {
    ($name:ident, $make:expr) => {
        mod $name {
            use super::clauses;

            #[test]
            fn clause_1_numbering() {
                clauses::numbering(&$make);
            }
            #[test]
            fn clause_2_answering() {
                clauses::answering(&$make);
            }
            #[test]
            fn clause_3_head() {
                clauses::head(&$make);
            }
            #[test]
            fn clause_4_expected_versions() {
                clauses::expected_versions(&$make);
            }
            #[test]
            fn clause_5_refusals() {
                clauses::refusals(&$make);
            }
            #[test]
            fn clause_6_idempotency() {
                clauses::idempotency(&$make);
            }
            #[test]
            fn clause_7_ids() {
                clauses::ids(&$make);
            }
            #[test]
            fn clause_8_content() {
                clauses::content(&$make);
            }
            #[test]
            fn clause_9_others() {
                clauses::others(&$make);
            }
            #[test]
            fn clause_10_reading_results() {
                clauses::reading(&$make);
            }
        }
    };
}

conformance!(rocksdb_log, super::rocksdb());
conformance!(in_memory_sequencer, super::in_memory());
conformance!(sequencer_with_a_log_as_its_copy, super::with_copy());

fn rocksdb() -> Backend {
    let dir = tempfile::tempdir().unwrap();
    let log = crate::support::open(&dir.path().join("store"));
    Backend { ordering: Box::new(log), _keep: Box::new(dir) }
}

fn in_memory() -> Backend {
    Backend { ordering: Box::new(sequencer::Sequencer::default()), _keep: Box::new(()) }
}

fn with_copy() -> Backend {
    let dir = tempfile::tempdir().unwrap();
    let copy = crate::support::open(&dir.path().join("store"));
    Backend { ordering: Box::new(sequencer::Sequencer::with_copy(copy)), _keep: Box::new(dir) }
}
