//! The results of `rollbook backup` as text.

use rollbook_application::backup::{
    BackupReport, BackupVerification, ListedBackup, PruneReport, RestoreReport, State, size,
};

use crate::cli::output::{BAD, BOLD, FAINT, GOOD, styled};

pub(super) fn created(created: &BackupReport) -> String {
    let BackupReport { name, directory, manifest_digest, position, manifest } = created;
    format!(
        "{} {name}: every event up to position {}, {} clients\n{} in {}, {} new, {} shared with earlier backups\nrecorded at position {position}; manifest SHA-256 {manifest_digest}\n{}\n",
        styled(GOOD, "backed up"),
        manifest.head,
        manifest.counts.clients,
        styled(BOLD, format!("{} files", manifest.files.len())),
        directory.display(),
        size(manifest.bytes_new),
        size(manifest.bytes_shared),
        styled(FAINT, format!("next: rollbook backup verify {name}"))
    )
}

pub(super) fn listed(listed: &ListedBackup) -> String {
    let name = styled(BOLD, format!("{:<32}", listed.name));
    let content = listed.manifest.as_ref().map_or_else(String::new, |manifest| {
        let sizes =
            format!("{} new, {} shared", size(manifest.bytes_new), size(manifest.bytes_shared));
        format!(
            "{}  head {:>8}  {} clients  {sizes}",
            manifest.created_at, manifest.head, manifest.counts.clients
        )
    });
    match listed.state {
        State::Whole => format!("{name}  {}  {content}\n", styled(GOOD, "whole  ")),
        State::Damaged => {
            let found: String =
                listed.findings.iter().map(|finding| format!("    {finding}\n")).collect();
            format!("{name}  {}  {content}\n{found}", styled(BAD, "damaged"))
        }
    }
}

pub(super) fn verified(verified: &BackupVerification) -> String {
    let BackupVerification {
        name,
        manifest_digest,
        head,
        files,
        bytes,
        log_digest,
        merkle_root,
        projections,
    } = verified;
    let mut text = format!(
        "{} {name}: restored, replayed and compared\n{files} files, {}, matching the manifest (SHA-256 {manifest_digest})\n\
         {head} events replayed, log {log_digest}\nMerkle root {merkle_root}\n",
        styled(GOOD, "good"),
        size(*bytes)
    );
    for one in projections {
        let compared = if one.compared {
            "matches the manifest"
        } else {
            "of a newer version, so not compared with the manifest"
        };
        text.push_str(&format!("{}: {} rows, {compared}\n", one.name, one.rows));
    }
    text
}

pub(super) fn restored(restored: &RestoreReport) -> String {
    let RestoreReport { name, data, head, bytes, master_key, forgotten_again } = restored;
    let forgotten = if *forgotten_again == 0 {
        String::new()
    } else {
        format!("erased {forgotten_again} clients who were erased after the backup\n")
    };
    let key = master_key
        .as_ref()
        .map(|path| format!("a copy of the master key is beside it: {}\n", path.display()))
        .unwrap_or_default();
    format!(
        "{} {name} in {data}: head {head}, {} copied\n{key}{forgotten}",
        styled(GOOD, "restored"),
        size(*bytes)
    )
}

pub(super) fn pruned(pruned: &PruneReport) -> String {
    let mut text = String::new();
    for (what, names) in [
        ("kept", &pruned.kept),
        ("removed", &pruned.removed),
        ("damaged, kept", &pruned.damaged),
        ("removed partial", &pruned.leftovers),
    ] {
        names.iter().for_each(|name| text.push_str(&format!("{what} {name}\n")));
    }
    if text.is_empty() { "there are no backups\n".to_owned() } else { text }
}
