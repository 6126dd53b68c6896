//! Long files, long functions, and files without an opening comment.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, Item, ItemFn, Signature, TraitItemFn};

use super::attributes;
use super::finding::{Finding, Rule};
use super::source::SourceFile;

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// Adds what is too long or has no opening comment. Only the opening is required of test files.
pub fn check(file: &SourceFile, findings: &mut Vec<Finding>) {
    let whole_file =
        |rule, text| Finding { rule, path: file.path.clone(), line: 1, name: "-".to_owned(), text };
    if !file.text.starts_with("//!") {
        findings.push(whole_file(Rule::NoOpening, "the first line is something else".to_owned()));
    }
    if file.is_test {
        return;
    }
    let lines = file.text.lines().count();
    if lines > FILE_LINES {
        findings.push(whole_file(Rule::LongFile, format!("{lines} lines")));
    }
    Functions { file, findings }.visit_file(&file.syntax);
}

struct Functions<'a> {
    file: &'a SourceFile,
    findings: &'a mut Vec<Finding>,
}

impl Functions<'_> {
    /// Counts from the line of the signature to the line of the closing brace.
    fn measure(&mut self, signature: &Signature, body: &Block) {
        let (first, last) = (signature.span().start().line, body.brace_token.span.close());
        let lines = last.end().line.saturating_sub(first) + 1;
        if lines > FUNCTION_LINES {
            self.findings.push(Finding {
                rule: Rule::LongFunction,
                path: self.file.path.clone(),
                line: first,
                name: signature.ident.to_string(),
                text: format!("{lines} lines"),
            });
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes::mark_test(attributes::of_item(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !attributes::mark_test(&function.attrs) {
            self.measure(&function.sig, &function.block);
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(body) = &function.default {
            self.measure(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}
