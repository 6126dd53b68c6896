//! Reads the attributes that mark test code.

use syn::{Attribute, Item, Meta};

/// Whether one of the attributes makes its item part of the tests only: `#[test]`,
/// `#[tokio::test]`, `#[bench]`, `#[cfg(test)]` or `#[cfg(all(test, …))]`.
pub fn mark_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let last = attribute.path().segments.last();
        if last.is_some_and(|segment| segment.ident == "test" || segment.ident == "bench") {
            return true;
        }
        let Meta::List(list) = &attribute.meta else { return false };
        let condition: String =
            list.tokens.to_string().chars().filter(|letter| !letter.is_whitespace()).collect();
        attribute.path().is_ident("cfg")
            && (condition == "test" || condition.starts_with("all(test,"))
    })
}

/// The attributes of an item of any kind.
pub fn of_item(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
