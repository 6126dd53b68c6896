//! A future that resolves when a submitted commit is acknowledged or rejected. It can also be
//! waited for with a blocking call.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::commit::CommitReceipt;
use crate::error::AppendError;

/// The future result of a submitted commit: call [`PendingCommit::wait`] or `.await` it. Dropping it does
/// not withdraw the commit.
#[must_use = "a commit is only appended once its result says so"]
#[derive(Debug)]
pub struct PendingCommit(oneshot::Receiver<Result<CommitReceipt, AppendError>>);

/// The sender of a [`PendingCommit`] result, for implementations of `Ordering`.
#[derive(Debug)]
pub struct Answer(oneshot::Sender<Result<CommitReceipt, AppendError>>);

impl PendingCommit {
    /// A sender and its future.
    pub fn channel() -> (Answer, Self) {
        let (sender, receiver) = oneshot::channel();
        (Answer(sender), Self(receiver))
    }

    /// A future that is already resolved.
    pub fn ready(outcome: Result<CommitReceipt, AppendError>) -> Self {
        let (answer, pending) = Self::channel();
        answer.send(outcome);
        pending
    }

    /// Blocks this thread until there is a result.
    ///
    /// # Errors
    /// If the commit was not appended.
    ///
    /// # Panics
    /// On a thread that drives asynchronous tasks. There, `.await` it.
    pub fn wait(self) -> Result<CommitReceipt, AppendError> {
        self.0.blocking_recv().unwrap_or(Err(AppendError::Closed))
    }
}

impl Future for PendingCommit {
    type Output = Result<CommitReceipt, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(AppendError::Closed)))
    }
}

impl Answer {
    /// Sends the result. It is not an error if the receiver was dropped.
    pub fn send(self, outcome: Result<CommitReceipt, AppendError>) {
        let _dropped = self.0.send(outcome);
    }
}
