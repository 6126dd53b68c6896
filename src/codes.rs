//! The stable codes of everything that can be refused or fail. Owns the list: what each means, and with which exit code a command ends that
//! met it here or over a network. `docs/errors.md` is this list for people, and a test holds the two together.

/// A stable name for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The name.
    pub code: &'static str,
    /// The exit code of a command: 1 failed, 2 usage, 3 refused, 130 interrupted.
    pub exit: u8,
    /// What it means.
    pub means: &'static str,
}

const fn failed(code: &'static str, means: &'static str) -> Code {
    Code { code, exit: 1, means }
}

const fn usage(code: &'static str, means: &'static str) -> Code {
    Code { code, exit: 2, means }
}

const fn refused(code: &'static str, means: &'static str) -> Code {
    Code { code, exit: 3, means }
}

const fn interrupted(code: &'static str, means: &'static str) -> Code {
    Code { code, exit: 130, means }
}

/// Every code, by name.
#[rustfmt::skip]
pub const ALL: &[Code] = &[
    failed("access_file", "A file of keys or settings of access cannot be read or written."),
    failed("access_unavailable", "Who asks cannot be told at present: the issuer's keys, or the file of API keys, cannot be had."),
    failed("ambiguous_id", "The beginning of a digest is that of several; give more of it."),
    refused("bad_answers", "`responses` is no list of answers."),
    failed("bad_body", "The body does not fit, or broke off."),
    failed("bad_cursor", "A cursor that no list gave."),
    failed("bad_date", "A text that is no date."),
    failed("bad_json", "The body is no JSON."),
    failed("bad_key", "An Idempotency-Key has 1 to 255 visible ASCII characters."),
    failed("bad_last_event_id", "Last-Event-ID is no position."),
    failed("bad_name", "An id or a key contains a NUL character."),
    failed("bad_path", "What the path names cannot be read."),
    failed("bad_query", "The query does not fit: an unknown name, or a value that is none."),
    failed("bad_reason", "`reason` is none of sick, traveling, personal_emergency and other."),
    failed("bad_stream", "This names no stream."),
    failed("bad_time", "A text that is no time of day."),
    refused("backup_exists", "A backup of that name is there already."),
    failed("batch_damaged", "A batch file is cut short or edited."),
    failed("batch_file", "A batch file cannot be read or written."),
    failed("batch_kind", "A batch of a kind that this build does not know."),
    refused("batch_unfinished", "Another batch was begun and is not through; apply its file again first."),
    failed("batch_version", "A batch of a format that this build does not read."),
    failed("behind", "This node did not reach the position asked for in time, or its projections have not caught up."),
    failed("beyond_head", "A position that the log has not reached."),
    refused("busy", "Another backup is being taken or restored at this place."),
    refused("certificate_refused", "A certificate does not hold."),
    refused("client_erased", "The client was erased; nothing more is recorded of them."),
    refused("completed", "The week is answered already."),
    usage("configuration", "The settings make no sense."),
    failed("contended", "Others changed the same thing at the same time; try again."),
    refused("contradicted", "The log contradicts a checkpoint that was signed."),
    failed("damaged", "The store is damaged; restore a backup."),
    failed("damaged_backup", "A backup is damaged, or is not what its manifest says."),
    failed("damaged_dump", "A dump is cut short or edited."),
    failed("damaged_keys", "The file of API keys is damaged."),
    failed("draining", "The service is about to end."),
    refused("drift", "The store is not what the batch was planned from; plan again."),
    failed("empty", "There is nothing to dump."),
    failed("erasures", "What backups are told of erasures cannot be read or written."),
    failed("exists", "A file or directory of that name is there already."),
    failed("export", "An export could not be written."),
    failed("file", "A file of a backup cannot be read or written."),
    failed("forbidden", "The caller may not do that, or there is no such thing."),
    failed("import", "An export could not be read."),
    failed("in_use", "Another process has the store open."),
    failed("input", "A file named on the command line cannot be read."),
    failed("internal", "Something failed in the service; its log says what."),
    interrupted("interrupted", "It stopped at a commit boundary; the same request goes on."),
    failed("issuer_keys", "The issuer's keys cannot be had or read."),
    failed("key", "A signing or verifier key is missing, or is another one."),
    refused("key_reused", "The idempotency key was used for another request."),
    failed("listen", "The service cannot listen at its address."),
    failed("lost", "The store's directory is gone from under the open store, or was replaced."),
    refused("missed", "The week is marked missed already."),
    failed("missing_fields", "A field that is needed is missing or empty; the text names them."),
    refused("name_taken", "An API key of this name is there already."),
    failed("newer_backup", "A newer rollbook took the backup."),
    failed("newer_dump", "A newer rollbook wrote the dump."),
    failed("newer_keys", "A newer rollbook wrote the file of API keys."),
    failed("newer_store", "A newer rollbook made the store."),
    failed("no_client", "No client id is given."),
    refused("no_comment", "The reason `other` needs a comment."),
    failed("no_json", "The body is not application/json."),
    failed("no_method", "The path does not take this method."),
    failed("no_metrics", "The service's figures are switched off."),
    failed("no_ndjson", "The body is not application/x-ndjson."),
    failed("no_path", "There is nothing at this path."),
    refused("no_pause", "There is no pause to take back."),
    failed("no_store", "There is no store in the directory."),
    failed("not_a_store", "The directory is something else."),
    failed("not_appended", "The commit was not appended."),
    failed("not_identical", "A rebuild gave other rows."),
    refused("not_overdue", "The week is not overdue long enough."),
    failed("not_recorded", "A backup was taken, and could not be put on record."),
    refused("not_served", "The service does not start like this."),
    refused("nothing_imported", "The store holds no import yet."),
    refused("nothing_to_certify", "There is no migration to certify yet."),
    failed("nothing_to_correct", "A correction that corrects nothing."),
    refused("nothing_to_pause", "No unanswered week is due from now on."),
    refused("open_weeks", "The form is still allocated, with open weeks."),
    refused("out_of_range", "A number is outside what is possible."),
    failed("output", "The output could not be written."),
    failed("overloaded", "Too much at once; try again in a moment."),
    refused("proof_refused", "A proof or a checkpoint does not hold."),
    failed("random", "The system gave no random bytes."),
    failed("read_only", "This user may not write the store."),
    refused("refused", "Understood, and against a rule."),
    refused("short_reason", "The text is too short."),
    failed("slow_body", "The body took too long to come."),
    refused("still_open", "The week is still open."),
    failed("store", "The store cannot be read or written."),
    failed("store_lost", "The service's store is gone from under it."),
    failed("store_unavailable", "The service cannot read or write its store now; its log says why."),
    refused("switch_refused", "The guard refuses the switch."),
    failed("telemetry", "Traces cannot be sent: the endpoint or its headers make no sense."),
    failed("timeout", "It took too long and was given up; a write may have been done: ask again under the same key."),
    failed("too_large", "The body, or what it asks to store, is too large."),
    failed("too_many_requests", "Too many requests from one address; try again later."),
    failed("unauthenticated", "Nobody is authenticated."),
    failed("unexpected_answer", "A service did not answer as a rollbook does."),
    refused("unexplained", "Differences between the views have no class."),
    failed("unknown_backup", "No backup has this name."),
    failed("unknown_id", "Nothing has this id."),
    failed("unknown_key", "No API key has this name."),
    failed("unknown_projection", "No projection has this name."),
    failed("unreachable", "A service cannot be reached, or its answer broke off."),
    refused("unsealed", "The store was made unsealed: nothing in it is sealed."),
    usage("usage", "What is asked makes no sense together."),
    refused("validation_red", "Checks do not hold."),
    refused("zone", "The batch or the import is for another zone than the store keeps."),
];

