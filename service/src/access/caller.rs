//! Callers and what they are allowed to do. The table of what each grant allows is here. Two ids
//! are one client only if the directory says so.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use rollbook_application::store::{Reading, Store};
use rollbook_domain::document::StoredClient;
use rollbook_domain::{Actor, StreamId};
use rollbook_projections::ProjectionError;
use rollbook_projections::directory::keys;
use rollbook_projections::rows::{RowSource, decode, read_row};

use super::denied::Denied;
use super::roles::grants_as_stored;
use super::wants::Wants;

/// A right of a caller. Grants are tried in this order, the narrowest first: the first one that
/// allows a request decides as which actor it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// One client, by any id.
    Client(String),
    /// The clients of one coach.
    Coach(String),
    /// The service's figures.
    Metrics,
    /// The status of the store, and reading the switch.
    Status,
    /// Changing which view serves which clients.
    Switch,
    /// Planning, applying and validating migrations.
    Migrations,
    /// Everything.
    Admin,
}

impl Grant {
    /// The role that the right belongs to.
    fn role(&self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::Coach(_) => "coach",
            Self::Metrics | Self::Status | Self::Switch | Self::Migrations => "operator",
            Self::Admin => "admin",
        }
    }
}

/// Who sends a request.
#[derive(Clone, Debug)]
pub struct Caller {
    name: String,
    standing: Standing,
    note: Option<RoleNote>,
}

/// The role in which a caller was authorized, for logs and metrics. Set once: the first role
/// counts.
pub type RoleNote = Arc<OnceLock<&'static str>>;

/// Where the rights of a caller come from.
#[derive(Clone, Debug)]
enum Standing {
    /// These grants.
    Holding(BTreeSet<Grant>),
    /// The imported documents, in which the caller has this id.
    AsStored,
}

/// The clients whose data a list may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visible {
    /// All clients.
    All,
    /// These clients, by the ids of their documents.
    Clients(BTreeSet<String>),
}

impl Visible {
    /// Whether a client is among them; the client by the id that its streams have.
    pub fn holds(&self, client: &str) -> bool {
        match self {
            Self::All => true,
            Self::Clients(clients) => clients.contains(client),
        }
    }
}

impl Caller {
    /// A caller with these grants.
    pub(super) fn holding(name: String, grants: impl IntoIterator<Item = Grant>) -> Self {
        Self { name, standing: Standing::Holding(grants.into_iter().collect()), note: None }
    }

    /// A caller who is this client and nothing else.
    #[cfg(test)]
    pub(crate) fn client(id: &str) -> Self {
        Self::holding(id.to_owned(), [Grant::Client(id.to_owned())])
    }

    /// A caller of whom only the id is known; the rights follow from the store's documents.
    pub(super) fn as_stored(subject: String) -> Self {
        Self { name: subject, standing: Standing::AsStored, note: None }
    }

    /// The same caller, whose role is written to a note once it is known.
    pub fn noting(self, note: RoleNote) -> Self {
        Self { note: Some(note), ..self }
    }

    fn note(&self, grant: &Grant) {
        if let Some(note) = &self.note {
            note.get_or_init(|| grant.role());
        }
    }

    /// The name that logs have: a token's subject, a key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the caller may do everything. Does not read the store.
    pub fn is_admin(&self) -> bool {
        let is_admin = matches!(&self.standing, Standing::Holding(grants) if grants.iter().eq([&Grant::Admin]));
        if is_admin {
            self.note(&Grant::Admin);
        }
        is_admin
    }

    /// As [`Caller::may_in`], with a snapshot of its own.
    ///
    /// # Errors
    /// As [`Caller::may_in`].
    pub fn may(&self, store: &Store, wants: Wants<'_>) -> Result<Actor, Denied> {
        self.may_in(&store.reading(), wants)
    }

    /// Whether the caller has a permission, and on whose behalf the request is then done.
    ///
    /// # Errors
    /// [`Denied::Forbidden`], which is the same whether the thing exists or not; [`Denied::Store`].
    pub fn may_in(&self, reading: &Reading<'_>, wants: Wants<'_>) -> Result<Actor, Denied> {
        for grant in self.grants(reading)?.iter() {
            if let Some(actor) = self.allowed(grant, reading, wants)? {
                self.note(grant);
                return Ok(actor);
            }
        }
        Err(Denied::Forbidden)
    }

