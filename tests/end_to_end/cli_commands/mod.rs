//! The command line on stores that are made from the fixtures.

mod backups;
mod backups_cut_off;
mod bad_input;
mod checking;
mod correcting;
mod dumps;
mod histories;
mod interrupting;
mod numbering;
mod proving;
mod putting;
mod series;
mod switching;
mod table_files;
mod time_travel;
mod views;
