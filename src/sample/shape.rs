//! The series of a sample: when they start, and which weeks are answered. `rows` has the
//! table of the demo; this module has the arithmetic of the scaled sample, and all dates.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc};

use super::people::{Client, Coach, Draw, Form, Purpose};
use super::rows::{DEMO, Row};
use super::{SampleOptions, SampleSize};

/// The number of different first weeks in a scaled sample; the last is the week of the export.
const MOST_WEEKS_AGO: u32 = 12;

/// All series of a sample, computed one at a time.
pub struct Shape<'a> {
    options: &'a SampleOptions,
    /// The Monday of the week of the export.
    monday: NaiveDate,
}

/// One allocation of a form to a client, with its dates and responses.
#[derive(Clone, Debug)]
pub struct Series {
    pub client: Client,
    pub form: Form,
    pub total_weeks: u32,
    /// The due date of week 1.
    pub base_monday: NaiveDate,
    pub assigned_at: DateTime<Utc>,
    /// The old application's id of week 1.
    pub legacy_id: String,
    /// Ordered by week, starting with week 1.
    pub answers: Vec<Answer>,
}

/// One response, and the assignment document that it names.
#[derive(Clone, Debug)]
pub struct Answer {
    pub week: u32,
    /// The week of the assignment document that the response names.
    pub filed_under: u32,
    pub says_its_week: bool,
    pub response_id: String,
    /// The id of the assignment document that the response names.
    pub assignment_id: String,
    pub submitted_at: DateTime<Utc>,
    pub questions: u32,
    pub score: u64,
    /// The random numbers of the answers.
    pub draw: Draw,
}

impl Answer {
    pub fn is_misfiled(&self) -> bool {
        self.week != self.filed_under
    }

    pub fn is_stored_under_its_week(&self) -> bool {
        !self.is_misfiled()
    }
}

impl Series {
    pub fn is_recurring(&self) -> bool {
        self.total_weeks > 1
    }

    /// The number of weeks with an assignment document.
    pub fn stored_weeks(&self) -> u32 {
        self.answers.iter().map(|answer| u32::from(answer.is_stored_under_its_week())).sum()
    }

    pub fn first_missing_week(&self) -> Option<u32> {
        let is_stored = |week| self.answers.iter().any(|answer| answer.filed_under == week);
        (1..=self.total_weeks).find(|week| !is_stored(*week))
    }

    /// The due time of a week: its Monday at 09:00.
    pub fn due(&self, week: u32) -> DateTime<Utc> {
        due(self.base_monday, week)
    }
}

