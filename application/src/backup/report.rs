//! The report in a backup, for a person who finds the directory years later. It depends only on the
//! manifest.

use std::collections::BTreeMap;

use super::manifest::{MANIFEST, Manifest, SUMS};

/// Formats a number of bytes with its unit.
pub fn size(bytes: u64) -> String {
    let mut amount = bytes;
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if amount < 10 * 1024 {
            return format!("{amount} {unit}");
        }
        amount /= 1024;
    }
    format!("{amount} TiB")
}

fn counted(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(name, count)| format!("| {name} | {count} |\n")).collect()
}

/// Returns the report, in Markdown.
pub(super) fn markdown(manifest: &Manifest) -> String {
    let Manifest {
        name,
        created_at,
        store,
        store_format,
        head,
        log_digest,
        merkle_root,
        counts,
        bytes_new,
        bytes_shared,
        rollbook,
        ..
    } = manifest;
    let recorded = manifest
        .head_recorded_at
        .map_or_else(|| "nothing was recorded yet".to_owned(), |at| format!("recorded {at}"));
    let mut text = format!(
        "# Backup `{name}`\n\n\
         A whole copy of a rollbook store: every event up to position {head} ({recorded}), and the rows folded from them.\n\n\
         | | |\n| --- | --- |\n\
         | taken | {created_at} |\n| by | rollbook {rollbook} |\n| store | {store}, format {store_format} |\n| head | {head} |\n\
         | clients | {} |\n| Merkle root | `{merkle_root}` |\n| log, SHA-256 | `{log_digest}` |\n\
         | size | {} new, {} shared with earlier backups |\n\n",
        counts.clients,
        size(*bytes_new),
        size(*bytes_shared)
    );
    text.push_str("## How to restore it\n\n");
    text.push_str(&format!(
        "```\nrollbook backup verify {name} --from DIRECTORY_OF_BACKUPS\nrollbook --data NEW_DIRECTORY backup restore {name} --from DIRECTORY_OF_BACKUPS\n```\n\n\
         The new directory must not exist. `verify` restores into scratch space first, replays every event, and compares. Without rollbook,\n\
         `sha256sum -c {SUMS}` in this directory checks every file; `{MANIFEST}` lists them.\n\n\
         Nothing here may be edited. Files that did not change between two backups are hard links to each other: copy backups with a tool that\n\
         keeps hard links (`rsync -aH`, `cp -a`, `tar`), or they take their full size each.\n\n"
    ));
    text.push_str(
        "## Rows\n\n| projection | version | rows | SHA-256 |\n| --- | --- | --- | --- |\n",
    );
    for one in &manifest.projections {
        text.push_str(&format!(
            "| {} | {} | {} | `{}` |\n",
            one.name, one.version, one.rows, one.digest
        ));
    }
    text.push_str(&format!(
        "\n## Events\n\n| event | count |\n| --- | --- |\n{}",
        counted(&counts.events)
    ));
    text.push_str(&format!(
        "\n## Documents\n\n| collection | count |\n| --- | --- |\n{}",
        counted(&counts.documents)
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_at_most_four_digits() {
        assert_eq!(
            (size(0), size(10_239), size(10_240)),
            ("0 bytes".to_owned(), "10239 bytes".to_owned(), "10 KiB".to_owned())
        );
        assert_eq!((size(64 << 20), size(3 << 40)), ("64 MiB".to_owned(), "3072 GiB".to_owned()));
    }
}
