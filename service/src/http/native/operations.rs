//! Long operations of an operator. They run one at a time, and they run to their end even if the
//! client disconnects.

use rollbook_application::store::Store;
use rollbook_migrations::monitor::Monitor;

use crate::access::{AccessDenied, Caller, Permission};
use crate::http::error::ApiError;
use crate::http::service::Service;

/// Runs a long operation on a blocking thread, after earlier operations. It runs to its end even if
/// the client disconnects, or to a commit boundary if the service shuts down.
///
/// # Errors
/// The error of the operation.
pub async fn operate<T, E>(
    service: &Service,
    work: impl FnOnce(&Store, &Monitor<'_>) -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    let turn = service.permits().operate().await?;
    let draining = service.clone();
    service
        .blocking(move |store| {
            let _turn = turn;
            work(store, &Monitor { progress: &|_, _| {}, interrupted: &|| draining.is_draining() })
        })
        .await
}

/// Requires the permission for migrations, before a long operation waits for its turn.
///
/// # Errors
/// If the caller does not have it.
pub async fn require_operator(service: &Service, caller: Caller) -> Result<(), ApiError> {
    let authorize = move |store: &Store| caller.authorize(store, Permission::Migrate).map(drop);
    service.blocking::<_, AccessDenied>(authorize).await
}
