//! Series: all runs of one form for one client. `items` owns the weeks and how documents and later events shape them;
//! `packed` how a row holds them;
//! `state` folds a stream into what deciders, the planner and the pre-created view know of it.

pub mod decide;
pub mod items;
pub mod legacy;
mod packed;
pub mod state;

pub use items::{Item, Items};
pub use legacy::LegacySeries;
pub use state::{Run, Series};

use uuid::Uuid;

/// The namespace of every id that Rollbook derives instead of drawing.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_3f52_8c0e_5b6a_9d27_0a4c_71e8_52b3);

fn derived(kind: &str, parts: &[&str]) -> Uuid {
    // Lengths keep ("a", "bc") apart from ("ab", "c").
    let mut name = kind.to_owned();
    for part in parts {
        name.push_str(&format!("\u{0}{}:{part}", part.len()));
    }
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// The assignment of a week: the same wherever and whenever it is made.
pub fn assignment_id(client: &str, form: &str, run: u32, week: u32) -> Uuid {
    derived("assignment", &[client, form, &run.to_string(), &week.to_string()])
}

/// The id of the `ordinal`-th response (from 1) to an assignment.
pub fn response_id(assignment: Uuid, ordinal: u32) -> Uuid {
    derived("response", &[&assignment.to_string(), &ordinal.to_string()])
}

/// The id of an event that must be the same everywhere: of its stream and what identifies it there.
pub fn event_id(stream: &crate::StreamId, parts: &[&str]) -> Uuid {
    let stream = stream.to_string();
    let mut all = vec![stream.as_str()];
    all.extend_from_slice(parts);
    derived("event", &all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_frozen_and_keep_their_parts_apart() {
        assert_eq!(
            assignment_id("c", "f", 1, 2).to_string(),
            assignment_id("c", "f", 1, 2).to_string()
        );
        assert_ne!(assignment_id("ab", "c", 1, 2), assignment_id("a", "bc", 1, 2));
        assert_ne!(assignment_id("c", "f", 1, 12), assignment_id("c", "f", 11, 2));
        assert_eq!(assignment_id("c", "f", 1, 2).get_version_num(), 5);
    }
}
