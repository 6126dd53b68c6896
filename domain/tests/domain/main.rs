//! The domain from outside, as one binary: a module for each subject.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod calendar;
mod commands;
mod decide;
mod decoders;
mod limits;
mod overlays;
mod repair;
mod series;
