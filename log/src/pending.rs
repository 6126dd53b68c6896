//! The answer that is not there yet. Owns how a caller waits for it, blocking or asynchronously.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::commit::Committed;
use crate::error::AppendError;

/// A proposed commit's answer to come: wait for it with [`Pending::wait`] or `.await`. Dropping it does not withdraw the commit.
#[must_use = "a commit is not appended before it is answered"]
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Committed, AppendError>>);

/// The other end of a [`Pending`], for whoever orders commits.
#[derive(Debug)]
pub struct Answer(oneshot::Sender<Result<Committed, AppendError>>);

impl Pending {
    /// A pair of ends.
    pub fn channel() -> (Answer, Self) {
        let (sender, receiver) = oneshot::channel();
        (Answer(sender), Self(receiver))
    }

    /// One that is answered already.
    pub fn ready(outcome: Result<Committed, AppendError>) -> Self {
        let (answer, pending) = Self::channel();
        answer.send(outcome);
        pending
    }

    /// Blocks this thread until the answer is there.
    ///
    /// # Errors
    /// Why the commit was not appended.
    ///
    /// # Panics
    /// On a thread that drives asynchronous tasks: there, `.await` it.
    pub fn wait(self) -> Result<Committed, AppendError> {
        self.0.blocking_recv().unwrap_or(Err(AppendError::Closed))
    }
}

impl Future for Pending {
    type Output = Result<Committed, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(AppendError::Closed)))
    }
}

impl Answer {
    /// Answers. Nobody may be waiting any more, which is no error.
    pub fn send(self, outcome: Result<Committed, AppendError>) {
        let _nobody_waits = self.0.send(outcome);
    }
}
