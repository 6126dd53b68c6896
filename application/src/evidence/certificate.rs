//! Creates a migration certificate from a store. This module finds the events. The migrations crate
//! defines the format and the check.

use rollbook_domain::event::QualifiedValidation;
use rollbook_domain::series::event_id;
use rollbook_domain::{Event, EventRecord, Position, StreamId};
use rollbook_migrations::certificate::{Certificate, ProvedEvent, Summary, format_of, summarize};
use rollbook_projections::tree::{self, Tree};

use super::Notary;
use super::error::EvidenceError;
use crate::store::{Store, StoreError};

/// The three events of a certificate.
pub struct Migration {
    planned: EventRecord,
    applied: EventRecord,
    validated: EventRecord,
}

impl Migration {
    /// Finds the batch that was applied last, or the batch with this digest.
    ///
    /// # Errors
    /// [`EvidenceError::NotApplied`], [`EvidenceError::NotValidated`].
    pub fn find(store: &Store, digest: Option<&str>) -> Result<Self, EvidenceError> {
        let recorded = store.control()?;
        let last = recorded.last_applied().map(|batch| batch.digest.clone());
        let digest = digest.map(ToOwned::to_owned).or(last).ok_or(EvidenceError::NotApplied)?;
        let event = |part: &str| store.log().event(event_id(&StreamId::Control, &[part, &digest]));
        let (planned, applied) =
            event("planned")?.zip(event("applied")?).ok_or(EvidenceError::NotApplied)?;
        let validates = |recorded: &EventRecord| match &recorded.event {
            Event::ValidationRecorded { digest: of, .. }
            | Event::QualifiedValidationRecorded(QualifiedValidation { digest: of, .. }) => {
                *of == digest
            }
            _ => false,
        };
        // A validation from before an acceptance was withdrawn no longer says what is accepted.
        let since = applied.position.max(recorded.acceptance_withdrawn.unwrap_or(0));
        let control = store.log().stream(&StreamId::Control, 0)?;
        let validated = control
            .into_iter()
            .rev()
            .take_while(|recorded| recorded.position > since)
            .find(validates);
        let validated = validated.ok_or(EvidenceError::NotValidated)?;
        Ok(Self { planned, applied, validated })
    }
}

impl Notary<'_> {
    /// Creates the certificate of a migration.
    ///
    /// # Errors
    /// If a check was red, or if something cannot be read or signed.
    pub fn certificate(&self, migration: &Migration) -> Result<Certificate, EvidenceError> {
        let Migration { planned, applied, validated } = migration;
        let Event::BatchPlanned { base, .. } = planned.event else {
            return Err(EvidenceError::NotPlanned);
        };
        let after = self.covering(validated.position)?;
        let consistency = self.prove_consistency(base, after.claimed().size)?;
        let Summary { batch, checks, accepted } =
            summarize(&planned.event, &applied.event, &validated.event)
                .map_err(EvidenceError::Certificate)?;
        let certificate = Certificate {
            rollbook_certificate: format_of(&batch, &checks, &accepted),
            batch,
            checks,
            accepted,
            key: self.verifier().clone(),
            before: consistency.older.text().to_owned(),
            after: after.text().to_owned(),
            consistency: consistency.nodes,
            planned: self.proved(planned.position, after.claimed().size)?,
            applied: self.proved(applied.position, after.claimed().size)?,
            validated: self.proved(validated.position, after.claimed().size)?,
        };
        // Verify the certificate before it is returned.
        certificate.check(Some(self.verifier())).map_err(EvidenceError::Certificate)?;
        Ok(certificate)
    }

    fn proved(&self, position: Position, size: Position) -> Result<ProvedEvent, EvidenceError> {
        let leaf = self
            .store
            .log()
            .leaf(position)?
            .ok_or_else(|| StoreError::UnknownId(position.to_string()))?;
        let snapshot = self.store.snapshot()?;
        Ok(ProvedEvent::new(
            position,
            &leaf,
            tree::prove_event(&snapshot.rows::<Tree>()?.0, position, size)?,
        ))
    }
}
