//! Writing a dump of one position of the log. One commit is in memory at a time.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rollbook_log::{Log, StoredCommit, durable};
use rollbook_projections::Runtime;
use rollbook_projections::tracker::{self, Tracker};
use rollbook_projections::tree::{self, Tree};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{DumpError, DumpSummary, FORMAT, Form, Header, Key, Line, Progress, Stored, Trailer};

/// Dumps every event up to the current head of the log.
///
/// # Errors
/// If the store has no events or cannot be read, a sealed dump of an unsealed store is requested,
/// or `out` fails.
pub fn write(
    runtime: &Runtime,
    form: Form,
    out: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<DumpSummary, DumpError> {
    let header = header(runtime, form)?;
    let mut lines = Digested { out, digest: Sha256::new() };
    lines.line(&header)?;
    let commits = events(runtime.log(), &header, &mut lines, progress)?;
    let sha256 = const_hex::encode(std::mem::take(&mut lines.digest).finalize());
    let trailer = Trailer { rollbook_dump_end: FORMAT, events: header.head, commits, sha256 };
    lines.line(&trailer)?;
    out.flush().map_err(DumpError::Write)?;
    Ok(DumpSummary { header, trailer })
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
        // Read after the head, so it has the key of every dumped event.
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

/// Writes lines and computes their digest.
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

/// Writes a dump into a file. The file appears under its name only when it is complete.
///
/// # Errors
/// If the file cannot be written, and the errors of `write`. Then there is no file.
pub fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<DumpSummary, DumpError>,
) -> Result<DumpSummary, DumpError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = (|| {
        let file = File::create(&partial).map_err(DumpError::Write)?;
        let mut out = io::BufWriter::with_capacity(1 << 20, file);
        let dumped = write(&mut out)?;
        let file = out.into_inner().map_err(|error| DumpError::Write(error.into_error()))?;
        durable::sync_file(&partial, &file).map_err(DumpError::Write)?;
        durable::rename(&partial, path).map_err(DumpError::Write)?;
        durable::sync_directory(durable::parent(path)).map_err(DumpError::Write)?;
        Ok(dumped)
    })();
    if written.is_err() {
        // A partial dump is useless.
        let _gone = fs::remove_file(&partial);
    }
    written
}
