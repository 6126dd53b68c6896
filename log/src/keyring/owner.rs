//! The owners of streams. An owner has one key.

use rollbook_domain::StreamId;

/// The owner of a stream by the stream's name: a client's escaped id, or `coach/<id>`.
pub(crate) fn owner(stream: &str) -> Option<&str> {
    if let Some(rest) = stream.strip_prefix("series/") {
        return rest.split('/').next();
    }
    stream.strip_prefix("client/").or_else(|| stream.starts_with("coach/").then_some(stream))
}

/// Whether a stream belongs to the client with this id.
pub(crate) fn owns(client: &str, stream: &str) -> bool {
    owner(stream) == Some(&*owner_of_client(client))
}

/// A client's id, escaped as in stream names.
pub(super) fn owner_of_client(id: &str) -> Box<str> {
    let stream = StreamId::Client(id.to_owned()).name();
    owner(&stream).unwrap_or_default().into()
}

/// The client's id of an owner.
pub(super) fn client_of_owner(owner: &str) -> String {
    match format!("client/{owner}").parse() {
        Ok(StreamId::Client(id)) => id,
        _ => owner.to_owned(),
    }
}
