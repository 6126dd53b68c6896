//! Callers and their permissions. This module has the table of what each grant allows. Two ids mean
//! the same client only if the directory says so.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use rollbook_application::store::{Reading, Store};
use rollbook_domain::document::StoredClient;
use rollbook_domain::{Actor, StreamId};
use rollbook_projections::ProjectionError;
use rollbook_projections::directory::keys;
use rollbook_projections::rows::{RowSource, decode, read_row};

use super::denied::AccessDenied;
use super::grant::Grant;
use super::permission::Permission;
use super::roles::grants_as_stored;

/// The sender of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    name: String,
    standing: Principal,
    note: Option<RoleNote>,
}

/// The role in which a caller was authorized, for logs and metrics. Set once: the first role
/// counts.
pub type RoleNote = Arc<OnceLock<&'static str>>;

/// The source of a caller's grants.
#[derive(Clone, Debug)]
enum Principal {
    /// The token or the key gives these grants.
    Holding(BTreeSet<Grant>),
    /// The imported documents of the caller's id give the grants.
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
    /// Whether a list may show a client, given by the id in its streams.
    pub fn holds(&self, client: &str) -> bool {
        match self {
            Self::All => true,
            Self::Clients(clients) => clients.contains(client),
        }
    }
}

impl Caller {
    /// Makes a caller with these grants.
    pub(super) fn holding(name: String, grants: impl IntoIterator<Item = Grant>) -> Self {
        Self { name, standing: Principal::Holding(grants.into_iter().collect()), note: None }
    }

    /// Makes a caller who is only this client.
    #[cfg(test)]
    pub(crate) fn client(id: &str) -> Self {
        Self::holding(id.to_owned(), [Grant::Client(id.to_owned())])
    }

    /// Makes a caller with an id whose grants the imported documents give.
    pub(super) fn as_stored(subject: String) -> Self {
        Self { name: subject, standing: Principal::AsStored, note: None }
    }

    /// Returns the caller with a note that receives the role once it is known.
    pub fn noting(self, note: RoleNote) -> Self {
        Self { note: Some(note), ..self }
    }

    fn note(&self, grant: &Grant) {
        if let Some(note) = &self.note {
            note.get_or_init(|| grant.role());
        }
    }

    /// Returns the name for logs: the subject of a token, or the name of a key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the caller is an administrator. Does not read the store.
    pub fn is_admin(&self) -> bool {
        let is_admin = matches!(&self.standing, Principal::Holding(grants) if grants.iter().eq([&Grant::Admin]));
        if is_admin {
            self.note(&Grant::Admin);
        }
        is_admin
    }

    /// As [`Caller::authorize_in`], with a snapshot of its own.
    ///
    /// # Errors
    /// As [`Caller::authorize_in`].
    pub fn authorize(
        &self,
        store: &Store,
        permission: Permission<'_>,
    ) -> Result<Actor, AccessDenied> {
        self.authorize_in(&store.reading(), permission)
    }

    /// Requires a permission. Returns the actor of the request.
    ///
    /// # Errors
    /// [`AccessDenied::Forbidden`], which is the same whether the thing exists or not;
    /// [`AccessDenied::Store`].
    pub fn authorize_in(
        &self,
        reading: &Reading<'_>,
        permission: Permission<'_>,
    ) -> Result<Actor, AccessDenied> {
        for grant in self.grants(reading)?.iter() {
            if let Some(actor) = self.allowed(grant, reading, permission)? {
                self.note(grant);
                return Ok(actor);
            }
        }
        Err(AccessDenied::Forbidden)
    }

    /// Whether the caller has any grant; `None` if only the imported documents tell.
    pub fn has_any_grant(&self) -> Option<bool> {
        match &self.standing {
            Principal::Holding(grants) => Some(!grants.is_empty()),
            Principal::AsStored => None,
        }
    }