    /// The clients whose check-ins the caller may see in lists.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub fn sees(&self, store: &Store) -> Result<Visible, Denied> {
        let reading = &store.reading();
        let mut visible = BTreeSet::new();
        for grant in self.grants(reading)?.iter() {
            self.note(grant);
            match grant {
                Grant::Admin => return Ok(Visible::All),
                Grant::Client(own) => {
                    visible.insert(canonical(reading, own)?);
                }
                Grant::Coach(coach) => visible.extend(clients_of(reading, coach)?),
                _ => {}
            }
        }
        Ok(Visible::Clients(visible))
    }

    fn grants(&self, reading: &Reading<'_>) -> Result<Cow<'_, BTreeSet<Grant>>, Denied> {
        Ok(match &self.standing {
            Standing::Holding(grants) => Cow::Borrowed(grants),
            Standing::AsStored => {
                Cow::Owned(grants_as_stored(reading, &self.name)?.into_iter().collect())
            }
        })
    }

    /// The actor as which a grant allows a request, if it does.
    fn allowed(
        &self,
        grant: &Grant,
        reading: &Reading<'_>,
        wants: Wants<'_>,
    ) -> Result<Option<Actor>, Denied> {
        let admin = || Actor::Admin(self.name.clone());
        Ok(match grant {
            Grant::Client(own) => as_client(reading, own, wants)?,
            Grant::Coach(coach) => {
                as_coach(reading, coach, wants)?.then(|| Actor::Coach(coach.clone()))
            }
            Grant::Metrics => matches!(wants, Wants::Metrics).then(admin),
            Grant::Status => {
                matches!(wants, Wants::Status | Wants::ReadSwitch | Wants::Flag(_)).then(admin)
            }
            Grant::Switch => {
                matches!(wants, Wants::Switch | Wants::ReadSwitch | Wants::Flag(_)).then(admin)
            }
            Grant::Migrations => matches!(
                wants,
                Wants::Migrate
                    | Wants::BatchHistory
                    | Wants::Stream(StreamId::Control)
                    | Wants::Status
            )
            .then(admin),
            Grant::Admin => Some(admin()),
        })
    }
}

/// A client may see and answer their own check-ins, and nothing else.
fn as_client(reading: &Reading<'_>, own: &str, wants: Wants<'_>) -> Result<Option<Actor>, Denied> {
    let (Wants::CheckIns(client) | Wants::AnswerFor(client) | Wants::Flag(client)) = wants else {
        return Ok(None);
    };
    let own = canonical(reading, own)?;
    Ok((canonical(reading, client)? == own).then_some(Actor::Client(own)))
}

/// A coach may do what their clients may, but not act as another coach.
fn as_coach(reading: &Reading<'_>, coach: &str, wants: Wants<'_>) -> Result<bool, Denied> {
    let client = match wants {
        Wants::CoachList(named) => return Ok(named == coach),
        Wants::CoachOf { coach: Some(named), .. } if named != coach => return Ok(false),
        Wants::CoachOf { client, .. }
        | Wants::CheckIns(client)
        | Wants::AnswerFor(client)
        | Wants::Flag(client) => client,
        Wants::Stream(StreamId::Series { client, .. } | StreamId::Client(client)) => client,
        _ => return Ok(false),
    };
    let client = canonical(reading, client)?;
    let rows = reading.directory()?;
    let document: Option<StoredClient> =
        read_row(&rows, &keys::client(&client)).map_err(unreadable)?;
    Ok(document.is_some_and(|client| !coach.is_empty() && client.coach == coach))
}

/// The one id that all ids of a client lead to.
fn canonical(reading: &Reading<'_>, id: &str) -> Result<String, Denied> {
    Ok(reading.identify(id)?.canonical().to_owned())
}

/// The clients whose coach this is.
fn clients_of(reading: &Reading<'_>, coach: &str) -> Result<Vec<String>, Denied> {
    let mut clients = Vec::new();
    let visit = &mut |key: &[u8], value: &[u8]| {
        if decode::<StoredClient>(key, value)?.coach == coach {
            clients.push(
                String::from_utf8_lossy(key.get(keys::ALL_CLIENTS.len()..).unwrap_or_default())
                    .into_owned(),
            );
        }
        Ok(())
    };
    reading.directory()?.scan(keys::ALL_CLIENTS, visit).map_err(unreadable)?;
    Ok(clients)
}

fn unreadable(error: ProjectionError) -> Denied {
    Denied::Store(error.into())
}
