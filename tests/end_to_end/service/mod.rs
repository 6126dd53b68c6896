//! The service over real sockets.

mod access;
mod answering;
mod bad_input;
mod both_edges;
mod coaching;
mod description;
mod ending;
mod many_at_once;
mod operation;
mod views;
mod visible;
