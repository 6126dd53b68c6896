//! Ids that are derived from what they name.
//!
//! A derived id is a UUIDv5, so an import, a migration and a submission on any machine give the
//! same thing the same id. Every log stores these ids: the derivation never changes.

use uuid::Uuid;

use crate::stream::StreamId;

/// The namespace of every derived id.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_3f52_8c0e_5b6a_9d27_0a4c_71e8_52b3);

fn derived(kind: &str, parts: &[&str]) -> Uuid {
    // The lengths keep ("a", "bc") and ("ab", "c") apart.
    let mut name = kind.to_owned();
    for part in parts {
        name.push_str(&format!("\u{0}{}:{part}", part.len()));
    }
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// The id of the assignment for a week; the same on every machine.
pub fn assignment_id(client: &str, form: &str, run: u32, week: u32) -> Uuid {
    derived("assignment", &[client, form, &run.to_string(), &week.to_string()])
}

/// The id of the `ordinal`-th response (from 1) to an assignment.
pub fn response_id(assignment: Uuid, ordinal: u32) -> Uuid {
    derived("response", &[&assignment.to_string(), &ordinal.to_string()])
}

/// The id of an event that must be the same on every machine, derived from its stream and from the
/// parts that identify it there.
pub fn event_id(stream: &StreamId, parts: &[&str]) -> Uuid {
    let stream = stream.to_string();
    let mut all = vec![stream.as_str()];
    all.extend_from_slice(parts);
    derived("event", &all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every log stores these ids. A changed literal here means a broken store.
    #[test]
    fn assignment_ids_are_frozen_and_keep_their_parts_apart() {
        let cases = [
            (("c", "f", 1, 2), "b4033edd-89af-579d-86d6-1e3ee007ea4e"),
            (("client-1", "form-1", 1, 2), "a1acfa73-6f6b-59b9-8904-8060cd1cf0ac"),
            (("ab", "c", 1, 2), "45f44bcb-88cc-5407-895a-d586aa790fd4"),
            (("a", "bc", 1, 2), "fb35f199-4852-58b9-8e32-337339f4a6fd"),
            (("é/%", "", 3, 520), "ec17fe05-e211-5674-bf91-8618030da430"),
        ];
        for ((client, form, run, week), id) in cases {
            assert_eq!(assignment_id(client, form, run, week).to_string(), id, "{client}/{form}");
        }
        assert_ne!(assignment_id("c", "f", 1, 12), assignment_id("c", "f", 11, 2));
        assert_eq!(assignment_id("c", "f", 1, 2).get_version_num(), 5);
    }

    #[test]
    fn response_ids_are_frozen() {
        let assignment = assignment_id("c", "f", 1, 2);
        let ids = [
            (1, "048894b2-f7f3-5610-af34-80e912e3d7c3"),
            (2, "53a8dbe9-a516-5805-ac14-bef477521234"),
        ];
        for (ordinal, id) in ids {
            assert_eq!(response_id(assignment, ordinal).to_string(), id);
        }
    }

    /// One event of every kind whose id is derived, as each caller names its parts.
    #[test]
    fn event_ids_are_frozen_for_every_kind_of_stream() {
        let (series, client) = (StreamId::series("c", "f"), StreamId::Client("c/1".to_owned()));
        let (coach, form) = (StreamId::Coach("k".to_owned()), StreamId::Form("f".to_owned()));
        let cases: [(&StreamId, &[&str], &str); 12] = [
            (
                &StreamId::Control,
                &["import-completed", "0a", "UTC", "1"],
                "78cb6469-3c60-5dea-b9a4-733e37081493",
            ),
            (&StreamId::Control, &["planned", "0123"], "4ed0441d-93e0-5acc-88a9-55757fedd74a"),
            (&StreamId::Control, &["applied", "0123"], "1bfde29c-46c0-5e1e-a718-ea2a3e58871d"),
            (
                &StreamId::Control,
                &["ParityRecorded", "0123"],
                "d95405ec-2c4e-52b8-89cc-3d4518d42e1e",
            ),
            (
                &StreamId::Control,
                &["ValidationRecorded", "0123"],
                "80d2d12d-4af9-5b2e-872a-54f0a5ee451a",
            ),
            (&series, &["linked", "r-1"], "778f34df-0d8e-5059-89d8-b1ea3970ee23"),
            (
                &series,
                &["imported", "check_in_assignments", "a-1", "0a"],
                "3dffff9f-f620-5c20-84b5-f9ce4093faa4",
            ),
            (
                &series,
                &["changed", "check_in_assignments", "a-1", "0b", "0a", "2"],
                "a85fa94f-8f23-53da-8ee2-aa54767d550c",
            ),
            (
                &series,
                &["removed", "formResponses", "r-1", "", "0b", "3"],
                "6cd29470-5ca7-5aa0-a211-ca882d76a4a9",
            ),
            (&client, &["client-erased"], "7d83e9ce-fa21-5c93-b4cd-a8aa50131eee"),
            (&coach, &["imported", "coaches", "k", "0a"], "a4a0d6f0-0d4c-5546-bc87-79f1937ca922"),
            (&form, &["imported", "forms", "f", "0a"], "edd3f420-84c3-5aa3-82a8-022503e7f38b"),
        ];
        for (stream, parts, id) in cases {
            assert_eq!(event_id(stream, parts).to_string(), id, "{stream} {parts:?}");
        }
    }
}
