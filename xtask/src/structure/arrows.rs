//! Which folder uses which, as counts. A room is a crate's top folder or top file: `log/stored`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::circles;
use super::references::Uses;
use super::source::Sources;

/// A table of rooms and crates, with the number of uses between each two, and the circles of
/// rooms.
pub fn table(sources: &Sources, uses: &Uses) -> String {
    let (mut rooms, mut crates) = (BTreeMap::new(), BTreeMap::new());
    for ((user, used), places) in uses {
        let (Some(user), Some(used)) = (place(sources, *user), place(sources, *used)) else {
            continue;
        };
        if user.0 != used.0 {
            *crates.entry((user.0.clone(), used.0.clone())).or_insert(0) += places.len();
        }
        if user != used {
            let room = |(name, room): (String, String)| format!("{name}/{room}");
            *rooms.entry((room(user), room(used))).or_insert(0) += places.len();
        }
    }
    let mut text = String::new();
    for (title, counts) in [("Crates", &crates), ("Rooms", &rooms)] {
        section(&mut text, title, counts);
    }
    text
}

/// The crate and the room of a file.
fn place(sources: &Sources, file: usize) -> Option<(String, String)> {
    let file = sources.files.get(file)?;
    let package = sources.crates.get(file.package)?;
    let inside = file.path.strip_prefix(package.directory.join("src")).ok()?;
    let first = inside.components().next()?.as_os_str().to_string_lossy();
    let room = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
    Some((package.name.clone(), room))
}

fn section(text: &mut String, title: &str, counts: &BTreeMap<(String, String), usize>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{title} ({} arrows)", counts.len());
    let width = counts.keys().map(|(user, _)| user.len()).max().unwrap_or(0);
    for ((user, used), count) in counts {
        let _ = writeln!(text, "  {user:<width$} -> {used}  {count}");
    }
    let names: Vec<&String> = counts
        .keys()
        .flat_map(|(user, used)| [user, used])
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let number = |name: &String| names.binary_search(&name).unwrap_or(usize::MAX);
    let mut next: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (user, used) in counts.keys() {
        next.entry(number(user)).or_default().insert(number(used));
    }
    for circle in circles::groups(&next) {
        let circle: Vec<&str> =
            circle.iter().filter_map(|index| names.get(*index)).map(|name| name.as_str()).collect();
        let _ = writeln!(text, "  circle: {}", circle.join(", "));
    }
}
