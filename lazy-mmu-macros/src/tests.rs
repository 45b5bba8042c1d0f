//! Expansion on tokens: what is written, what is kept, what is refused.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::args::Mode;
use crate::expand;

const GUARD: &str = r#"let _ = &::lazy_mmu::__private::section("f");"#;

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("the test's own text is made of tokens")
}

/// The text of `tokens` with no white space, which differs by how a token came to be.
fn squeezed(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

#[track_caller]
fn check_expand(args: &str, item: &str, expected: &str) {
    check_expand_tokens(args, tokens(item), expected);
}

#[track_caller]
fn check_expand_tokens(args: &str, item: TokenStream, expected: &str) {
    let found = expand::attribute(Mode::Section, tokens(args), item);
    let expected = tokens(&expected.replace("GUARD", GUARD));
    assert_eq!(squeezed(&found), squeezed(&expected));
}

/// Checks the messages, in order, and that the item is kept as it came.
#[track_caller]
fn check_refused(args: &str, item: &str, expected: &[&str]) {
    check_refused_in(Mode::Section, args, item, expected);
}

#[track_caller]
fn check_refused_in(mode: Mode, args: &str, item: &str, expected: &[&str]) {
    let found = expand::attribute(mode, tokens(args), tokens(item)).to_string();
    let kept = tokens(item).to_string();
    let (errors, rest) = found.split_at(found.len() - kept.len());
    assert_eq!(rest, kept, "the item is emitted after the errors");
    let found: Vec<_> = errors.split("compile_error").skip(1).collect();
    assert_eq!(found.len(), expected.len(), "{errors}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "expected {expected:?}, found {found:?}");
    }
}

/// `tokens` in a group without delimiters, as a metavariable of `macro_rules!` leaves them.
fn invisible(text: &str) -> TokenTree {
    Group::new(Delimiter::None, tokens(text)).into()
}

#[test]
fn only_the_body_changes() {
    check_expand("", "fn f() { work(); }", "fn f() { GUARD work(); }");
    check_expand(
        "",
        "#[inline] /// Doc.\n pub(in crate::mm) unsafe extern \"C\" fn f<const N: usize>(self: &Self) \
         -> [u8; { N }] where [(); { N }]: Sized { x }",
        "#[inline] /// Doc.\n pub(in crate::mm) unsafe extern \"C\" fn f<const N: usize>(self: &Self) \
         -> [u8; { N }] where [(); { N }]: Sized { GUARD x }",
    );
}

#[test]
fn inner_attributes_stay_first() {
    check_expand(
        "",
        "fn f() { #![expect(unused)] //! Inner.\n let x = 1; }",
        "fn f() { #![expect(unused)] //! Inner.\n GUARD let x = 1; }",
    );
}

#[test]
fn leading_items_stay_first() {
    for items in [
        "use a::{b, c};",
        "#[cfg(x)] use a::b; const N: u8 = { 1 };",
        "pub(crate) struct S<T = Foo<{ 1 }>>(T); struct U; struct V { x: u8 }",
        "fn g<F: Fn() -> u8>(f: F) -> Foo<{ 1 }> where F: Copy { f() }",
        "const unsafe extern \"C\" fn g() {}",
        "async fn g() {} unsafe impl Send for S {} impl<const N: u8> T for Foo<{ N }> {}",
        "macro_rules! m { () => {} } macro_rules! n (() => {});",
        "union U { a: u8 } static mut X: u8 = 1; extern \"C\" { fn g(); } extern crate alloc;",
        "const default: u8 = { 1 }; type X = [u8; 1]; enum E {} trait T {} mod m {}",
    ] {
        check_expand(
            "",
            &format!("fn f() {{ {items} let x = 1; use late; }}"),
            &format!("fn f() {{ {items} GUARD let x = 1; use late; }}"),
        );
    }
}

#[test]
fn expressions_that_begin_like_items_do_not() {
    for body in [
        "unsafe { x() }",
        "async move { 1 };",
        "const { assert!(true) };",
        "static || 1;",
        "#[allow(unused)] let x = 1;",
        "default(); union.x = 1; auto += 1; macro_rules",
        "pub",
        "const",
        "if let Some(x) = y { let z = ..; } ..",
        "x as Vec<u8>",
    ] {
        check_expand("", &format!("fn f() {{ {body} }}"), &format!("fn f() {{ GUARD {body} }}"));
    }
}

#[test]
fn groups_without_delimiters_are_opened_where_items_begin_and_end() {
    let whole: TokenStream = invisible("fn f() { work(); }").into();
    check_expand_tokens("", whole, "fn f() { GUARD work(); }");
    let parts = [invisible("pub"), invisible("")].into_iter().chain(tokens("fn f()"));
    let parts = parts.chain([invisible("{ work(); }")]).collect();
    check_expand_tokens("", parts, "pub fn f() { GUARD work(); }");
    // An expression keeps its group: it stands for parentheses.
    let body = [invisible("1 + 2")].into_iter().chain(tokens("* 3"));
    let body = Group::new(Delimiter::Brace, body.collect());
    let item = tokens("fn f()").into_iter().chain([body.into()]).collect();
    let output = expand::attribute(Mode::Section, TokenStream::new(), item);
    let Some(TokenTree::Group(body)) = output.into_iter().last() else { panic!("no body") };
    let trees: Vec<_> = body.stream().into_iter().collect();
    let kept = &trees[trees.len() - 3];
    assert!(matches!(kept, TokenTree::Group(group) if group.delimiter() == Delimiter::None));
}

#[test]
fn unfinished_bodies_stay_as_they_are() {
    for body in ["#", "x.", "x.y().", "1 +", "let", "let x = S { y: 1 }", "Vec::<u8>::", "fn g()"] {
        let item = format!("fn f() {{ {body} }}");
        check_expand("", &item, &item);
    }
}

#[test]
fn an_empty_body_mentions_the_type_parameters() {
    let mention = |param| format!("::lazy_mmu::__private::mention::<{param}>();");
    check_expand(
        "",
        "pub(in f) fn f<'a, T, #[x] U: Into<Vec<T>>, const N: u8, V = fn(T) -> U>(x: W<T>) {}",
        &format!(
            "pub(in f) fn f<'a, T, #[x] U: Into<Vec<T>>, const N: u8, V = fn(T) -> U>(x: W<T>) \
             {{ GUARD {} {} {} }}",
            mention("T"),
            mention("U"),
            mention("V"),
        ),
    );
}

#[test]
fn arguments() {
    let literal = |name: &str| format!(r#""{name}""#);
    let guard = |krate: &str, name: &str| {
        format!("let _ = &{krate}::__private::section({});", literal(name))
    };
    let item = "fn r#fn() { x }";
    let with = |guard: &str| format!("fn r#fn() {{ {guard} x }}");
    check_expand("", item, &with(&guard("::lazy_mmu", "fn")));
    check_expand("crate = ::a::b", item, &with(&guard("::a::b", "fn")));
    check_expand("name = \"zap \\\"it\\\"\",", item, &with(&guard("::lazy_mmu", "zap \\\"it\\\"")));
    check_expand("name = r\"x\", crate = y", item, &with(&guard("y", "x")));
    check_expand("allow_future", item, &with(&guard("::lazy_mmu", "fn")));
    check_expand("skip", item, item);
    let hinted = format!(
        "let _ = &::lazy_mmu::__private::section_with_ptes({}, \
         ::lazy_mmu::__private::pte_range(&(mm), &(a + f::<B, C<D>>(x, y)), &(e), &(ptep)));",
        literal("fn")
    );
    check_expand("with_ptes(mm, a + f::<B, C<D>>(x, y), e, ptep)", item, &with(&hinted));
}

#[test]
fn wrong_arguments_are_listed_together() {
    check_refused(
        "crat = ::x, name = \"a\", name = \"b\", crate = \"x\", name, with_ptes(a, b), 7, skip per_poll",
        "fn f() {}",
        &[
            "unknown argument `crat`, expected `crate = path`, `name = \\\"..\\\"`, `with_ptes(mm, \
             addr, end, ptep)`, `per_poll`, `allow_future` or `skip`",
            "duplicate argument `name`",
            "expected a path without quotes",
            "expected a string literal",
            "expected four expressions",
            "expected `crate = path`",
            "expected `,` after `skip`",
            "`skip` stands alone",
        ],
    );
    check_refused_in(
        Mode::Pause,
        "with_ptes(a, b, c, d)",
        "fn f() {}",
        &["unknown argument `with_ptes`, expected `crate = path`, `name = \\\"..\\\"`, `per_poll`"],
    );
}

#[test]
fn refused_functions() {
    check_refused("", "const fn f() {}", &["remove `const`"]);
    check_refused("", "async fn f() {}", &["`#[lazy_mmu(per_poll)]`"]);
    check_refused_in(Mode::Pause, "", "async fn f() {}", &["`#[lazy_mmu_paused(per_poll)]`"]);
    check_refused("per_poll", "fn f() {}", &["`per_poll` needs an `async fn`"]);
    check_refused("", "gen fn f() {}", &["a `gen fn` suspends"]);
    check_refused("", "async gen fn f() {}", &["a `gen fn` suspends"]);
    check_refused("", "fn f();", &["without a body"]);
    check_refused("", "#[unsafe(naked)] extern \"C\" fn f() { a!() }", &["naked"]);
    check_refused("", "#[naked] fn f() { a!() }", &["naked"]);
    check_refused("", "const async fn f();", &["const", "without a body", "per_poll"]);
    check_refused("per_poll, with_ptes(a, b, c, d)", "async fn f() {}", &["names one range"]);
}

#[test]
fn refused_return_types() {
    for output in [
        "impl Future<Output = u8>",
        "impl std::future::Future + Send + 'static",
        "Pin<Box<dyn Future<Output = u8> + Send + '_>>",
        "BoxFuture<'static, ()>",
        "Result<(impl Stream<Item = u8>, u8), E> where E: Copy",
    ] {
        let item = format!("fn f<T: Fn() -> u8>(x: fn() -> u8) -> {output} {{ x }}");
        check_refused("", &item, &["`#[lazy_mmu(allow_future)]`"]);
        let expected = item.replace("{ x }", "{ GUARD x }");
        check_expand("allow_future", &item, &expected);
    }
    for fine in ["Future", "TcpStream", "impl Iterator<Item = u8>", "u8 where T: Future"] {
        let item = format!("fn f(x: impl Future) -> {fine} {{}}");
        check_expand("", &item, &item.replace("{}", "{ GUARD }"));
    }
}

#[test]
fn refused_items() {
    for item in ["struct S;", "static X: u8 = 1;", "extern \"C\" {}", "m! {}", "let x = || {};", ""]
    {
        check_refused("", item, &["expected a function, an `impl` block, a trait or an inline"]);
    }
    check_refused("", "mod m;", &["expected `mod name { .. }`"]);
    check_refused(
        "name = \"x\", with_ptes(a, b, c, d)",
        "impl S {}",
        &["`name` is of one function", "`with_ptes` is of one function"],
    );
}

#[test]
fn blocks_hand_the_attribute_on() {
    check_expand(
        "",
        "unsafe impl<T> S<{ 1 }> for T { #![allow(x)] const N: u8 = { 1 }; /// Doc.\n pub fn a() {} \
         const fn b() {} #[lazy_mmu(skip)] fn c() {} #[x::lazy_mmu] fn d() {} fn e(); \
         #[unsafe(naked)] fn g() {} async fn h() {} m! {} type X = Y; }",
        "unsafe impl<T> S<{ 1 }> for T { #![allow(x)] const N: u8 = { 1 }; /// Doc.\n \
         #[::lazy_mmu::lazy_mmu] pub fn a() {} \
         const fn b() {} #[lazy_mmu(skip)] fn c() {} #[x::lazy_mmu] fn d() {} fn e(); \
         #[unsafe(naked)] fn g() {} #[::lazy_mmu::lazy_mmu] async fn h() {} m! {} type X = Y; }",
    );
    check_expand(
        "crate = y, per_poll, allow_future",
        "mod m { use a::{b}; m!(); struct S; fn a() {} async fn b() {} impl S { fn c() {} } \
         trait T { fn d(); } extern \"C\" { fn e(); } mod n; #[lazy_mmu_paused] fn f() {} }",
        "mod m { use a::{b}; m!(); struct S; #[y::lazy_mmu(crate = y, allow_future,)] fn a() {} \
         #[y::lazy_mmu(crate = y, per_poll, allow_future,)] async fn b() {} \
         #[y::lazy_mmu(crate = y, per_poll, allow_future,)] impl S { fn c() {} } \
         #[y::lazy_mmu(crate = y, per_poll, allow_future,)] trait T { fn d(); } \
         extern \"C\" { fn e(); } mod n; \
         #[lazy_mmu_paused] #[y::lazy_mmu(crate = y, allow_future,)] fn f() {} }",
    );
}

#[test]
fn skip_takes_back_what_a_block_handed_on() {
    check_expand("skip", "#[a] #[::lazy_mmu::lazy_mmu] #[b] fn f() {}", "#[a] #[b] fn f() {}");
}

#[test]
fn per_poll_wraps_the_body() {
    let wrap = |inner: &str| {
        format!("::lazy_mmu::__private::per_poll(\"f\", async move {{ {inner} }}).await")
    };
    let hint = "if false { return ::lazy_mmu::__private::never::<T>(); }";
    check_expand(
        "per_poll",
        "async fn f() -> T where T: Copy { #![x] g().await }",
        &format!(
            "async fn f() -> T where T: Copy {{ #![x] {} }}",
            wrap(&format!("{hint} g().await"))
        ),
    );
    for unnameable in ["impl Copy", "!"] {
        check_expand(
            "per_poll",
            &format!("async fn f() -> {unnameable} {{ g().await }}"),
            &format!("async fn f() -> {unnameable} {{ {} }}", wrap("g().await")),
        );
    }
}
