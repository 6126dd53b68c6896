//! Forbidden texts in the code outside tests: projections named by a text, flags and commands in
//! the error texts of the lower crates, and defaults for reads that failed.
//!
//! The checks see syntax only, not types. `structure-allowed.txt` lists what they get wrong.

use std::path::Path;

use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprMethodCall, ImplItemFn, Item, ItemEnum, ItemFn, ItemStruct, Lit, Meta,
    TraitItemFn,
};

use super::finding::{Finding, Rule};
use super::literals::literals;
use super::source::SourceFile;
use super::{attributes, digests};

/// Crates below the application. They do not know the command line.
const LOWER_CRATES: [&str; 5] = ["domain", "log", "projections", "migrations", "proofs"];

/// Calls that read something and can fail; so does every call that starts with `read_`.
const READS: [&str; 7] = ["read", "open", "metadata", "scan", "snapshot", "recv", "load"];

/// Receivers whose `get` reads from a store, unlike the `get` of a list or map.
const STORES: [&str; 6] = ["rows", "snapshot", "store", "db", "log", "keyring"];

/// Adds every forbidden text of a file.
pub fn check(file: &SourceFile, findings: &mut Vec<Finding>) {
    if file.is_test {
        return;
    }
    let is_lower = LOWER_CRATES.iter().any(|name| file.path.starts_with(Path::new(name)));
    let mut texts = Texts { file, findings, is_lower, name: "-".to_owned() };
    texts.visit_file(&file.syntax);
}

struct Texts<'a> {
    file: &'a SourceFile,
    findings: &'a mut Vec<Finding>,
    is_lower: bool,
    /// The function or type that is being visited.
    name: String,
}

impl Texts<'_> {
    fn add(&mut self, rule: Rule, line: usize, text: String) {
        let (path, name) = (self.file.path.clone(), self.name.clone());
        self.findings.push(Finding { rule, path, line, name, text });
    }

    /// Visits the inside of a function or type under its name.
    fn inside(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.name, name);
        visit(self);
        self.name = outside;
    }

    fn digests(&mut self, name: &str, body: &syn::Block) {
        for line in digests::debug_formats(name, body) {
            self.add(Rule::DebugDigest, line, "formats with {:?}".to_owned());
        }
    }
}

impl<'ast> Visit<'ast> for Texts<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes::mark_test(attributes::of_item(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        let name = function.sig.ident.to_string();
        self.inside(name.clone(), |this| {
            this.digests(&name, &function.block);
            visit::visit_item_fn(this, function);
        });
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if attributes::mark_test(&function.attrs) {
            return;
        }
        let name = function.sig.ident.to_string();
        self.inside(name.clone(), |this| {
            this.digests(&name, &function.block);
            visit::visit_impl_item_fn(this, function);
        });
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        let name = function.sig.ident.to_string();
        self.inside(name.clone(), |this| {
            if let Some(body) = &function.default {
                this.digests(&name, body);
            }
            visit::visit_trait_item_fn(this, function);
        });
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.inside(item.ident.to_string(), |this| visit::visit_item_enum(this, item));
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.inside(item.ident.to_string(), |this| visit::visit_item_struct(this, item));
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let Meta::List(list) = &attribute.meta else { return };
        if !self.is_lower || !attribute.path().is_ident("error") {
            return;
        }
        for literal in literals(list.tokens.clone()) {
            let text = literal.to_string();
            if names_flag(&text) || text.contains("`rollbook ") {
                self.add(Rule::FlagInError, literal.span().start().line, text);
            }
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let line = call.method.span().start().line;
        if call.method == "of"
            && let Some(Expr::Lit(argument)) = call.args.first()
            && let Lit::Str(projection) = &argument.lit
        {
            self.add(Rule::ProjectionByText, line, format!(".of({:?})", projection.value()));
        }
        if call.method == "unwrap_or_default"
            && let Some(read) = failing_read(&call.receiver)
        {
            let text = format!("the result of `{read}` is dropped when it is an error");
            self.add(Rule::DefaultForFailedRead, line, text);
        }
        visit::visit_expr_method_call(self, call);
    }
}

/// Whether a text has `--` directly before a small letter.
fn names_flag(text: &str) -> bool {
    text.match_indices("--").any(|(at, dashes)| {
        text.get(at + dashes.len()..)
            .and_then(|rest| rest.chars().next())
            .is_some_and(|letter| letter.is_ascii_lowercase())
    })
}

/// The name of the read in a chain of calls whose error nothing has handled so far.
fn failing_read(receiver: &Expr) -> Option<String> {
    match receiver {
        Expr::MethodCall(call) => {
            let name = call.method.to_string();
            let is_store_get = name == "get" && last_name(&call.receiver).is_some_and(is_store);
            if is_read(&name) || is_store_get { Some(name) } else { failing_read(&call.receiver) }
        }
        Expr::Call(call) => last_name(&call.func).filter(|name| is_read(name)),
        Expr::Paren(inner) => failing_read(&inner.expr),
        Expr::Await(inner) => failing_read(&inner.base),
        Expr::Reference(inner) => failing_read(&inner.expr),
        // `?` has handled the error, and anything else is no chain of calls.
        _ => None,
    }
}

fn is_read(name: &str) -> bool {
    READS.contains(&name) || name.starts_with("read_")
}

fn is_store(name: String) -> bool {
    STORES.contains(&name.as_str())
}

/// The last name of a path, field or call: `rows` for `self.rows` and `self.rows()`.
pub(super) fn last_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => Some(name.to_string()),
            syn::Member::Unnamed(_) => None,
        },
        Expr::MethodCall(call) => Some(call.method.to_string()),
        Expr::Call(call) => last_name(&call.func),
        Expr::Reference(inner) => last_name(&inner.expr),
        Expr::Paren(inner) => last_name(&inner.expr),
        _ => None,
    }
}