fn due(base_monday: NaiveDate, week: u32) -> DateTime<Utc> {
    midnight(base_monday) + Duration::weeks(i64::from(week) - 1) + Duration::hours(9)
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

impl<'a> Shape<'a> {
    pub fn new(options: &'a SampleOptions) -> Self {
        let days_into_week = i64::from(options.today.weekday().num_days_from_monday());
        Self { options, monday: options.today - Duration::days(days_into_week) }
    }

    pub fn client_count(&self) -> u32 {
        match self.options.size {
            SampleSize::Demo => 26,
            SampleSize::Scaled { clients, .. } => clients,
        }
    }

    pub fn coach_count(&self) -> u32 {
        (self.client_count() / 100).max(2)
    }

    pub fn form_count(&self) -> u32 {
        match self.options.size {
            SampleSize::Demo => 2,
            SampleSize::Scaled { series_per_client, .. } => series_per_client,
        }
    }

    pub fn clients(&self) -> impl Iterator<Item = Client> {
        (0..self.client_count()).map(|number| self.client(number))
    }

    pub fn coaches(&self) -> impl Iterator<Item = Coach> {
        (0..self.coach_count()).map(|number| self.coach(number))
    }

    pub fn forms(&self) -> impl Iterator<Item = Form> {
        (0..self.form_count()).map(|number| self.form(number))
    }

    /// All series, ordered by client and form.
    pub fn series(&self) -> impl Iterator<Item = Series> {
        (0..self.series_count()).filter_map(|number| Some(self.fill(number, self.row(number)?)))
    }

    fn series_count(&self) -> u64 {
        match self.options.size {
            SampleSize::Demo => DEMO.len() as u64,
            SampleSize::Scaled { clients, series_per_client, .. } => {
                u64::from(clients) * u64::from(series_per_client)
            }
        }
    }

    fn row(&self, number: u64) -> Option<Row> {
        let SampleSize::Scaled { series_per_client, total_weeks, .. } = self.options.size else {
            return DEMO.get(usize::try_from(number).ok()?).copied();
        };
        let client = u32::try_from(number / u64::from(series_per_client)).ok()?;
        let form = u32::try_from(number % u64::from(series_per_client)).ok()?;
        // A client's forms start in different weeks; otherwise they hide each other in the old
        // view.
        let weeks_ago = i64::from(client % MOST_WEEKS_AGO + form) % i64::from(MOST_WEEKS_AGO);
        let row = Row { form, ..Row::weekly(client, total_weeks, weeks_ago) };
        let row = if number % 20 == 7 && total_weeks > 1 { row.misfiled(2) } else { row };
        Some(if number % 13 == 5 { row.weekless() } else { row })
    }

    fn client(&self, number: u32) -> Client {
        let coach_id = self.coach(number % self.coach_count()).id;
        Client::new(self.options.seed, number, coach_id, self.setup_time())
    }

    fn coach(&self, number: u32) -> Coach {
        Coach::new(self.options.seed, number)
    }

    fn form(&self, number: u32) -> Form {
        Form::new(self.options.seed, number, self.coach(0).id, self.setup_time())
    }

    /// An instant before all allocations.
    fn setup_time(&self) -> DateTime<Utc> {
        midnight(self.monday) - Duration::weeks(i64::from(MOST_WEEKS_AGO) + 2) + Duration::hours(6)
    }

    fn fill(&self, number: u64, row: Row) -> Series {
        let base_monday = self.monday - Duration::weeks(row.weeks_ago);
        // Ten days before the first due date, one allocation every 17 minutes.
        let minutes = i64::from(row.client) * 17 % (14 * 60);
        let assigned_at = midnight(base_monday) - Duration::days(10)
            + Duration::hours(6)
            + Duration::minutes(minutes);
        let form = self.form(row.form);
        let tail = Draw::new(self.options.seed, Purpose::Series, number).lower_id(9);
        let legacy_id = format!(
            "assignment-{}-{tail}",
            assigned_at.timestamp_millis() + i64::from(row.form) * 5000
        );
        let own = std::iter::once(1).chain(row.answered.iter().copied()).map(|week| (week, week));
        let answers = own.chain(row.misfiled.map(|week| (week, 1)));
        let answers = answers
            .map(|(week, filed_under)| self.answer(number, row, week, filed_under))
            .collect();
        Series {
            client: self.client(row.client),
            form,
            total_weeks: row.total_weeks,
            base_monday,
            assigned_at,
            legacy_id,
            answers,
        }
    }

    fn answer(&self, number: u64, row: Row, week: u32, filed_under: u32) -> Answer {
        let of_week = |week: u32| (number << 32) | u64::from(week);
        let mut draw = Draw::new(self.options.seed, Purpose::Response, of_week(week));
        let response_id = draw.id(20);
        // From one day before the due date to two days after it, but before the day of the export.
        let due = due(self.monday - Duration::weeks(row.weeks_ago), week);
        let on_time = due + Duration::hours(i64::from(row.client) * 7 % 75 - 31);
        let yesterday = midnight(self.options.today) - Duration::days(1);
        let at_latest = yesterday
            + Duration::hours(i64::from(row.client) % 20)
            + Duration::minutes(i64::from(week + row.form * 20));
        Answer {
            week,
            filed_under,
            says_its_week: week > 1 || !row.weekless,
            response_id,
            assignment_id: self.assignment_id(of_week(filed_under)),
            submitted_at: on_time.min(at_latest),
            questions: 2 + u32::try_from(draw.below(6)).unwrap_or_default(),
            score: 30 + draw.below(70),
            draw,
        }
    }

    fn assignment_id(&self, number: u64) -> String {
        Draw::new(self.options.seed, Purpose::Assignment, number).id(20)
    }
}
