//! Writing a dump. Owns that it is of one position and streams: one commit is in memory at a time.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rollbook_log::{Log, StoredCommit};
use rollbook_projections::Runtime;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::tree::{self, Tree};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{DumpError, FORMAT, Form, Header, Key, Line, Progress, Stored, Trailer};

/// What was dumped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dumped {
    /// The first line.
    pub header: Header,
    /// The last line.
    pub trailer: Trailer,
}

/// Dumps every event that the log holds now.
///
/// # Errors
/// When the store has no events, is to be dumped sealed and is not, cannot be read, or `out` fails.
pub fn write(
    runtime: &Runtime,
    form: Form,
    out: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<Dumped, DumpError> {
    let header = header(runtime, form)?;
    let mut lines = Digested { out, digest: Sha256::new() };
    lines.line(&header)?;
    let commits = events(runtime.log(), &header, &mut lines, progress)?;
    let sha256 = const_hex::encode(std::mem::take(&mut lines.digest).finalize());
    let trailer = Trailer { rollbook_dump_end: FORMAT, events: header.head, commits, sha256 };
    lines.line(&trailer)?;
    out.flush().map_err(DumpError::Write)?;
    Ok(Dumped { header, trailer })
}

fn header(runtime: &Runtime, form: Form) -> Result<Header, DumpError> {
    let snapshot = runtime.snapshot()?;
    let tracker::Counts { position: head, events, .. } =
        tracker::counts(&snapshot.rows::<Tracker>()?.0)?;
    if head == 0 {
        return Err(DumpError::Empty);
    }
    let (mut root, mut keyring) = (None, None);
    if form == Form::Sealed {
        if !runtime.log().sealing().sealed {
            return Err(DumpError::Unsealed);
        }
        root = Some(tree::head_at(&snapshot.rows::<Tree>()?.0, head)?.root.to_string());
        // It has a key for every event up to the head, which was read before it.
        keyring = Some(BASE64_STANDARD.encode(runtime.log().keyring_bytes()?));
    }
    Ok(Header {
        rollbook_dump: FORMAT,
        form,
        store: runtime.log().store_id(),
        head,
        events,
        root,
        keyring,
    })
}

fn events(
    log: &Log,
    header: &Header,
    lines: &mut Digested<'_>,
    progress: Progress<'_>,
) -> Result<u64, DumpError> {
    let mut commits = 0;
    for commit in log.commits_after(0).as_stored() {
        let StoredCommit { events, mut key, body_version, bodies } = commit?;
        let Some(first) =
            events.first().map(|first| first.position).filter(|first| *first <= header.head)
        else {
            break;
        };
        for (recorded, body) in events.iter().zip(&bodies) {
            let stored = (header.form == Form::Sealed)
                .then(|| Stored { version: body_version, body: BASE64_STANDARD.encode(body) });
            lines.line(&Line {
                position: recorded.position,
                commit: first,
                stream: Cow::Borrowed(&recorded.stream),
                version: recorded.version,
                id: recorded.id,
                occurred_at: recorded.occurred_at,
                recorded_at: recorded.recorded_at,
                actor: Cow::Borrowed(&recorded.actor),
                cause: Cow::Borrowed(&recorded.cause),
                key: key
                    .take()
                    .map(|key| Key { key: key.key, request: const_hex::encode(key.request) }),
                event: if stored.is_none() { Some(Cow::Borrowed(&recorded.event)) } else { None },
                stored,
            })?;
        }
        commits += 1;
        if progress(events.last().map_or(0, |last| last.position), header.head) {
            return Err(DumpError::Interrupted);
        }
    }
    Ok(commits)
}

/// Lines on their way out, digested.
struct Digested<'o> {
    out: &'o mut dyn Write,
    digest: Sha256,
}

impl Digested<'_> {
    fn line(&mut self, value: &impl Serialize) -> Result<(), DumpError> {
        let mut line =
            serde_json::to_vec(value).map_err(|error| DumpError::Write(io::Error::from(error)))?;
        line.push(b'\n');
        self.digest.update(&line);
        self.out.write_all(&line).map_err(DumpError::Write)
    }
}

/// Writes a dump into a file, which appears under its name when it is whole.
///
/// # Errors
/// When the file cannot be written, and those of `write`. Then there is no file.
pub fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<Dumped, DumpError>,
) -> Result<Dumped, DumpError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = (|| {
        let file = File::create(&partial).map_err(DumpError::Write)?;
        let mut out = io::BufWriter::with_capacity(1 << 20, file);
        let dumped = write(&mut out)?;
        let file = out.into_inner().map_err(|error| DumpError::Write(error.into_error()))?;
        file.sync_all().map_err(DumpError::Write)?;
        fs::rename(&partial, path).map_err(DumpError::Write)?;
        Ok(dumped)
    })();
    if written.is_err() {
        // What is left of it is of no use.
        let _gone = fs::remove_file(&partial);
    }
    written
}
