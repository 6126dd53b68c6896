//! Which fields of a week later events have changed, and how these changes go on beside a new
//! version of the document.

use std::sync::Arc;

use crate::document::StoredAssignment;
use crate::json::JsonText;
use crate::limits::cap_weeks;

/// The fields of a week that later events have changed. They override the imported document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::series) struct Overrides {
    pub(super) answer: Option<AnswerChange>,
    pub(super) due: bool,
    pub(super) status: bool,
    pub(super) paused_until: bool,
    pub(super) extension_granted: bool,
    pub(super) total_weeks: bool,
    pub(super) window: bool,
}

/// The source of a week's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerSource {
    /// The client submitted it to Rollbook. It stays even if an import removes the document.
    Client,
    /// A migration linked an imported response.
    Migration,
    /// A correction placed it here. It stays even if an import removes the document.
    Correction,
}

/// The last change of a week's response, completion time and score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerChange {
    Given(AnswerSource),
    Cleared,
}

/// The bits of [`Overrides`] in a row, with the number of an [`AnswerChange`] in bits 5 to 7.
impl Overrides {
    const ANSWERS: [Option<AnswerChange>; 5] = [
        None,
        Some(AnswerChange::Given(AnswerSource::Client)),
        Some(AnswerChange::Given(AnswerSource::Migration)),
        Some(AnswerChange::Given(AnswerSource::Correction)),
        Some(AnswerChange::Cleared),
    ];
    const ANSWER_BIT: u32 = 5;
    const ANSWER_MASK: u16 = 0b111;
    const WINDOW_BIT: u32 = 8;

    /// The form in a row: 9 bits.
    pub(in crate::series) fn to_bits(self) -> u16 {
        let answer = match self.answer {
            None => 0,
            Some(AnswerChange::Given(AnswerSource::Client)) => 1,
            Some(AnswerChange::Given(AnswerSource::Migration)) => 2,
            Some(AnswerChange::Given(AnswerSource::Correction)) => 3,
            Some(AnswerChange::Cleared) => 4,
        };
        u16::from(self.due)
            | u16::from(self.status) << 1
            | u16::from(self.paused_until) << 2
            | u16::from(self.extension_granted) << 3
            | u16::from(self.total_weeks) << 4
            | answer << Self::ANSWER_BIT
            | u16::from(self.window) << Self::WINDOW_BIT
    }

    /// Reads the form in a row; `None` if it is not one.
    pub(in crate::series) fn from_bits(bits: u16) -> Option<Self> {
        if bits >> (Self::WINDOW_BIT + 1) != 0 {
            return None;
        }
        let has = |bit: u32| bits & (1 << bit) != 0;
        let answer = bits >> Self::ANSWER_BIT & Self::ANSWER_MASK;
        Some(Self {
            answer: *Self::ANSWERS.get(usize::from(answer))?,
            due: has(0),
            status: has(1),
            paused_until: has(2),
            extension_granted: has(3),
            total_weeks: has(4),
            window: has(Self::WINDOW_BIT),
        })
    }
}

impl Overrides {
    /// Copies the changed fields of the earlier version into a new version of the document.
    pub(super) fn carry(self, earlier: StoredAssignment, stored: &mut StoredAssignment) {
        if self.answer.is_some() {
            stored.response = earlier.response;
            stored.completed_at = earlier.completed_at;
            stored.score = earlier.score;
        }
        if self.due {
            stored.due = earlier.due;
        }
        if self.status {
            stored.status = earlier.status;
        }
        if self.paused_until {
            stored.paused_until = earlier.paused_until;
        }
        stored.extension_granted |= self.extension_granted;
        stored.opened = earlier.opened;
        if self.total_weeks {
            set_total_weeks(stored, earlier.shared.total_weeks);
        }
        if self.window {
            set_window(stored, earlier.shared.window.as_ref());
        }
    }
}

impl Overrides {
    /// The changes of a made week that still count beside those of the document that becomes it. At
    /// most one of the two was answered here: see [`super::Items::adopt`].
    pub(super) fn beside(self, of_document: Self, is_completed: bool) -> Self {
        let answer = match self.answer {
            // A response that was given here counts more than one that a migration linked.
            Some(AnswerChange::Given(AnswerSource::Client | AnswerSource::Correction)) => {
                self.answer
            }
            Some(AnswerChange::Given(AnswerSource::Migration)) if !is_completed => self.answer,
            // The response that was cleared is not the one of the document.
            Some(AnswerChange::Given(AnswerSource::Migration) | AnswerChange::Cleared) | None => {
                None
            }
        };
        Self {
            answer,
            due: self.due && !of_document.due,
            status: self.status && (answer.is_some() || !(of_document.status || is_completed)),
            paused_until: self.paused_until && !of_document.paused_until,
            extension_granted: self.extension_granted,
            total_weeks: self.total_weeks && !of_document.total_weeks,
            window: self.window && !of_document.window,
        }
    }

    /// Leaves a migration's link behind: it belongs to a week, not to a document.
    pub(super) fn keep_link(&mut self) {
        if self.answer == Some(AnswerChange::Given(AnswerSource::Migration)) {
            (self.answer, self.status) = (None, false);
        }
    }

    /// The changes of both.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            answer: self.answer.or(other.answer),
            due: self.due || other.due,
            status: self.status || other.status,
            paused_until: self.paused_until || other.paused_until,
            extension_granted: self.extension_granted || other.extension_granted,
            total_weeks: self.total_weeks || other.total_weeks,
            window: self.window || other.window,
        }
    }
}

/// Sets the number of weeks of the run.
pub(super) fn set_total_weeks(stored: &mut StoredAssignment, total_weeks: u32) {
    let shared = Arc::make_mut(&mut stored.shared);
    shared.total_weeks = cap_weeks(total_weeks);
    shared.recurring |= total_weeks > 1;
}

/// Sets the check-in window.
pub(super) fn set_window(stored: &mut StoredAssignment, window: Option<&JsonText>) {
    if stored.shared.window.as_ref() != window {
        Arc::make_mut(&mut stored.shared).window = window.cloned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_in_a_row_is_read_back_and_keeps_its_numbers() {
        for answer in Overrides::ANSWERS {
            for flags in 0..1_u16 << 6 {
                let has = |bit: u32| flags & (1 << bit) != 0;
                let overrides = Overrides {
                    answer,
                    due: has(0),
                    status: has(1),
                    paused_until: has(2),
                    extension_granted: has(3),
                    total_weeks: has(4),
                    window: has(5),
                };
                assert_eq!(Overrides::from_bits(overrides.to_bits()), Some(overrides));
            }
        }
        let none = Overrides::default();
        let cleared = Overrides { answer: Some(AnswerChange::Cleared), due: true, ..none };
        assert_eq!(cleared.to_bits(), 0b1000_0001);
        assert_eq!(Overrides { window: true, ..none }.to_bits(), 0b1_0000_0000);
        for unknown in [0b1010_0000, 0b10_0000_0000] {
            assert_eq!(Overrides::from_bits(unknown), None, "{unknown:b}");
        }
    }
}
