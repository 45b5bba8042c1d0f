//! The arguments of the attributes.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, LitStr, Token};

/// Which of the two attributes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `#[lazy_mmu]`
    Section,
    /// `#[lazy_mmu_paused]`
    Pause,
}

impl Mode {
    /// The name of the attribute.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Section => "lazy_mmu",
            Self::Pause => "lazy_mmu_paused",
        }
    }

    /// The valid arguments, for messages.
    const fn expected(self) -> &'static str {
        match self {
            Self::Section => {
                "`crate = path`, `name = \"..\"`, `with_ptes(mm, addr, end, ptep)`, `per_poll`, \
                 `allow_future` or `skip`"
            }
            Self::Pause => "`crate = path`, `name = \"..\"`, `per_poll`, `allow_future` or `skip`",
        }
    }
}

/// All errors of one use, reported together.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    pub(crate) fn at(&mut self, span: Span, message: &str) {
        self.push(syn::Error::new(span, message));
    }

    /// The errors as tokens, if there are any.
    pub(crate) fn tokens(&self) -> Option<TokenStream> {
        self.0.as_ref().map(syn::Error::to_compile_error)
    }
}

/// What was written in the parentheses of an attribute.
#[derive(Default)]
pub(crate) struct Args {
    /// All tokens, for an attribute that is handed on to the items of a block.
    pub(crate) tokens: TokenStream,
    /// `crate = path`: where the facade is.
    pub(crate) krate: Option<TokenStream>,
    /// `name = "..."`: what the record shows.
    pub(crate) name: Option<LitStr>,
    /// `with_ptes(..)`: the range that the section will touch.
    pub(crate) with_ptes: Option<Ptes>,
    /// `per_poll`: enter on each poll.
    pub(crate) per_poll: Option<Span>,
    /// `allow_future`: the returned future is known to run outside.
    pub(crate) allow_future: Option<Span>,
    /// `skip`: leave the item alone.
    pub(crate) skip: Option<Span>,
}

/// The range hint: four expressions.
pub(crate) struct Ptes {
    pub(crate) span: Span,
    pub(crate) parts: Vec<TokenStream>,
}

impl Args {
    /// Reads `tokens`; what is wrong goes to `errors` and is left out.
    pub(crate) fn parse(mode: Mode, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self { tokens: tokens.clone(), ..Self::default() };
        if tokens.is_empty() {
            return args;
        }
        let list = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = args.one(mode, input) {
                    errors.push(error);
                }
                until_comma(input);
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = list.parse2(tokens) {
            errors.push(error);
        }
        args
    }

    fn one(&mut self, mode: Mode, input: ParseStream<'_>) -> syn::Result<()> {
        let expected = mode.expected();
        let Ok(key) = input.call(Ident::parse_any) else {
            return Err(input.error(format!("expected {expected}")));
        };
        let text = key.to_string();
        let fresh = match text.as_str() {
            "crate" => set(&mut self.krate, path(input)?),
            "name" => set(&mut self.name, name(input)?),
            "with_ptes" if mode == Mode::Section => set(&mut self.with_ptes, ptes(&key, input)?),
            "per_poll" => set(&mut self.per_poll, key.span()),
            "allow_future" => set(&mut self.allow_future, key.span()),
            "skip" => set(&mut self.skip, key.span()),
            _ => {
                let message = format!("unknown argument `{text}`, expected {expected}");
                return Err(syn::Error::new(key.span(), message));
            }
        };
        if !fresh {
            let message = format!("duplicate argument `{text}`, expected each of {expected} once");
            return Err(syn::Error::new(key.span(), message));
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error(format!("expected `,` after `{text}`")));
        }
        Ok(())
    }
}

/// Sets `slot` if it is empty and tells whether it was.
fn set<T>(slot: &mut Option<T>, value: T) -> bool {
    let fresh = slot.is_none();
    slot.get_or_insert(value);
    fresh
}

/// Reads `= path`; the tokens are forwarded as they are, so that `$crate` works.
fn path(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    const EXPECTED: &str = "expected a path without quotes, as in `crate = ::lazy_mmu`";
    let at = input.span();
    input.parse::<Token![=]>().map_err(|_| syn::Error::new(at, EXPECTED))?;
    let at = input.span();
    let path = flat(until_comma(input));
    let is_path = path.clone().into_iter().all(|tree| match tree {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    });
    if path.is_empty() || !is_path {
        return Err(syn::Error::new(at, EXPECTED));
    }
    Ok(path)
}

/// Reads `= "..."`.
fn name(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let at = input.span();
    let name = input.parse::<Token![=]>().and_then(|_| input.parse());
    name.map_err(|_| syn::Error::new(at, "expected a string literal, as in `name = \"zap\"`"))
}

/// Reads `(mm, addr, end, ptep)`.
fn ptes(key: &Ident, input: ParseStream<'_>) -> syn::Result<Ptes> {
    const EXPECTED: &str = "expected four expressions over the function's parameters: `with_ptes(mm, addr, end, ptep)`";
    let parts = match input.parse() {
        Ok(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            split(group.stream())
        }
        _ => return Err(syn::Error::new(key.span(), EXPECTED)),
    };
    if parts.len() != 4 || parts.iter().any(TokenStream::is_empty) {
        return Err(syn::Error::new(key.span(), EXPECTED));
    }
    Ok(Ptes { span: key.span(), parts })
}

/// Splits expressions at commas, but not at those of `::<A, B>`.
fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![];
    let mut part = TokenStream::new();
    let (mut last, mut depth) = (' ', 0usize);
    for tree in tokens {
        let punct = if let TokenTree::Punct(punct) = &tree { punct.as_char() } else { ' ' };
        match punct {
            ',' if depth == 0 => parts.push(std::mem::take(&mut part)),
            '<' if depth > 0 || last == ':' => depth += 1,
            '>' if last != '-' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if punct != ',' || depth > 0 {
            part.extend([tree]);
        }
        last = punct;
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Takes everything up to the next comma.
fn until_comma(input: ParseStream<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        match input.parse::<TokenTree>() {
            Ok(tree) => tokens.extend([tree]),
            Err(_) => break,
        }
    }
    tokens
}

/// `tokens` without the groups that have no delimiters.
fn flat(tokens: TokenStream) -> TokenStream {
    let open = |tree| match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => flat(group.stream()),
        tree => tree.into(),
    };
    tokens.into_iter().map(open).collect()
}
