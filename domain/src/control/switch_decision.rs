//! The decision on a switch: the guard before the pre-created view, and every reason for a
//! rejection.

use super::Control;
use crate::event::{Audience, Event, Position, View};

/// The reason for which a switch is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwitchRejection {
    /// No reason given.
    #[error("a switch needs a reason, which the history shows; give a reason")]
    NoReason,
    /// The percentage is over 100.
    #[error("{0} percent is more than all clients; give a percentage from 0 to 100")]
    Percent(u8),
    /// No validation is recorded.
    #[error(
        "no validation is recorded, and the pre-created view needs a green one; validate first, or override this with a reason"
    )]
    NotValidated,
    /// A batch or an import came after the last validation, or an acceptance was withdrawn.
    #[error(
        "the last validation (position {validated}) is older than the last batch, import or withdrawn acceptance (position {batch}); validate again, or override this with a reason"
    )]
    Stale {
        /// The validated head of the log.
        validated: Position,
        /// The position of the last batch, import or withdrawn acceptance.
        batch: Position,
    },
    /// A batch is incomplete. The field is its digest.
    #[error("batch {0} is incomplete; apply the same batch file again")]
    Unfinished(String),
    /// The last validation has red checks. The field is their names, separated by commas.
    #[error(
        "the last validation has red checks: {0}; correct or accept their findings and validate again, or override this with a reason"
    )]
    Red(String),
    /// The legacy view was retired. No command of this release retires it.
    #[error("the legacy view was retired, so no client can be switched back to it")]
    Retired,
}

impl Control {
    /// Decides a switch and returns its event. A percentage is recorded as
    /// [`Switch::share`](super::Switch::share) says, so the event may name the other view with the
    /// rest of the clients.
    ///
    /// # Errors
    /// Rejects a switch without a reason, a percentage over 100, and a return to a retired legacy
    /// view. If a client would newly get the pre-created view, it also rejects the switch unless
    /// `force` is set or a green validation is newer than the last batch and import. Switching back
    /// needs only a reason.
    pub fn decide_switch(
        &self,
        view: View,
        audience: Audience,
        reason: &str,
        force: bool,
    ) -> Result<Event, SwitchRejection> {
        if reason.trim().is_empty() {
            return Err(SwitchRejection::NoReason);
        }
        if let Audience::Percent(percent @ 101..) = audience {
            return Err(SwitchRejection::Percent(percent));
        }
        if self.legacy_retired && view == View::Legacy {
            return Err(SwitchRejection::Retired);
        }
        let (view, audience) = match audience {
            Audience::Percent(percent) => {
                let (view, percent) = self.switch.share(view, percent);
                (view, Audience::Percent(percent))
            }
            audience => (view, audience),
        };
        let next = self.switch.switched_to(view, &audience);
        let guard = if self.switch.widens_precreated(&next) { self.guard() } else { Ok(()) };
        let forced = match guard {
            Ok(()) => false,
            Err(_) if force => true,
            Err(refused) => return Err(refused),
        };
        Ok(Event::ViewSwitched { view, audience, reason: reason.to_owned(), forced })
    }

