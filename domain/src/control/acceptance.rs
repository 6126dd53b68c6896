//! The decisions on accepting findings of a validation and on withdrawing an acceptance.

use super::Control;
use crate::event::{Acceptance, Event, FindingName};

/// The reason for which accepting findings, or withdrawing an acceptance, is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptanceRejection {
    /// No reason given.
    #[error("accepting a finding needs a reason, which the history and the certificate show")]
    NoReason,
    /// No finding given.
    #[error("no finding is named")]
    NoFinding,
    /// No check has this name.
    #[error("no check has the name {0:?}")]
    UnknownCheck(String),
    /// No check finds this now.
    #[error("no check finds {0:?} now; a finding whose facts changed is another finding")]
    UnknownFinding(String),
    /// The check has another number of open findings than expected.
    #[error("check {check} has {found} findings that are not accepted, not {expected}")]
    Count {
        /// The name of the check.
        check: String,
        /// The expected number.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// The finding is not accepted.
    #[error("finding {0:?} is not accepted")]
    NotAccepted(String),
}

impl Control {
    /// Decides to accept findings of checks, each with the name of its check. Findings that are
    /// accepted already are left out, so the list may be empty.
    ///
    /// # Errors
    /// Rejects a request without a reason or without a finding.
    pub fn decide_accept(
        &self,
        found: &[(String, Vec<FindingName>)],
        reason: &str,
    ) -> Result<Vec<Event>, AcceptanceRejection> {
        if reason.trim().is_empty() {
            return Err(AcceptanceRejection::NoReason);
        }
        if found.iter().all(|(_, findings)| findings.is_empty()) {
            return Err(AcceptanceRejection::NoFinding);
        }
        let accept = |(check, findings): &(String, Vec<FindingName>)| {
            let new = findings.iter().filter(|finding| !self.accepted.contains_key(&finding.id));
            let findings: Vec<FindingName> = new.cloned().collect();
            let (check, reason) = (check.clone(), reason.to_owned());
            (!findings.is_empty()).then_some(Event::FindingsAccepted(Acceptance {
                check,
                findings,
                reason,
            }))
        };
        Ok(found.iter().filter_map(accept).collect())
    }

    /// Decides to withdraw the acceptance of findings.
    ///
    /// # Errors
    /// Rejects a request without a reason, without a finding, or with a finding that is not
    /// accepted.
    pub fn decide_withdraw_acceptance(
        &self,
        findings: &[String],
        reason: &str,
    ) -> Result<Event, AcceptanceRejection> {
        if reason.trim().is_empty() {
            return Err(AcceptanceRejection::NoReason);
        }
        if findings.is_empty() {
            return Err(AcceptanceRejection::NoFinding);
        }
        if let Some(other) = findings.iter().find(|id| !self.accepted.contains_key(*id)) {
            return Err(AcceptanceRejection::NotAccepted(other.clone()));
        }
        Ok(Event::AcceptanceWithdrawn { findings: findings.to_vec(), reason: reason.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::SwitchRejection;
    use crate::event::{Audience, CheckOutcome, View};

    fn found(ids: &[&str]) -> Vec<(String, Vec<FindingName>)> {
        let name = |id: &&str| FindingName { id: (*id).to_owned(), about: "week 1".to_owned() };
        vec![("weeks-complete".to_owned(), ids.iter().map(name).collect())]
    }

    fn accepted(ids: &[&str]) -> Control {
        let mut control = Control::default();
        for event in control.decide_accept(&found(ids), "known").unwrap() {
            control.apply(7, &event);
        }
        control
    }

    #[test]
    fn a_finding_is_accepted_once() {
        let control = accepted(&["a"]);
        assert_eq!(control.accepted.get("a"), Some(&7));
        let events = control.decide_accept(&found(&["a", "b"]), "known").unwrap();
        let [Event::FindingsAccepted(Acceptance { findings, .. })] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(findings.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["b"]);
        assert_eq!(control.decide_accept(&found(&["a"]), "known"), Ok(Vec::new()));
    }

    #[test]
    fn accepting_needs_a_reason_and_a_finding() {
        let control = Control::default();
        let (no_reason, none) = (AcceptanceRejection::NoReason, AcceptanceRejection::NoFinding);
        assert_eq!(control.decide_accept(&found(&["a"]), " "), Err(no_reason));
        assert_eq!(control.decide_accept(&found(&[]), "known"), Err(none));
    }

    #[test]
    fn only_what_is_accepted_can_be_withdrawn_and_the_guard_then_wants_a_new_validation() {
        let mut control = accepted(&["a"]);
        let wanted = ["a".to_owned(), "b".to_owned()];
        let refused = control.decide_withdraw_acceptance(&wanted, "wrong").unwrap_err();
        assert_eq!(refused, AcceptanceRejection::NotAccepted("b".to_owned()));
        let check = CheckOutcome { name: "c".into(), green: true, detail: String::new() };
        let checks = vec![check];
        let validated = Event::ValidationRecorded { digest: String::new(), at: 8, checks };
        control.apply(9, &validated);
        let switch = |control: &Control| {
            control.decide_switch(View::Precreated, Audience::Everyone, "go", false)
        };
        assert!(switch(&control).is_ok());
        let withdrawn = control.decide_withdraw_acceptance(&wanted[..1], "wrong").unwrap();
        control.apply(10, &withdrawn);
        assert!(control.accepted.is_empty());
        assert_eq!(switch(&control), Err(SwitchRejection::Stale { validated: 8, batch: 10 }));
    }
}
