//! Made-up clients, coaches and forms, and the random numbers of all sample data. Each sequence
//! depends only on the seed, the purpose and a number, and not on earlier sequences. The files can
//! therefore be written one after another without keeping ids in memory.

use chrono::{DateTime, Duration, Utc};

/// The purpose of a sequence.
#[derive(Clone, Copy)]
pub enum Purpose {
    Client,
    AuthUid,
    Coach,
    Form,
    Series,
    Assignment,
    Response,
}

/// A sequence of pseudo-random numbers (SplitMix64).
///
/// This is not a crate's generator because the output must never change: the demo, the README and
/// the expected figures of tests use ids made from it.
#[derive(Clone, Debug)]
pub struct Draw(u64);

const LETTERS_AND_DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

impl Draw {
    pub fn new(seed: u64, purpose: Purpose, number: u64) -> Self {
        let mut mixed = Self(seed ^ ((purpose as u64 + 1) << 56));
        Self(mixed.next() ^ number)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// A document id in the form of the old database.
    pub fn id(&mut self, length: usize) -> String {
        self.text(length, LETTERS_AND_DIGITS.len() as u64)
    }

    /// The last part of an id of the old application: lower-case letters and digits.
    pub fn lower_id(&mut self, length: usize) -> String {
        self.text(length, 36)
    }

    fn text(&mut self, length: usize, letters: u64) -> String {
        (0..length).map(|_| char::from(*nth(LETTERS_AND_DIGITS, self.below(letters)))).collect()
    }
}

/// The item at `number` modulo the length of a list, which must not be empty.
pub fn nth<T>(list: &[T], number: u64) -> &T {
    let index = usize::try_from(number).unwrap_or_default() % list.len();
    #[allow(clippy::indexing_slicing)] // The remainder is within the list.
    &list[index]
}

/// A client of the sample.
#[derive(Clone, Debug)]
pub struct Client {
    pub number: u32,
    pub id: String,
    /// The second identity, if any. It can equal the id.
    pub auth_uid: Option<String>,
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub coach_id: String,
    pub created_at: DateTime<Utc>,
}

/// A coach of the sample.
#[derive(Clone, Debug)]
pub struct Coach {
    pub number: u32,
    pub id: String,
    pub first_name: &'static str,
    pub last_name: &'static str,
}

/// A form of the sample.
#[derive(Clone, Debug)]
pub struct Form {
    pub id: String,
    pub title: String,
    pub coach_id: String,
    pub created_at: DateTime<Utc>,
}

/// From A to Z, so that a letter identifies a client of the demo.
const FIRST_NAMES: [&str; 26] = [
    "Asta", "Ben", "Caro", "Dana", "Emil", "Fay", "Greta", "Hugo", "Iris", "Joel", "Kim", "Lars",
    "Mina", "Nils", "Olga", "Paul", "Quent", "Rosa", "Sven", "Tilda", "Ugo", "Vera", "Walt",
    "Xander", "Yael", "Zita",
];
const LAST_NAMES: [&str; 23] = [
    "Alder", "Brook", "Cliff", "Dune", "Ember", "Field", "Grove", "Hill", "Inlet", "Jetty", "Kelp",
    "Ledge", "Moor", "Nook", "Orchard", "Pond", "Quay", "Ravine", "Shore", "Tarn", "Umber",
    "Valley", "Wharf",
];
const FORM_TITLES: [&str; 5] =
    ["Weekly Check In", "Habits Review", "Sleep Diary", "Training Log", "Nutrition Review"];

impl Client {
    pub fn new(seed: u64, number: u32, coach_id: String, before: DateTime<Utc>) -> Self {
        let mut draw = Draw::new(seed, Purpose::Client, number.into());
        let id = draw.id(28);
        // The oldest clients have no second identity. For most others the two ids differ.
        let auth_uid = match number % 6 {
            3 => None,
            1 | 4 => Some(id.clone()),
            _ => Some(Draw::new(seed, Purpose::AuthUid, number.into()).id(28)),
        };
        let created_at = before - Duration::hours(i64::from(number) * 19 % 700);
        let (first_name, last_name) =
            (nth(&FIRST_NAMES, number.into()), nth(&LAST_NAMES, u64::from(number) * 7));
        Self { number, id, auth_uid, first_name, last_name, coach_id, created_at }
    }
}

impl Coach {
    pub fn new(seed: u64, number: u32) -> Self {
        let id = Draw::new(seed, Purpose::Coach, number.into()).id(28);
        let (first_name, last_name) = (
            nth(&FIRST_NAMES, u64::from(number) + 17),
            nth(&LAST_NAMES, u64::from(number) * 5 + 3),
        );
        Self { number, id, first_name, last_name }
    }
}

impl Form {
    pub fn new(seed: u64, number: u32, coach_id: String, created_at: DateTime<Utc>) -> Self {
        let created_at = created_at + Duration::seconds(number.into());
        let tail = Draw::new(seed, Purpose::Form, number.into()).lower_id(9);
        let title = match FORM_TITLES.get(number as usize) {
            Some(title) => (*title).to_owned(),
            None => format!("Check In {}", number + 1),
        };
        Self {
            id: format!("form-{}-{tail}", created_at.timestamp_millis()),
            title,
            coach_id,
            created_at,
        }
    }
}
