//! Reads an export from one stream: the texts of its files, one after another in any order, as
//! `cat export/*.json` writes them. Each file of a collection names its collection; the one that
//! does not is the summary.
//!
//! One file at a time is kept as text.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};
use std::path::PathBuf;

use rollbook_domain::Collection;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::content::{self, SUMMARY};
use super::{Export, ImportError};

/// The name of the stream in error messages. It has no file names.
const WHOLE: &str = "the export";

/// The fields that identify the file of an export that a text is.
#[derive(Deserialize)]
struct Claim {
    collection: Option<String>,
    documents: Option<IgnoredAny>,
}

/// Reads and checks an export from the texts of its files. `progress` is called after each file with
/// the number of documents read so far.
///
/// # Errors
/// As [`super::ExportSource::read`]. An error of the reader is [`ImportError::Unreadable`].
pub(super) fn read(texts: impl Read, progress: &dyn Fn(u64)) -> Result<Export, ImportError> {
    let (mut names, mut read) = (BTreeSet::new(), 0);
    let (mut collections, mut summary, mut unknown) = (BTreeMap::new(), None, Vec::new());
    let texts = serde_json::Deserializer::from_reader(BufReader::new(texts));
    for (number, text) in texts.into_iter::<Box<RawValue>>().enumerate() {
        let place = format!("text {} of {WHOLE}", number + 1);
        let text = text.map_err(|error| unreadable(&place, error))?;
        let name = name_of(&place, text.get())?;
        let file = format!("{name}.json");
        if !names.insert(name.clone()) {
            return Err(ImportError::Untrue { file, why: format!("{WHOLE} has it twice") });
        }
        if name == SUMMARY {
            summary = Some(content::summary(&file, text.get())?);
        } else if let Some(known) = Collection::ALL.iter().find(|known| known.name() == name) {
            let collection = content::collection(&file, *known, text.get())?;
            read += collection.1.len() as u64;
            collections.insert(*known, collection);
        } else {
            unknown.push(content::unknown(&file, name, text.get())?);
        }
        progress(read);
    }
    if let Some(missing) =
        Collection::REQUIRED.iter().find(|required| !collections.contains_key(required))
    {
        return Err(ImportError::MissingCollection {
            path: PathBuf::from(WHOLE),
            collection: missing.name(),
        });
    }
    unknown.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Export { collections: in_order(collections), summary, unknown })
}

/// The collections in the order of [`Collection::ALL`].
fn in_order<T>(mut collections: BTreeMap<Collection, T>) -> Vec<T> {
    Collection::ALL.iter().filter_map(|collection| collections.remove(collection)).collect()
}

/// The name of a file, without the extension, from its content.
fn name_of(place: &str, text: &str) -> Result<String, ImportError> {
    let claim: Claim = serde_json::from_str(text).map_err(|error| unreadable(place, error))?;
    match (claim.collection, claim.documents) {
        (Some(collection), _) => Ok(collection),
        (None, None) => Ok(SUMMARY.to_owned()),
        (None, Some(_)) => {
            let why = "it has documents and does not name their collection".to_owned();
            Err(ImportError::Untrue { file: place.to_owned(), why })
        }
    }
}

fn unreadable(place: &str, error: serde_json::Error) -> ImportError {
    if error.is_io() {
        return ImportError::Unreadable { path: PathBuf::from(WHOLE), source: error.into() };
    }
    ImportError::File { file: place.to_owned(), source: error.into() }
}
