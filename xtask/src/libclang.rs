//! Checks whether libclang is installed. It searches the same directories as bindgen's loader
//! (clang-sys), so that a library found here is found by the build.

use std::env;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

/// Parents of library directories on Linux. Every `lib…` directory in them is searched two levels
/// deep.
const PREFIXES: [&str; 2] = ["/usr", "/usr/local"];

/// The directories on macOS.
const MACOS_DIRECTORIES: [&str; 4] = [
    "/usr/local/opt/llvm/lib",
    "/opt/homebrew/opt/llvm/lib",
    "/Library/Developer/CommandLineTools/usr/lib",
    "/Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib",
];

/// Whether the build will find libclang with the headers that belong to it.
pub fn is_installed() -> bool {
    if let Some(chosen) = env::var_os("LIBCLANG_PATH").filter(|path| !path.is_empty()) {
        let chosen = PathBuf::from(chosen);
        return chosen.is_file() || holds_library(&chosen);
    }
    if MACOS_DIRECTORIES.iter().any(|directory| holds_library(Path::new(directory))) {
        return true;
    }
    is_below(&PREFIXES.map(PathBuf::from))
}

/// The library alone is not enough: bindgen also needs Clang's own `stddef.h`.
fn is_below(prefixes: &[PathBuf]) -> bool {
    let libraries: Vec<PathBuf> = prefixes
        .iter()
        .flat_map(|prefix| directories(prefix))
        .filter(|path| is_library_directory(path))
        .collect();
    let one_down: Vec<PathBuf> = libraries.iter().flat_map(|path| directories(path)).collect();
    let two_down: Vec<PathBuf> = one_down.iter().flat_map(|path| directories(path)).collect();
    let searched: Vec<&PathBuf> = libraries.iter().chain(&one_down).chain(&two_down).collect();
    searched.iter().any(|directory| holds_library(directory))
        && searched.iter().any(|directory| holds_headers(directory))
}

fn is_library_directory(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lib"))
}

fn holds_library(directory: &Path) -> bool {
    entries(directory).any(|entry| is_library_name(&entry.file_name().to_string_lossy()))
}

/// `libclang.so`, `libclang.so.1`, `libclang-14.so.14.0.6`, `libclang.dylib`; not `libclang-cpp.so` or an archive.
fn is_library_name(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("libclang") else { return false };
    let rest = rest.strip_prefix('-').map_or(rest, |version| {
        version.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.')
    });
    let rest = if rest.starts_with("so") { format!(".{rest}") } else { rest.to_owned() };
    rest == ".so" || rest.starts_with(".so.") || rest == ".dylib"
}

/// `<directory>/clang/<version>/include/stddef.h`
fn holds_headers(directory: &Path) -> bool {
    directories(&directory.join("clang"))
        .iter()
        .any(|version| version.join("include").join("stddef.h").is_file())
}

fn directories(path: &Path) -> Vec<PathBuf> {
    entries(path).map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn entries(path: &Path) -> impl Iterator<Item = DirEntry> {
    fs::read_dir(path).into_iter().flatten().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_library() {
        for name in [
            "libclang.so",
            "libclang.so.1",
            "libclang-14.so",
            "libclang-14.so.14.0.6",
            "libclang.dylib",
        ] {
            assert!(is_library_name(name), "{name}");
        }
        for name in [
            "libclang-cpp.so",
            "libclang-cpp.so.14",
            "libclangAST.a",
            "libclang.a",
            "libclang-14.a",
            "libclangd.so",
        ] {
            assert!(!is_library_name(name), "{name}");
        }
    }

    #[test]
    fn the_library_counts_only_with_its_headers() {
        let machine = tempfile::tempdir().unwrap();
        let prefixes = [machine.path().to_path_buf()];
        assert!(!is_below(&prefixes));
        let llvm = machine.path().join("lib/llvm-14/lib");
        fs::create_dir_all(&llvm).unwrap();
        fs::write(llvm.join("libclang-14.so.1"), "").unwrap();
        assert!(!is_below(&prefixes));
        fs::create_dir_all(llvm.join("clang/14.0.6/include")).unwrap();
        fs::write(llvm.join("clang/14.0.6/include/stddef.h"), "").unwrap();
        assert!(is_below(&prefixes));
        fs::remove_file(llvm.join("libclang-14.so.1")).unwrap();
        assert!(!is_below(&prefixes));
    }
}
