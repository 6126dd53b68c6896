//! The module tree of each crate: which file holds a module, and which names the module has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta, UseTree};

use super::attributes;
use super::source::Sources;

/// Every module of the workspace. A module is named by its index.
#[derive(Default)]
pub struct Modules {
    pub all: Vec<Module>,
    /// The root module of each library, by the name that other crates use.
    pub libraries: BTreeMap<String, usize>,
}

/// One module: a file, or a block `mod name { … }` inside a file.
pub struct Module {
    /// The index of its file in [`Sources::files`].
    pub file: usize,
    /// `None` for the root of a crate.
    pub parent: Option<usize>,
    pub children: BTreeMap<String, usize>,
    /// Names of the functions, types, constants and macros that it defines.
    pub items: BTreeSet<String>,
    pub imports: Vec<Import>,
    /// Whether it is compiled for tests only.
    pub is_test: bool,
}

/// One leaf of a `use` declaration.
#[derive(Clone)]
pub struct Import {
    /// The name that it brings into scope; `None` for `*`.
    pub name: Option<String>,
    pub path: Vec<String>,
}

impl Modules {
    /// Follows the `mod` declarations from every crate root: `src/lib.rs`, `src/main.rs` and
    /// `src/bin/*.rs`. Files that only tests reach are marked in `sources`.
    pub fn of(sources: &mut Sources) -> Self {
        let mut modules = Self::default();
        let mut files_of_tests = BTreeSet::new();
        let mut files_of_program = BTreeSet::new();
        for (index, package) in sources.crates.iter().enumerate() {
            let source = package.directory.join("src");
            let mut roots: Vec<PathBuf> = vec![source.join("lib.rs"), source.join("main.rs")];
            let binaries = sources.files.iter().filter(|file| file.package == index);
            roots.extend(
                binaries
                    .map(|file| file.path.clone())
                    .filter(|path| path.parent() == Some(&source.join("bin"))),
            );
            for root in roots {
                let Some(file) = sources.find(&root) else { continue };
                let module = modules.add(sources, file, None, false);
                if root.ends_with("lib.rs") {
                    modules.libraries.insert(package.name.clone(), module);
                }
            }
        }
        for module in &modules.all {
            let reached = if module.is_test { &mut files_of_tests } else { &mut files_of_program };
            reached.insert(module.file);
        }
        for index in files_of_tests.difference(&files_of_program) {
            if let Some(file) = sources.files.get_mut(*index) {
                file.is_test = true;
            }
        }
        modules
    }

    /// Adds the module that a file defines, with everything below it.
    fn add(&mut self, sources: &Sources, file: usize, parent: Option<usize>, test: bool) -> usize {
        let Some(source) = sources.files.get(file) else { return 0 };
        let directory = directory_of_children(&source.path, parent.is_none());
        self.fill(sources, file, parent, test, &source.syntax.items, &directory)
    }

    fn fill(
        &mut self,
        sources: &Sources,
        file: usize,
        parent: Option<usize>,
        is_test: bool,
        items: &[Item],
        directory: &Path,
    ) -> usize {
        let (children, imports) = (BTreeMap::new(), Vec::new());
        let this = self.all.len();
        self.all.push(Module { file, parent, children, items: BTreeSet::new(), imports, is_test });
        for item in items {
            match item {
                Item::Mod(item) => {
                    let child = self.add_child(sources, this, item, directory);
                    if let (Some(child), Some(module)) = (child, self.all.get_mut(this)) {
                        module.children.insert(item.ident.to_string(), child);
                    }
                }
                Item::Use(item) => {
                    if let Some(module) = self.all.get_mut(this) {
                        leaves(&item.tree, &mut Vec::new(), &mut module.imports);
                    }
                }
                other => {
                    if let (Some(name), Some(module)) = (name_of(other), self.all.get_mut(this)) {
                        module.items.insert(name);
                    }
                }
            }
        }
        this
    }

    fn add_child(
        &mut self,
        sources: &Sources,
        parent: usize,
        item: &ItemMod,
        directory: &Path,
    ) -> Option<usize> {
        let (file, parent_is_test) = self.all.get(parent).map(|m| (m.file, m.is_test))?;
        let is_test = parent_is_test || attributes::mark_test(&item.attrs);
        let name = item.ident.to_string();
        if let Some((_, items)) = &item.content {
            let below = directory.join(&name);
            return Some(self.fill(sources, file, Some(parent), is_test, items, &below));
        }
        let candidates = match chosen_path(&item.attrs) {
            Some(path) => vec![sources.files.get(file)?.path.parent()?.join(path)],
            None => vec![directory.join(format!("{name}.rs")), directory.join(name).join("mod.rs")],
        };
        let file = candidates.iter().find_map(|path| sources.find(path))?;
        Some(self.add(sources, file, Some(parent), is_test))
    }

    /// The module and everything above it, the module first.
    pub fn with_ancestors(&self, module: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(module), |one| self.all.get(*one)?.parent)
    }
}

/// Where `mod name;` looks for its file. `mod.rs` and crate roots look beside themselves.
fn directory_of_children(path: &Path, is_root: bool) -> PathBuf {
    let parent = path.parent().unwrap_or(Path::new(""));
    match path.file_stem() {
        Some(stem) if !is_root && stem != "mod" => parent.join(stem),
        _ => parent.to_path_buf(),
    }
}

/// The value of `#[path = "…"]`.
fn chosen_path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find(|attribute| attribute.path().is_ident("path")).and_then(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else { return None };
        let Expr::Lit(literal) = &pair.value else { return None };
        let Lit::Str(text) = &literal.lit else { return None };
        Some(text.value())
    })
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Adds every leaf of a `use` tree to `found`.
pub fn leaves(tree: &UseTree, before: &mut Vec<String>, found: &mut Vec<Import>) {
    let with = |last: Option<String>| before.iter().cloned().chain(last).collect::<Vec<String>>();
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves(&path.tree, before, found);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            found.push(Import { name: before.last().cloned(), path: with(None) });
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            found.push(Import { path: with(Some(name.clone())), name: Some(name) });
        }
        UseTree::Rename(rename) => {
            let last = Some(rename.ident.to_string()).filter(|name| name != "self");
            found.push(Import { name: Some(rename.rename.to_string()), path: with(last) });
        }
        UseTree::Glob(_) => found.push(Import { name: None, path: with(None) }),
        UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, before, found);
            }
        }
    }
}
