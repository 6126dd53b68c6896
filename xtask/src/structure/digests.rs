//! Finds `Debug` output that goes into a digest or an idempotency key. That output is not a
//! stable format: a renamed field would change the digest of the same request.
//!
//! The check takes a function as a whole: it computes a digest somewhere, and it formats with
//! `{:?}` somewhere, other than for an error message.

use std::collections::BTreeSet;

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprCall, ExprMethodCall, Macro, Path, Token};

use super::literals::literals;

/// Words in names that show that a function computes a digest or a key.
const DIGEST_WORDS: [&str; 5] = ["digest", "idempotency", "sha256", "sha512", "xxh3"];

const FORMATTING: [&str; 4] = ["format", "write", "writeln", "format_args"];

/// Methods whose arguments only make an error message.
const ERROR_METHODS: [&str; 6] =
    ["map_err", "ok_or", "ok_or_else", "expect", "context", "with_context"];

/// The lines where a function that computes a digest formats with `{:?}`.
pub fn debug_formats(name: &str, body: &Block) -> BTreeSet<usize> {
    let mut search =
        Search { makes_digest: is_digest_word(name), in_error: false, lines: BTreeSet::new() };
    search.visit_block(body);
    if search.makes_digest && name != "fmt" { search.lines } else { BTreeSet::new() }
}

fn is_digest_word(name: &str) -> bool {
    let name = name.to_lowercase();
    DIGEST_WORDS.iter().any(|word| name.contains(word))
}

struct Search {
    makes_digest: bool,
    in_error: bool,
    lines: BTreeSet<usize>,
}

impl Search {
    fn visit_error(&mut self, visit: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.in_error, true);
        visit(self);
        self.in_error = outside;
    }
}

impl<'ast> Visit<'ast> for Search {
    fn visit_path(&mut self, path: &'ast Path) {
        self.makes_digest |=
            path.segments.iter().any(|part| is_digest_word(&part.ident.to_string()));
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if matches!(&*call.func, Expr::Path(path) if path.path.is_ident("Err")) {
            self.visit_error(|this| visit::visit_expr_call(this, call));
        } else {
            visit::visit_expr_call(self, call);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let method = call.method.to_string();
        self.makes_digest |= is_digest_word(&method);
        if ERROR_METHODS.contains(&method.as_str()) {
            self.visit_expr(&call.receiver);
            self.visit_error(|this| {
                call.args.iter().for_each(|argument| this.visit_expr(argument));
            });
        } else {
            visit::visit_expr_method_call(self, call);
        }
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let is_formatting = FORMATTING.iter().any(|name| call.path.is_ident(name));
        if is_formatting && !self.in_error {
            let formats = literals(call.tokens.clone());
            let debug = formats.iter().find(|text| {
                let text = text.to_string();
                text.contains(":?}") || text.contains(":#?}")
            });
            self.lines.extend(debug.map(|literal| literal.span().start().line));
        }
        let arguments = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        for argument in arguments.iter().flatten() {
            self.visit_expr(argument);
        }
    }
}