    /// Requires that the caller has any grant. Reads the imported documents if only they tell.
    ///
    /// # Errors
    /// [`AccessDenied::Forbidden`]; [`AccessDenied::Store`].
    pub fn require_any_right(&self, store: &Store) -> Result<(), AccessDenied> {
        if self.grants(&store.reading())?.is_empty() {
            return Err(AccessDenied::Forbidden);
        }
        Ok(())
    }

    /// Returns the clients whose check-ins the caller may see in lists.
    ///
    /// # Errors
    /// [`AccessDenied::Store`].
    pub fn sees(&self, store: &Store) -> Result<Visible, AccessDenied> {
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

    fn grants(&self, reading: &Reading<'_>) -> Result<Cow<'_, BTreeSet<Grant>>, AccessDenied> {
        Ok(match &self.standing {
            Principal::Holding(grants) => Cow::Borrowed(grants),
            Principal::AsStored => {
                Cow::Owned(grants_as_stored(reading, &self.name)?.into_iter().collect())
            }
        })
    }

    /// Returns the actor of a request that a grant allows; `None` if it does not.
    fn allowed(
        &self,
        grant: &Grant,
        reading: &Reading<'_>,
        permission: Permission<'_>,
    ) -> Result<Option<Actor>, AccessDenied> {
        let admin = || Actor::Admin(self.name.clone());
        Ok(match grant {
            Grant::Client(own) => as_client(reading, own, permission)?,
            Grant::Coach(coach) => {
                as_coach(reading, coach, permission)?.then(|| Actor::Coach(coach.clone()))
            }
            Grant::Metrics => matches!(permission, Permission::Metrics).then(admin),
            Grant::Status => matches!(
                permission,
                Permission::Status | Permission::ReadSwitch | Permission::Flag(_)
            )
            .then(admin),
            Grant::Switch => matches!(
                permission,
                Permission::Switch | Permission::ReadSwitch | Permission::Flag(_)
            )
            .then(admin),
            Grant::Migrations => matches!(
                permission,
                Permission::Migrate
                    | Permission::BatchHistory
                    | Permission::Stream(StreamId::Control)
                    | Permission::Status
            )
            .then(admin),
            Grant::Admin => Some(admin()),
        })
    }
}

/// A client may see and answer their own check-ins, and nothing else.
fn as_client(
    reading: &Reading<'_>,
    own: &str,
    permission: Permission<'_>,
) -> Result<Option<Actor>, AccessDenied> {
    let (Permission::CheckIns(client) | Permission::AnswerFor(client) | Permission::Flag(client)) =
        permission
    else {
        return Ok(None);
    };
    let own = canonical(reading, own)?;
    Ok((canonical(reading, client)? == own).then_some(Actor::Client(own)))
}

/// A coach may do what their clients may, but not act as another coach.
fn as_coach(
    reading: &Reading<'_>,
    coach: &str,
    permission: Permission<'_>,
) -> Result<bool, AccessDenied> {
    let client = match permission {
        Permission::CoachList(named) => return Ok(named == coach),
        Permission::CoachOf { coach: Some(named), .. } if named != coach => return Ok(false),
        Permission::CoachOf { client, .. }
        | Permission::CheckIns(client)
        | Permission::AnswerFor(client)
        | Permission::Flag(client) => client,
        Permission::Stream(StreamId::Series { client, .. } | StreamId::Client(client)) => client,
        _ => return Ok(false),
    };
    let client = canonical(reading, client)?;
    let rows = reading.directory()?;
    let document: Option<StoredClient> =
        read_row(&rows, &keys::client(&client)).map_err(unreadable)?;
    Ok(document.is_some_and(|client| !coach.is_empty() && client.coach == coach))
}

/// The one id that all ids of a client lead to.
fn canonical(reading: &Reading<'_>, id: &str) -> Result<String, AccessDenied> {
    Ok(reading.identify(id)?.canonical().to_owned())
}

/// The clients whose coach this is.
fn clients_of(reading: &Reading<'_>, coach: &str) -> Result<Vec<String>, AccessDenied> {
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

fn unreadable(error: ProjectionError) -> AccessDenied {
    AccessDenied::Store(error.into())
}
