//! The kinds of migration that this build knows.

use rollbook_domain::calendar::Zone;
use rollbook_projections::Runtime;

use crate::definition::Definition;
use crate::error::MigrationError;
use crate::inverse::Inverse;
use crate::precreate::Precreate;
use crate::realign::Realign;
use crate::rules::Options;
use crate::window::Window;

/// The definition of a kind with its options. The kind `inverse` reads the batch that it undoes
/// from the store.
pub(crate) fn definition(
    options: &Options,
    zone: Zone,
    runtime: &Runtime,
) -> Result<Box<dyn Definition>, MigrationError> {
    Ok(match options {
        Options::Precreate(due) => Box::new(Precreate { due: *due, zone }),
        Options::Realign(options) => Box::new(Realign { options: options.clone(), zone }),
        Options::Window(options) => Box::new(Window { options: options.clone(), zone }),
        Options::Inverse(options) => Box::new(Inverse::read(options, zone, runtime)?),
    })
}

/// Whether this build knows a kind.
pub(crate) fn is_known(kind: &str) -> bool {
    Options::KINDS.contains(&kind)
}

/// The names of all kinds, for error messages.
pub(crate) fn names() -> String {
    Options::KINDS.join(", ")
}

/// What the events of a kind may change in the legacy view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LegacyEffect {
    /// Nothing.
    Nothing,
    /// The field that each event changes, of the week that it names.
    ItsField,
}

/// What a kind may change in the legacy view. An unknown kind may change nothing.
pub(crate) fn legacy_effect(kind: &str) -> LegacyEffect {
    match kind {
        "realign" | "window" | "inverse" => LegacyEffect::ItsField,
        _ => LegacyEffect::Nothing,
    }
}
