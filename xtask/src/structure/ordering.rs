//! Calls that pass by one of the log's interfaces: commits that are appended to a log and not
//! through `Ordering`, and syncs and renames outside `rollbook_log::durable`.

use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprMethodCall, ImplItemFn, Item, ItemFn};

use super::attributes;
use super::finding::{Finding, Rule};
use super::source::SourceFile;
use super::texts::last_name;

/// Methods that append to a log.
const APPENDS: [&str; 3] = ["append", "append_raw", "submit"];
/// Methods that sync a file.
const SYNCS: [&str; 2] = ["sync_all", "sync_data"];
/// Crates whose syncs tests can fail.
const DURABLE_CRATES: [&str; 4] = ["log", "migrations", "application", "service"];
/// The file that syncs for them.
const DURABLE: &str = "log/src/durable.rs";

/// Adds every such call of a file.
pub fn check(file: &SourceFile, findings: &mut Vec<Finding>) {
    if file.is_test {
        return;
    }
    let may_append = file.path.starts_with("log");
    let may_sync = file.path == Path::new(DURABLE)
        || !DURABLE_CRATES.iter().any(|name| file.path.starts_with(name));
    let mut calls = Calls { file, findings, may_append, may_sync, name: "-".to_owned() };
    calls.visit_file(&file.syntax);
}

struct Calls<'a> {
    file: &'a SourceFile,
    findings: &'a mut Vec<Finding>,
    may_append: bool,
    may_sync: bool,
    /// The function that is being visited.
    name: String,
}

impl Calls<'_> {
    fn add(&mut self, rule: Rule, line: usize, text: &str) {
        let (path, name, text) = (self.file.path.clone(), self.name.clone(), text.to_owned());
        self.findings.push(Finding { rule, path, line, name, text });
    }

    fn inside(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.name, name);
        visit(self);
        self.name = outside;
    }
}

impl<'ast> Visit<'ast> for Calls<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes::mark_test(attributes::of_item(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.inside(function.sig.ident.to_string(), |this| visit::visit_item_fn(this, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !attributes::mark_test(&function.attrs) {
            let name = function.sig.ident.to_string();
            self.inside(name, |this| visit::visit_impl_item_fn(this, function));
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let (method, line) = (call.method.to_string(), call.method.span().start().line);
        let is_append = APPENDS.contains(&method.as_str())
            && last_name(&call.receiver).is_some_and(|receiver| receiver == "log");
        if is_append && !self.may_append {
            self.add(Rule::AppendToLog, line, &format!("log.{method}"));
        }
        if SYNCS.contains(&method.as_str()) && !self.may_sync {
            self.add(Rule::SyncOutsideDurable, line, &method);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func {
            let segments = function.path.segments.iter().map(|segment| segment.ident.to_string());
            let names: Vec<String> = segments.collect();
            let line = |name: &syn::PathSegment| name.ident.span().start().line;
            let line = function.path.segments.last().map_or(1, line);
            match names.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                [.., "Log", method] if APPENDS.contains(method) && !self.may_append => {
                    self.add(Rule::AppendToLog, line, &format!("Log::{method}"));
                }
                [.., "fs", "rename"] if !self.may_sync => {
                    self.add(Rule::SyncOutsideDurable, line, "fs::rename");
                }
                _ => {}
            }
        }
        visit::visit_expr_call(self, call);
    }
}
