//! `rollbook migrate certificate` and `check-certificate`: makes and checks migration certificates.

use std::path::PathBuf;

use clap::Args;
use rollbook_application::evidence::{EvidenceError, Migration, write_new};
use rollbook_domain::event::AcceptedFindings;
use rollbook_migrations::certificate::{BatchSummary, Certificate, VerifiedCertificate};
use serde::Serialize;

use super::checkpoint::SigningArguments;
use super::context::Context;
use super::output::{GOOD, styled};
use super::prove::{TrustArguments, signed_by};
use crate::cli::error::CliError;

/// Write a file that proves to others what the migration did. Needs an applied batch and a green
/// validation.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  rollbook --data prod migrate certificate --out prod.certificate.json\n\nAnyone can check it without the store: rollbook check-certificate FILE."
)]
pub(super) struct CertificateArguments {
    /// The full digest of the batch. Default: the batch applied last.
    #[arg(long, value_name = "DIGEST")]
    batch: Option<String>,
    /// The file. Default: print it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    signing: SigningArguments,
}

impl CertificateArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = context.open()?;
        context.fold(&store)?;
        let migration = Migration::find(&store, self.batch.as_deref())?;
        let notary = self.signing.notary(&store)?;
        let certificate = notary.certificate(&migration)?;
        let text = certificate.to_text();
        let Some(path) = &self.out else { return context.output.text(&text) };
        write_new(path, &text)?;
        let certified =
            certificate.check(Some(notary.verifier())).map_err(EvidenceError::Certificate)?;
        let report = CertificateReport { file: path.clone(), certified, key_trusted: true };
        context.output.either(&report, || report.text())
    }
}

const EXAMPLES: &str = "\
Examples:
  rollbook check-certificate prod.certificate.json --key prod-public-key.txt
  rollbook check-certificate staging.certificate.json prod.certificate.json

Needs no store. Several certificates must name the same batch. Without --key the key in each file is used: that proves that the files are
intact, but not who made them.";

/// Check migration certificates; needs no store.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CheckCertificateArguments {
    /// The certificates, such as staging's and production's.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustArguments,
}

#[derive(Serialize)]
struct CertificateReport {
    file: PathBuf,
    #[serde(flatten)]
    certified: VerifiedCertificate,
    key_trusted: bool,
}

impl CheckCertificateArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let trusted = self.trust.key()?;
        let mut all = Vec::new();
        for path in &self.files {
            let bytes = std::fs::read(path)
                .map_err(|source| CliError::Input { path: path.clone(), source })?;
            let refused = |source| EvidenceError::CertificateRefused {
                path: path.clone(),
                source: Box::new(source),
            };
            let certificate =
                Certificate::read(&String::from_utf8_lossy(&bytes)).map_err(refused)?;
            let certified = certificate.check(trusted.as_ref()).map_err(refused)?;
            all.push(CertificateReport {
                file: path.clone(),
                certified,
                key_trusted: trusted.is_some(),
            });
        }
        let digest = |report: &CertificateReport| report.certified.batch.digest.clone();
        if let Some((one, other)) =
            all.iter().zip(all.iter().skip(1)).find(|(one, other)| digest(one) != digest(other))
        {
            return Err(EvidenceError::TwoBatches { one: digest(one), other: digest(other) }.into());
        }
        let text = || all.iter().map(CertificateReport::text).collect();
        match all.as_slice() {
            [one] => context.output.either(one, text),
            _ => context.output.either(&all, text),
        }
    }
}

impl CertificateReport {
    fn text(&self) -> String {
        let VerifiedCertificate {
            origin,
            batch,
            before,
            after,
            validated_at,
            checks,
            accepted,
            key,
        } = &self.certified;
        let mut found = String::new();
        for AcceptedFindings { check, findings, reason, by, .. } in accepted {
            for finding in findings {
                found.push_str(&format!(
                    "accepted by {by}: {check} {} ({}): {reason}\n",
                    finding.id, finding.about
                ));
            }
        }
        let counts = if batch.changed > 0 {
            format!("{} weeks changed", batch.changed)
        } else {
            let BatchSummary { created, linked, adopted, .. } = batch;
            format!("{created} weeks created, {linked} responses linked, {adopted} adopted")
        };
        format!(
            "{} {}\nbatch {} ({}, {}): {counts}\n\
             the {after} events of {origin} begin with the {before} events from before the batch: none was changed, removed or moved\n\
             validated at position {validated_at}: {} checks, all green\n{found}{}",
            styled(GOOD, "certified:"),
            self.file.display(),
            batch.digest,
            batch.kind,
            batch.rules,
            checks.len(),
            signed_by(key, self.key_trusted)
        )
    }
}