    fn guard(&self) -> Result<(), SwitchRejection> {
        if let Some(unfinished) = self.batches.iter().find(|batch| batch.applied_at.is_none()) {
            return Err(SwitchRejection::Unfinished(unfinished.digest.clone()));
        }
        let validation = self.validation.as_ref().ok_or(SwitchRejection::NotValidated)?;
        let imported = self.import.as_ref().map(|import| import.position);
        let batch = self
            .batches
            .iter()
            .filter(|batch| !batch.counts.is_empty())
            .filter_map(|batch| batch.applied_at)
            .chain(imported)
            .chain(self.acceptance_withdrawn)
            .max()
            .unwrap_or(0);
        if validation.at < batch {
            return Err(SwitchRejection::Stale { validated: validation.at, batch });
        }
        let red: Vec<&str> = validation
            .checks
            .iter()
            .filter(|check| !check.green)
            .map(|check| check.name.as_str())
            .collect();
        if red.is_empty() { Ok(()) } else { Err(SwitchRejection::Red(red.join(", "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{MovedClients, Switch, bucket, moved};
    use crate::event::CheckOutcome;

    fn validated(green: bool) -> Control {
        let mut control = Control::default();
        let check = CheckOutcome { name: "response-count".into(), green, detail: String::new() };
        control.apply(
            3,
            &Event::ValidationRecorded { digest: String::new(), at: 2, checks: vec![check] },
        );
        control
    }

    #[test]
    fn the_pre_created_view_needs_a_green_validation_newer_than_the_last_batch() {
        let decide = |control: &Control, force| {
            control.decide_switch(View::Precreated, Audience::Everyone, "go", force)
        };
        assert_eq!(decide(&Control::default(), false), Err(SwitchRejection::NotValidated));
        assert_eq!(
            decide(&validated(false), false),
            Err(SwitchRejection::Red("response-count".into()))
        );
        assert!(decide(&validated(true), false).is_ok());
        let mut stale = validated(true);
        stale.apply(
            4,
            &Event::ImportCompleted {
                digest: String::new(),
                legacy_timezone: "UTC".into(),
                collections: vec![],
                summary: None,
            },
        );
        assert_eq!(decide(&stale, false), Err(SwitchRejection::Stale { validated: 2, batch: 4 }));
        assert!(matches!(decide(&stale, true), Ok(Event::ViewSwitched { forced: true, .. })));
    }

    #[test]
    fn switching_back_needs_only_a_reason_and_forgets_every_exception() {
        let mut control = validated(true);
        for (audience, forced) in
            [(Audience::Percent(30), false), (Audience::Clients(vec!["a".into()]), false)]
        {
            let event = control.decide_switch(View::Precreated, audience, "trial", forced).unwrap();
            control.apply(9, &event);
        }
        assert_eq!(control.switch.view_for("a"), View::Precreated);
        let served = (0..1000)
            .filter(|n| control.switch.view_for(&format!("client-{n}")) == View::Precreated)
            .count();
        assert!((200..400).contains(&served), "{served} of 1000 at 30 per cent");
        control.validation = None;
        assert_eq!(
            control.decide_switch(View::Legacy, Audience::Everyone, " ", false),
            Err(SwitchRejection::NoReason)
        );
        let back =
            control.decide_switch(View::Legacy, Audience::Everyone, "rollback", false).unwrap();
        control.apply(10, &back);
        assert!((0..1000).all(|n| control.switch.view_for(&format!("client-{n}")) == View::Legacy));
        assert_eq!(control.switch.view_for("a"), View::Legacy);
    }

    /// Applies a forced switch of a share, and returns the switch after it.
    fn switched(control: &mut Control, view: View, percent: u8) -> Switch {
        let audience = Audience::Percent(percent);
        let event = control.decide_switch(view, audience, "a share", true).unwrap();
        control.apply(9, &event);
        control.switch.clone()
    }

    fn clients() -> Vec<String> {
        (0..1000).map(|number| format!("client-{number}")).collect()
    }

    fn moves(before: &Switch, after: &Switch) -> MovedClients {
        moved(before, after, clients().iter().map(String::as_str))
    }

    #[test]
    fn the_rest_for_the_other_view_moves_nobody() {
        let mut control = Control::default();
        let before = switched(&mut control, View::Precreated, 30);
        let after = switched(&mut control, View::Legacy, 70);
        assert_eq!(moves(&before, &after), MovedClients::default());
        let served = |switch: &Switch| {
            clients().iter().filter(|id| switch.view_for(id) == View::Precreated).count()
        };
        assert_eq!(served(&before), served(&after));
        let wider = switched(&mut control, View::Legacy, 60);
        let moved = moves(&after, &wider);
        assert!(moved.to_precreated > 50 && moved.to_legacy == 0, "{moved:?}");
        assert_eq!(moved.total(), served(&wider) - served(&after));
    }

    #[test]
    fn a_stored_share_of_the_legacy_view_keeps_its_meaning_and_its_clients() {
        let stored = Event::ViewSwitched {
            view: View::Legacy,
            audience: Audience::Percent(70),
            reason: "recorded before".into(),
            forced: false,
        };
        let mut control = Control::default();
        control.apply(3, &stored);
        let before = control.switch.clone();
        for client in clients() {
            let is_legacy = bucket(&client) < 70;
            let expected = if is_legacy { View::Legacy } else { View::Precreated };
            assert_eq!(before.view_for(&client), expected, "{client}");
        }
        let after = switched(&mut control, View::Precreated, 50);
        let moved = moves(&before, &after);
        assert!(moved.to_precreated > 100 && moved.to_legacy == 0, "{moved:?}");
    }

    proptest::proptest! {
        #[test]
        fn a_share_moves_no_more_clients_than_it_has_to(
            stored in proptest::option::of((proptest::bool::ANY, 0_u8..=100)),
            shares in proptest::collection::vec((proptest::bool::ANY, 0_u8..=100), 1..8),
        ) {
            let view = |is_legacy| if is_legacy { View::Legacy } else { View::Precreated };
            let mut control = Control::default();
            if let Some((is_legacy, percent)) = stored {
                control.switch = control.switch.switched_to(view(is_legacy), &Audience::Percent(percent));
            }
            for (is_legacy, percent) in shares {
                let before = control.switch.clone();
                let after = switched(&mut control, view(is_legacy), percent);
                let buckets = |switch: &Switch| {
                    (0..100).filter(|at| switch.view_of_bucket(*at) == View::Precreated).count()
                };
                let wanted = usize::from(if is_legacy { 100 - percent } else { percent });
                proptest::prop_assert_eq!(buckets(&after), wanted);
                let moved = moves(&before, &after);
                let only_one_way = moved.to_precreated == 0 || moved.to_legacy == 0;
                proptest::prop_assert!(only_one_way, "{:?}", moved);
                proptest::prop_assert_eq!(
                    moved.to_precreated > 0,
                    wanted > buckets(&before),
                    "{:?}", moved
                );
            }
        }
    }
}
