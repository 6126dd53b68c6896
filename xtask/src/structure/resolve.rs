//! Resolves a path such as `super::store::Store` to the module that defines it, through
//! re-exports. It knows modules and names only: no types, no methods, no macro expansion.

use super::modules::Modules;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A module.
    Module(usize),
    /// An item that is defined in this module.
    Item(usize),
}

/// How many re-exports are followed before a chain counts as endless.
const DEPTH_LIMIT: usize = 12;

impl Modules {
    /// Where `path`, written in `module`, leads; `None` for everything outside the workspace.
    pub fn resolve(&self, module: usize, path: &[String]) -> Option<Target> {
        self.resolve_within(module, path, DEPTH_LIMIT)
    }

    fn resolve_within(&self, module: usize, path: &[String], depth: usize) -> Option<Target> {
        let depth = depth.checked_sub(1)?;
        let (first, mut rest) = path.split_first()?;
        let mut target = match first.as_str() {
            "crate" => Target::Module(self.with_ancestors(module).last()?),
            "self" => Target::Module(module),
            "super" => Target::Module(self.all.get(module)?.parent?),
            name => self
                .lookup(module, name, rest.is_empty(), depth)
                .or_else(|| self.libraries.get(name).map(|root| Target::Module(*root)))?,
        };
        while let (Target::Module(here), Some((name, after))) = (target, rest.split_first()) {
            rest = after;
            target = match name.as_str() {
                "super" => Target::Module(self.all.get(here)?.parent?),
                name => self.lookup(here, name, rest.is_empty(), depth)?,
            };
        }
        Some(target)
    }

    /// A name in the scope of a module. A module and an item may share a name: the last word of a
    /// path prefers the item.
    fn lookup(&self, module: usize, name: &str, is_last: bool, depth: usize) -> Option<Target> {
        let scope = self.all.get(module)?;
        let child = scope.children.get(name).map(|child| Target::Module(*child));
        let item = scope.items.contains(name).then_some(Target::Item(module));
        let named = || {
            let mut imports = scope.imports.iter().filter(|one| one.name.as_deref() == Some(name));
            imports.find_map(|one| self.resolve_within(module, &one.path, depth))
        };
        let own = if is_last { item.or_else(named).or(child) } else { child.or(item) };
        own.or_else(named).or_else(|| {
            let depth = depth.checked_sub(1)?;
            scope.imports.iter().filter(|one| one.name.is_none()).find_map(|glob| {
                match self.resolve_within(module, &glob.path, depth)? {
                    Target::Module(source) if source != module => {
                        self.lookup(source, name, is_last, depth)
                    }
                    _ => None,
                }
            })
        })
    }
}
