//! Import circles: groups of files that all use each other, directly or through the others.
//!
//! A file and the files of the modules below it may use each other: that is how Rust hides the
//! parts of a module. Those uses are left out before the groups are formed.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::Modules;
use super::references::Uses;

/// Files that use each other, in the order of their paths.
pub type Circle = Vec<usize>;

/// All circles with more than one file.
pub fn find(modules: &Modules, uses: &Uses) -> Vec<Circle> {
    let family = Family::of(modules);
    let mut next: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (user, used) in uses.keys().filter(|(user, used)| !family.joins(*user, *used)) {
        next.entry(*user).or_default().insert(*used);
    }
    groups(&next)
}

/// The uses that hold a circle together.
pub fn edges<'a>(
    circle: &'a [usize],
    modules: &Modules,
    uses: &'a Uses,
) -> impl Iterator<Item = (&'a (usize, usize), &'a Vec<super::references::Use>)> {
    let family = Family::of(modules);
    uses.iter().filter(move |((user, used), _)| {
        circle.contains(user) && circle.contains(used) && !family.joins(*user, *used)
    })
}

/// Strongly connected groups of more than one node.
pub fn groups(next: &BTreeMap<usize, BTreeSet<usize>>) -> Vec<Vec<usize>> {
    let reachable: BTreeMap<usize, BTreeSet<usize>> =
        next.keys().map(|from| (*from, reach(next, *from))).collect();
    let reaches =
        |from: usize, to: usize| reachable.get(&from).is_some_and(|found| found.contains(&to));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for node in next.keys() {
        if groups.iter().any(|group| group.contains(node)) {
            continue;
        }
        let group: Vec<usize> = next
            .keys()
            .filter(|other| *other == node || (reaches(*node, **other) && reaches(**other, *node)))
            .copied()
            .collect();
        if group.len() > 1 {
            groups.push(group);
        }
    }
    groups
}

fn reach(next: &BTreeMap<usize, BTreeSet<usize>>, from: usize) -> BTreeSet<usize> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(node) = open.pop() {
        for other in next.get(&node).into_iter().flatten() {
            if found.insert(*other) {
                open.push(*other);
            }
        }
    }
    found
}

/// Which file is above which.
struct Family {
    /// (file, file of a module above it)
    above: BTreeSet<(usize, usize)>,
}

impl Family {
    fn of(modules: &Modules) -> Self {
        let mut above = BTreeSet::new();
        for (index, module) in modules.all.iter().enumerate() {
            let ancestors = modules.with_ancestors(index);
            above.extend(
                ancestors
                    .filter_map(|one| modules.all.get(one))
                    .map(|ancestor| (module.file, ancestor.file)),
            );
        }
        Self { above }
    }

    fn joins(&self, one: usize, other: usize) -> bool {
        self.above.contains(&(one, other)) || self.above.contains(&(other, one))
    }
}
