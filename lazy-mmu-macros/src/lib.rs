//! The attributes `#[lazy_mmu]` and `#[lazy_mmu_paused]`.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Runs the function's body in a section; `name = "..."` names it in records.
#[proc_macro_attribute]
pub fn lazy_mmu(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut trees: Vec<TokenTree> = item.into_iter().collect();
    let name = args.into_iter().find(|tree| matches!(tree, TokenTree::Literal(_)));
    let name = name.map_or_else(|| format!("{:?}", fn_name(&trees)), |literal| literal.to_string());
    let Some(TokenTree::Group(body)) = trees.pop() else { return TokenStream::new() };
    let mut tokens: TokenStream = format!(
        "let __guard = ::lazy_mmu::__private::section(\
             const {{ &::lazy_mmu::__private::Site {{ name: {name} }} }});"
    )
    .parse()
    .unwrap_or_default();
    tokens.extend(body.stream());
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(body.span());
    trees.push(TokenTree::Group(group));
    trees.into_iter().collect()
}

fn fn_name(trees: &[TokenTree]) -> String {
    let at = trees.iter().position(|tree| tree.to_string() == "fn").unwrap_or_default();
    trees.get(at + 1).map(TokenTree::to_string).unwrap_or_default()
}
