//! Operation: limits over a raw socket, what the service tells of itself, its figures, its settings, and a store that goes away under it.

mod deployed;
mod figures;
mod limits;
mod lost;
mod running;
mod settings;
mod telling;
