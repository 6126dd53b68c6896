//! The command line end to end: the built binary on stores made from the fixtures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod backups;
mod backups_cut_off;
mod bad_input;
mod checking;
mod dumps;
mod histories;
mod interrupting;
mod proving;
mod series;
mod support;
mod switching;
mod time_travel;
mod views;
