//! Who asks, and whether they may. Owns what each grant allows, and how an id leads to the client whose data it is: two ids are one
//! client when the directory says so, and nothing else makes them one.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use rollbook_application::store::Store;
use rollbook_domain::document::StoredClient;
use rollbook_domain::{Actor, StreamId};
use rollbook_projections::directory::{self, Directory, keys};
use rollbook_projections::rows::{RowSource, decode, read_row};
use rollbook_projections::{ProjectionError, Snapshot};

use super::denied::AccessDenied;
use super::grant::Grant;
use super::permission::Permission;
use super::roles::grants_as_stored;

/// Who sends a request.
#[derive(Clone, Debug)]
pub struct Caller {
    name: String,
    standing: Standing,
    note: Option<RoleNote>,
}

/// The role in which a caller was let through, noted by whoever decides for whoever tells of it. The first one stands.
pub type RoleNote = Arc<OnceLock<&'static str>>;

/// What a caller holds.
#[derive(Clone, Debug)]
enum Standing {
    /// These grants.
    Holding(BTreeSet<Grant>),
    /// What the imported documents say of the caller, who goes by this id there.
    AsStored,
}

/// Whose data lists may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visible {
    /// Everybody's.
    All,
    /// That of these clients, by the ids of their documents.
    Clients(BTreeSet<String>),
}

impl Visible {
    /// Whether a client's data is among it; the client by the id that its streams have.
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

    /// A caller of whom only the id is known: the store's documents say the rest.
    pub(super) fn as_stored(subject: String) -> Self {
        Self { name: subject, standing: Standing::AsStored, note: None }
    }

    /// The same caller, whose role is noted once it is known.
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

    /// Whether the caller may have everything, which takes no look into the store to say.
    pub fn is_admin(&self) -> bool {
        let is_admin = matches!(&self.standing, Standing::Holding(grants) if grants.iter().eq([&Grant::Admin]));
        if is_admin {
            self.note(&Grant::Admin);
        }
        is_admin
    }

    /// Whether the caller may have this, and on whose behalf it is then done.
    ///
    /// # Errors
    /// [`AccessDenied::Forbidden`], which is the same whether the thing exists or not; [`AccessDenied::Store`].
    pub fn authorize(
        &self,
        store: &Store,
        permission: Permission<'_>,
    ) -> Result<Actor, AccessDenied> {
        for grant in self.grants(store)?.iter() {
            if let Some(actor) = self.allowed(grant, store, permission)? {
                self.note(grant);
                return Ok(actor);
            }
        }
        Err(AccessDenied::Forbidden)
    }

    /// Whose check-ins the caller may see in lists.
    ///
    /// # Errors
    /// [`AccessDenied::Store`].
    pub fn sees(&self, store: &Store) -> Result<Visible, AccessDenied> {
        let mut visible = BTreeSet::new();
        for grant in self.grants(store)?.iter() {
            self.note(grant);
            match grant {
                Grant::Admin => return Ok(Visible::All),
                Grant::Client(own) => {
                    visible.insert(canonical(&Identities::of(store)?, own)?);
                }
                Grant::Coach(coach) => visible.extend(clients_of(&Identities::of(store)?, coach)?),
                _ => {}
            }
        }
        Ok(Visible::Clients(visible))
    }

    fn grants(&self, store: &Store) -> Result<Cow<'_, BTreeSet<Grant>>, AccessDenied> {
        Ok(match &self.standing {
            Standing::Holding(grants) => Cow::Borrowed(grants),
            Standing::AsStored => {
                Cow::Owned(grants_as_stored(store, &self.name)?.into_iter().collect())
            }
        })
    }

    /// In which capacity a grant allows something, if it does.
    fn allowed(
        &self,
        grant: &Grant,
        store: &Store,
        permission: Permission<'_>,
    ) -> Result<Option<Actor>, AccessDenied> {
        let admin = || Actor::Admin(self.name.clone());
        Ok(match grant {
            Grant::Client(own) => as_client(store, own, permission)?,
            Grant::Coach(coach) => {
                as_coach(store, coach, permission)?.then(|| Actor::Coach(coach.clone()))
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

/// A client has their own check-ins, and nothing else.
fn as_client(
    store: &Store,
    own: &str,
    permission: Permission<'_>,
) -> Result<Option<Actor>, AccessDenied> {
    let (Permission::CheckIns(client) | Permission::AnswerFor(client) | Permission::Flag(client)) =
        permission
    else {
        return Ok(None);
    };
    let directory = Identities::of(store)?;
    let own = canonical(&directory, own)?;
    Ok((canonical(&directory, client)? == own).then_some(Actor::Client(own)))
}

/// A coach has what their clients have, and acts in no other coach's name.
fn as_coach(store: &Store, coach: &str, permission: Permission<'_>) -> Result<bool, AccessDenied> {
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
    let directory = Identities::of(store)?;
    let client = canonical(&directory, client)?;
    let document: Option<StoredClient> =
        read_row(&directory.rows()?, &keys::client(&client)).map_err(unreadable)?;
    Ok(document.is_some_and(|client| !coach.is_empty() && client.coach == coach))
}

/// The directory as it is now: who is whom.
struct Identities(Snapshot);

impl Identities {
    fn of(store: &Store) -> Result<Self, AccessDenied> {
        Ok(Self(store.snapshot()?))
    }

    fn rows(&self) -> Result<impl RowSource + '_, AccessDenied> {
        Ok(self.0.rows::<Directory>().map_err(unreadable)?.0)
    }
}

/// The one id that all ids of a client lead to.
fn canonical(directory: &Identities, id: &str) -> Result<String, AccessDenied> {
    Ok(directory::identify(&directory.rows()?, id).map_err(unreadable)?.canonical().to_owned())
}

/// The clients whose coach this is.
fn clients_of(directory: &Identities, coach: &str) -> Result<Vec<String>, AccessDenied> {
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
    directory.rows()?.scan(keys::ALL_CLIENTS, visit).map_err(unreadable)?;
    Ok(clients)
}

fn unreadable(error: ProjectionError) -> AccessDenied {
    AccessDenied::Store(error.into())
}
