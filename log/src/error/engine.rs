//! Errors of the storage engine.

/// An error of the database inside the store.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EngineError(EngineFailure);

#[derive(Debug, thiserror::Error)]
enum EngineFailure {
    #[error(transparent)]
    RocksDb(rocksdb::Error),
    #[error("the column family {0} is missing")]
    MissingFamily(&'static str),
    #[cfg(feature = "fault-injection")]
    #[error(transparent)]
    Injected(std::io::Error),
}

impl EngineError {
    pub(crate) fn missing_family(name: &'static str) -> Self {
        Self(EngineFailure::MissingFamily(name))
    }
}

impl From<rocksdb::Error> for EngineError {
    fn from(error: rocksdb::Error) -> Self {
        Self(EngineFailure::RocksDb(error))
    }
}

#[cfg(feature = "fault-injection")]
impl From<std::io::Error> for EngineError {
    fn from(error: std::io::Error) -> Self {
        Self(EngineFailure::Injected(error))
    }
}
