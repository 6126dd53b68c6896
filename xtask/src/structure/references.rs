//! Which file uses which: every path in the code outside tests, resolved to the file that defines
//! it. Macro calls and attributes are searched token by token.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, ItemMod, ItemUse, Macro, Meta, Path, Visibility};

use super::attributes;
use super::modules::{Module, Modules, leaves};
use super::resolve::Target;
use super::source::Sources;

/// Uses of one file by another: (user, used) to the places where it happens.
pub type Uses = BTreeMap<(usize, usize), Vec<Use>>;

/// One place where a file uses another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    pub line: usize,
    /// The path as it is written.
    pub path: String,
}

/// Every use of one file by another, across crates too.
pub fn all(sources: &Sources, modules: &Modules) -> Uses {
    let mut uses = Uses::new();
    for (index, module) in modules.all.iter().enumerate() {
        // A block module is visited with its file.
        let parent = module.parent.and_then(|parent| modules.all.get(parent));
        if parent.is_some_and(|parent| parent.file == module.file) || module.is_test {
            continue;
        }
        let Some(file) = sources.files.get(module.file) else { continue };
        let mut visitor = References { modules, module: index, uses: &mut uses };
        visitor.visit_file(&file.syntax);
    }
    uses
}

struct References<'a> {
    modules: &'a Modules,
    module: usize,
    uses: &'a mut Uses,
}

impl References<'_> {
    fn here(&self) -> Option<&Module> {
        self.modules.all.get(self.module)
    }

    fn add(&mut self, path: &[String], line: usize, is_name_only: bool) {
        let file_of = |module: usize| self.modules.all.get(module).map(|module| module.file);
        let used = match self.modules.resolve(self.module, path) {
            // `use crate::store;` only brings a name into scope: what is used through it counts.
            Some(Target::Module(_)) if is_name_only => None,
            Some(Target::Module(module) | Target::Item(module)) => file_of(module),
            None => None,
        };
        if let (Some(user), Some(used)) = (self.here().map(|module| module.file), used)
            && user != used
        {
            let places = self.uses.entry((user, used)).or_default();
            places.push(Use { line, path: path.join("::") });
        }
    }

    /// Adds every `a::b` in a stream of tokens.
    fn scan(&mut self, tokens: TokenStream) {
        let (mut path, mut line, mut colons) = (Vec::new(), 0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end(&mut path, line);
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                other => {
                    self.end(&mut path, line);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.scan(group.stream());
                    }
                }
            }
        }
        self.end(&mut path, line);
    }

    fn end(&mut self, path: &mut Vec<String>, line: usize) {
        if path.len() > 1 {
            self.add(path, line, false);
        }
        path.clear();
    }
}

impl<'ast> Visit<'ast> for References<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes::mark_test(attributes::of_item(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !attributes::mark_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.content.is_none() {
            return;
        }
        let child = self.here().and_then(|here| here.children.get(&item.ident.to_string()));
        if let Some(child) = child.copied() {
            let outside = std::mem::replace(&mut self.module, child);
            visit::visit_item_mod(self, item);
            self.module = outside;
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut imports = Vec::new();
        leaves(&item.tree, &mut Vec::new(), &mut imports);
        for import in imports {
            self.add(&import.path, item.use_token.span.start().line, import.name.is_some());
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let words: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        // A single word is either local or was imported, and the import is counted.
        if words.len() > 1 {
            self.add(&words, path.span().start().line, false);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
        }
    }

    /// `pub(in crate::store)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}
