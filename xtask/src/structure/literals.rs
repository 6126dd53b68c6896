//! The literals of macro calls and attributes, whose tokens are not parsed.

use proc_macro2::{Literal, TokenStream, TokenTree};

/// All literals in a stream of tokens, also the nested ones.
pub fn literals(tokens: TokenStream) -> Vec<Literal> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Literal(literal) => found.push(literal),
            TokenTree::Group(group) => found.extend(literals(group.stream())),
            _ => {}
        }
    }
    found
}
