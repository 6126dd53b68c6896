//! Golden files: bytes that must never change.

use std::path::Path;

/// Asserts that a text is what its golden file holds. If it is not, it is written beside that file
/// as `*.actual`. With `ROLLBOOK_BLESS` set, a golden file that does not exist is made; an existing
/// one is never overwritten.
pub fn assert_golden(path: &Path, text: &str) {
    if std::env::var_os("ROLLBOOK_BLESS").is_some() && !path.exists() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let golden = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.unwrap(),
    };
    if golden != text {
        let actual = path.with_extension("actual");
        std::fs::write(&actual, text).unwrap();
        panic!("{} changed; the text as it is now is in {}", path.display(), actual.display());
    }
}