/// The code of this name.
pub fn find(code: &str) -> Option<&'static Code> {
    ALL.iter().find(|known| known.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    /// Every source file of what may fail or refuse, but this one.
    fn sources() -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut waiting = vec![root.join("src"), root.join("migrations/src")];
        let mut files: Vec<PathBuf> = Vec::new();
        while let Some(directory) = waiting.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { waiting.push(path) } else { files.push(path) }
            }
        }
        files.retain(|path| {
            path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("src/codes.rs")
        });
        files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    /// The codes that refusals are made with: the first text that looks like one after each of these.
    fn made(sources: &str) -> BTreeSet<&str> {
        let mut codes = BTreeSet::new();
        for maker in
            ["bad_request(", "conflict(", "Refusal::new(", "Self::new(StatusCode::", "Self::new(\n"]
        {
            for (at, _) in sources.match_indices(maker) {
                let statement = sources[at..].split(';').next().unwrap();
                let code = statement.split('"').nth(1).unwrap_or_default();
                let looks_like_one = !code.is_empty()
                    && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                codes.extend(looks_like_one.then_some(code));
            }
        }
        // And what errors say of themselves.
        for (at, _) in sources.match_indices("fn code(&self") {
            let body = sources[at..].split("\n    }\n").next().unwrap();
            codes.extend(body.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap()));
        }
        codes
    }

    #[test]
    fn every_code_that_is_used_is_known_and_every_known_one_is_used() {
        let sources = sources();
        let known: BTreeSet<&str> = ALL.iter().map(|code| code.code).collect();
        assert_eq!(known.len(), ALL.len(), "a code stands twice");
        let made = made(&sources);
        assert!(made.len() > 30, "{made:?}");
        let unknown: Vec<_> = made.difference(&known).collect();
        assert!(unknown.is_empty(), "add to src/codes.rs and docs/errors.md: {unknown:?}");
        let unused: Vec<_> =
            known.iter().filter(|code| !sources.contains(&format!("\"{code}\""))).collect();
        assert!(unused.is_empty(), "nothing is refused with {unused:?}");
    }

    #[test]
    fn the_codes_of_errors_have_the_exit_codes_of_the_errors() {
        use crate::error::StoreError;
        use rollbook_domain::control::SwitchRejection;
        use rollbook_migrations::MigrationError;
        let errors = [
            StoreError::Switch(SwitchRejection::NotValidated),
            StoreError::Migration(MigrationError::NothingImported),
            StoreError::Migration(MigrationError::Drift { series: Vec::new(), total: 0 }),
            StoreError::Migration(MigrationError::Unfinished { digest: String::new() }),
            StoreError::Migration(MigrationError::Zone {
                batch: String::new(),
                store: String::new(),
            }),
            StoreError::Migration(MigrationError::Interrupted),
            StoreError::Migration(MigrationError::Exists { path: PathBuf::new() }),
            StoreError::ValidationRed { green: 0, total: 1 },
            StoreError::Unexplained(1),
            StoreError::UnknownId(String::new()),
            StoreError::AmbiguousDigest(String::new()),
            StoreError::Usage(String::new()),
            StoreError::Interrupted,
        ];
        for error in errors {
            assert_eq!(
                find(error.code()).map(|code| code.exit),
                Some(error.exit_code()),
                "{error:?}"
            );
        }
    }

    #[test]
    fn the_manual_lists_exactly_these() {
        let line = |code: &Code| format!("| `{}` | {} | {} |", code.code, code.exit, code.means);
        let wanted: Vec<String> = ALL.iter().map(line).collect();
        let manual = include_str!("../docs/errors.md");
        let listed: Vec<&str> = manual.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(listed, wanted);
    }
}
