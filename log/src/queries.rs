//! The part of [`Log`] that looks up events by stream, id, position, time and idempotency key.

use rollbook_domain::event::{EventRecord, Position, Version};
use rollbook_domain::{StreamId, Timestamp};
use uuid::Uuid;

use crate::commit::CommitReceipt;
use crate::engine::{Engine as _, Family};
use crate::error::LogError;
use crate::layout;
use crate::log::Log;
use crate::reads;

impl Log {
    /// A stream's events after a version.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged.
    pub fn stream(&self, stream: &StreamId, after: Version) -> Result<Vec<EventRecord>, LogError> {
        self.stream_until(stream, after, Position::MAX)
    }

    /// A stream's events after a version and up to a position: the stream as of that position.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged.
    pub fn stream_until(
        &self,
        stream: &StreamId,
        after: Version,
        until: Position,
    ) -> Result<Vec<EventRecord>, LogError> {
        let Some(engine) = self.store().engine() else { return Ok(Vec::new()) };
        let until = until.min(self.head());
        reads::stream(&*engine, self.store().keyring(), &stream.name(), after, until)
    }

    /// The number of events in a stream.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged.
    pub fn stream_version(&self, stream: &StreamId) -> Result<Version, LogError> {
        self.stream_version_until(stream, Position::MAX)
    }

    /// The number of events in a stream up to a position.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged.
    pub fn stream_version_until(
        &self,
        stream: &StreamId,
        until: Position,
    ) -> Result<Version, LogError> {
        let until = until.min(self.head());
        match self.store().engine() {
            Some(engine) => reads::stream_version(&*engine, &stream.name(), until),
            None => Ok(0),
        }
    }

    /// The streams whose names start with a prefix, such as [`StreamId::series_prefix`], in name
    /// order. Costs one seek per stream, whatever its length.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged.
    pub fn streams_with_prefix(&self, prefix: &str) -> Result<Vec<StreamId>, LogError> {
        match self.store().engine() {
            Some(engine) => reads::streams_with_prefix(&*engine, prefix, self.head()),
            None => Ok(Vec::new()),
        }
    }

    /// The event with an id.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged.
    pub fn event(&self, id: Uuid) -> Result<Option<EventRecord>, LogError> {
        let Some(engine) = self.store().engine() else { return Ok(None) };
        let position = match engine.get(Family::Ids, id.as_bytes(), layout::number)? {
            None => return Ok(None),
            Some(position) => position.ok_or_else(|| layout::malformed("ids"))?,
        };
        if position > self.head() {
            Ok(None)
        } else {
            reads::at(&*engine, self.store().keyring(), position).map(Some)
        }
    }

    /// The event at a position. `None` for 0 and beyond the head.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged.
    pub fn at(&self, position: Position) -> Result<Option<EventRecord>, LogError> {
        match self.store().engine() {
            Some(engine) if (1..=self.head()).contains(&position) => {
                reads::at(&*engine, self.store().keyring(), position).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The last position that was recorded at or before a point in time; 0 if there is none. Times
    /// of record never decrease.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged.
    pub fn position_at(&self, instant: Timestamp) -> Result<Position, LogError> {
        let Some(engine) = self.store().engine() else { return Ok(0) };
        reads::position_at(&*engine, self.store().keyring(), instant, self.head())
    }

    /// The bytes of the leaf of the event at a position: everything that is stored for it, see
    /// [`crate::Leaf`]. `None` for 0 and beyond the head.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged.
    pub fn leaf(&self, position: Position) -> Result<Option<Vec<u8>>, LogError> {
        match self.store().engine() {
            Some(engine) if (1..=self.head()).contains(&position) => {
                reads::leaf(&*engine, position).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The commit with an idempotency key, as a repeated proposal would report it.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged.
    pub fn committed_under(&self, key: &str) -> Result<Option<CommitReceipt>, LogError> {
        Ok(self.requested_under(key)?.map(|(_, committed)| committed))
    }

    /// The commit with an idempotency key, and the digest of the request that the key was used for.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged.
    pub fn requested_under(
        &self,
        key: &str,
    ) -> Result<Option<([u8; 32], CommitReceipt)>, LogError> {
        let Some(engine) = self.store().engine() else { return Ok(None) };
        Ok(reads::key(&*engine, key)?.filter(|(_, committed)| committed.last <= self.head()))
    }
}
