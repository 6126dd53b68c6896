//! The series of the demo as a table, and the form of its rows.

/// One allocation of a form to a client, without dates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) client: u32,
    pub(super) form: u32,
    pub(super) total_weeks: u32,
    /// The number of weeks from the first week to the week of the export; negative for a later
    /// start.
    pub(super) weeks_ago: i64,
    /// Later weeks that are answered and have a document.
    pub(super) answered: &'static [u32],
    /// A later week whose response the old system stored under week 1.
    pub(super) misfiled: Option<u32>,
    /// Whether the response to week 1 has no week.
    pub(super) weekless: bool,
}

impl Row {
    /// A client's main form. Week 1 is answered in every row.
    pub(super) const fn weekly(client: u32, total_weeks: u32, weeks_ago: i64) -> Self {
        Self {
            client,
            form: 0,
            total_weeks,
            weeks_ago,
            answered: &[],
            misfiled: None,
            weekless: false,
        }
    }

    /// A second form of the same client, due at the same time.
    pub(super) const fn habits(client: u32, total_weeks: u32, weeks_ago: i64) -> Self {
        Self { form: 1, ..Self::weekly(client, total_weeks, weeks_ago) }
    }

    pub(super) const fn answered(self, answered: &'static [u32]) -> Self {
        Self { answered, ..self }
    }

    pub(super) const fn misfiled(self, week: u32) -> Self {
        Self { misfiled: Some(week), ..self }
    }

    pub(super) const fn weekless(self) -> Self {
        Self { weekless: true, ..self }
    }
}

/// The series of the demo. 28 series have more than one week, 691 weeks have no document, and the
/// responses by week are 1:31 2:2 3:1 4:1 5:1.
pub(super) const DEMO: [Row; 31] = [
    Row::weekly(0, 52, 1).answered(&[2, 3]),
    Row::habits(0, 4, 1),
    Row::weekly(1, 52, 1).misfiled(2),
    // Week 4 is answered early. The old view then hides week 2, the current week, and week 3.
    Row::weekly(2, 52, 1).answered(&[4]),
    Row::weekly(3, 52, 0),
    Row::weekly(4, 52, 2).weekless(),
    Row::weekly(5, 52, 1),
    Row::habits(5, 8, 1),
    Row::weekly(6, 52, 3),
    // The response to the current week is under week 1, so the old view shows the week as open.
    Row::weekly(7, 52, 4).misfiled(5),
    Row::weekly(8, 52, 0),
    Row::weekly(9, 52, 2),
    Row::habits(9, 1, 2),
    Row::weekly(10, 52, 1),
    Row::weekly(11, 52, 3).weekless(),
    Row::weekly(12, 8, 1),
    Row::weekly(13, 8, 2),
    Row::habits(13, 1, 2),
    Row::weekly(14, 8, 0),
    Row::weekly(15, 8, 4),
    Row::weekly(16, 8, 3),
    Row::weekly(17, 8, 1),
    Row::weekly(18, 6, 2),
    Row::weekly(19, 6, 0),
    Row::weekly(20, 6, 1),
    Row::habits(20, 1, 1),
    Row::weekly(21, 4, 2),
    Row::weekly(22, 4, 1),
    Row::weekly(23, 4, 0),
    Row::weekly(24, 4, 3),
    Row::weekly(25, 4, -1),
];
