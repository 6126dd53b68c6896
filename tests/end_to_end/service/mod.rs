//! The service over real sockets.

mod access;
mod answering;
mod bad_input;
mod coaching;
mod description;
mod ending;
mod many_at_once;
mod operation;
mod views;
