//! Code with and without the attributes: the same lints at the same places, of rustc and of all
//! groups of clippy, on the corpus of shapes; and the same errors on broken bodies.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::macros_messages::{Message, messages};
use crate::macros_rustc::{Job, scratch};
use crate::support::{read, root};

/// The files of the corpus; hygiene.rs gives other names to the attributes and stays out.
const FILES: [&str; 11] = [
    "attributes",
    "bodies",
    "drop_order",
    "first_tokens",
    "macro_rules",
    "polled",
    "receivers",
    "signatures",
    "strict",
    "stubs",
    "units",
];

/// Lints that are off by default and might fire on what the attributes write.
const LINTS: &[&str] = &[
    "unused",
    "nonstandard_style",
    "future_incompatible",
    "rust_2018_idioms",
    "rust_2021_compatibility",
    "rust_2024_compatibility",
    "explicit_outlives_requirements",
    "let_underscore_drop",
    "meta_variable_misuse",
    "missing_debug_implementations",
    "missing_docs",
    "redundant_lifetimes",
    "single_use_lifetimes",
    "trivial_casts",
    "trivial_numeric_casts",
    "unit_bindings",
    "unnameable_types",
    "unreachable_pub",
    "unsafe_code",
    "unsafe_op_in_unsafe_fn",
    "unused_lifetimes",
    "unused_qualifications",
    "unused_results",
    "variant_size_differences",
    "clippy::all",
    "clippy::pedantic",
    "clippy::nursery",
    "clippy::restriction",
];

/// Lints that only the annotated corpus may raise, and why.
const NEW: &[(&str, &str)] = &[
    ("tail_expr_drop_order", "true: a section ends before or after tail temporaries, by edition"),
    ("clippy::implicit_return", "a restriction: the body of `per_poll` stands in a block"),
    ("clippy::default_numeric_fallback", "in the expressions of `with_ptes`"),
    ("clippy::arithmetic_side_effects", "in the expressions of `with_ptes`"),
    ("clippy::absolute_paths", "in the expressions of `with_ptes`"),
    ("clippy::std_instead_of_core", "in the expressions of `with_ptes`"),
];

/// Lints that only the bare corpus may raise, and why.
const LOST: &[(&str, &str)] = &[
    ("clippy::missing_const_for_fn", "a function with a section is not constant"),
    ("clippy::unused_async", "`per_poll` awaits"),
    ("clippy::manual_async_fn", "`allow_future`: there is more in the body than the future"),
    ("clippy::implicit_return", "the body of `per_poll` stands in a block"),
    ("clippy::trivially_copy_pass_by_ref", "`with_ptes` borrows"),
    ("clippy::pub_with_shorthand", "a restriction, on a `pub` out of `$v:vis`"),
    ("clippy::empty_line_after_outer_attr", "the blanked line"),
    ("clippy::empty_line_after_doc_comments", "the blanked line"),
    ("redundant_semicolons", "in a body that was taken apart after an item out of `$i:item`"),
    ("unused_imports", "the import of the attributes"),
];

/// `text` with all uses of the attributes blanked, so that nothing else moves.
fn bare(text: &str) -> String {
    let mut rest = text;
    let mut bare = String::new();
    while let Some(at) = rest.find("#[lazy_mmu") {
        let (before, attr) = rest.split_at(at);
        let mut depth = 0;
        let end = attr.find(|c| {
            depth += i32::from(c == '[') - i32::from(c == ']');
            c == ']' && depth == 0
        });
        let (attr, after) = attr.split_at(end.expect("an attribute ends") + 1);
        bare += before;
        bare.extend(attr.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    bare + rest
}

/// The clippy of this toolchain, or else rustc.
fn driver() -> PathBuf {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = String::from_utf8(output.expect("rustc runs").stdout).expect("a path in UTF-8");
    let clippy = PathBuf::from(sysroot.trim()).join("bin").join("clippy-driver");
    if clippy.exists() { clippy } else { "rustc".into() }
}

/// The messages on the corpus, each text of it changed by `change`.
fn corpus(edition: &str, name: &str, change: fn(&str) -> String) -> Vec<Message> {
    let folder = scratch().join(format!("{name}_{edition}"));
    std::fs::create_dir_all(&folder).expect("the folder of these tests can be written");
    let mut text = "//! The corpus.\n".to_owned();
    for file in FILES {
        let corpus = read(&root().join("tests/shapes/common").join(format!("{file}.rs")));
        std::fs::write(folder.join(format!("{file}.rs")), change(&corpus)).expect("it is writable");
        text += &format!("#[path = \"{name}_{edition}/{file}.rs\"] pub mod {file};\n");
    }
    let mut args = vec!["--crate-type=lib", "--crate-name=corpus", "--cap-lints=warn"];
    for lint in LINTS {
        args.extend(["-W", lint]);
    }
    let driver = driver();
    let driver = driver.to_str().expect("a path in UTF-8");
    let messages = messages(&Job { driver, edition, name, text: &text, args: &args });
    let plain = |message: Message| Message {
        place: (
            message.place.0.rsplit('/').next().unwrap_or("").to_owned(),
            message.place.1,
            message.place.2,
        ),
        ..message
    };
    messages.into_iter().map(plain).collect()
}

#[track_caller]
fn check_corpus(edition: &str) {
    let annotated = corpus(edition, "annotated", str::to_owned);
    let bare = corpus(edition, "bare", bare);
    for on in ["missing_docs]", "clippy::"] {
        assert!(annotated.iter().any(|message| message.text.contains(on)), "{on} is on");
    }
    let error = |message: &&Message| message.text.starts_with("error");
    assert_eq!(annotated.iter().find(error), None);
    let only = |these: &[Message], those: &[Message], excepted: &[(&str, &str)]| {
        let excepted = |message: &&Message| {
            !excepted.iter().any(|(lint, _)| message.text.ends_with(&format!("[{lint}]")))
        };
        let only = these.iter().filter(|message| !those.contains(message));
        only.filter(excepted).map(|m| format!("{m:?}\n")).collect::<String>()
    };
    assert_eq!(only(&annotated, &bare, NEW), "", "new, edition {edition}");
    assert_eq!(only(&bare, &annotated, LOST), "", "lost, edition {edition}");
}

#[test]
fn lints_are_the_same_in_2024() {
    check_corpus("2024");
}

#[test]
fn lints_are_the_same_in_2021() {
    check_corpus("2021");
}

/// Bodies and signatures with errors, each a function `f` or more.
const BROKEN: &[&str] = &[
    "fn f() -> u8 { \"text\" }",
    "fn f() -> u8 { }",
    "fn f() -> u8 { 1; }",
    "fn f() -> String { let x = 1; if x > 0 { return 3 } }",
    "fn f() { let x: u8 = \"text\"; }",
    "fn f() { missing(); }",
    "fn f(x: String) -> String { drop(x); x }",
    "fn f(x: &mut u8) -> &'static mut u8 { x }",
    "fn f() -> &u8 { &1 }",
    "fn f<'a>() -> &'a String { let x = String::new(); &x }",
    "fn f(x: Missing) { x }",
    "fn f() { let x = ; }",
    "fn f() { let x = 1 }",
    "fn f() { x. }",
    "fn f() { x.y(). }",
    "fn f() { 1 + }",
    "fn f() { let x = S { y: 1 } }",
    "fn f() { let }",
    "fn f() { if let Some(x) = y { x. } }",
    "fn f() { g(1 }) }",
    "fn f() { x. let y = 1; }",
    "fn f() { Vec::<u8>:: }",
    "fn f() { fn g() }",
    "fn f() { match x { Some( } }",
    "fn f() { foo( ; }",
    "fn f() { if { } }",
    "fn f() { let v = vec![1]; for x in v { } v.len(); }",
    "fn f() { break; }",
    "fn f() { 'a: loop { continue 'b; } }",
    "fn f() -> Option<u8> { let x: Result<u8, ()> = Ok(1); Some(x?) }",
    "fn f() { None?; }",
    "fn f() -> impl Copy { String::new() }",
    "fn f() -> ! { }",
    "fn f() { let Some(x) = Some(1); }",
    "fn f() { match 1 { 1 => {} } }",
    "fn f() { async {}.await; }",
    "fn f() { let x; x }",
    "fn f() { let x = 1; x = 2; }",
    "fn f() { let c = || { return 1; \"\" }; }",
    "fn f() { unsafe_op(); } unsafe fn unsafe_op() {}",
    "fn f<T>(x: T) -> T { x.clone() }",
    "fn f<T>(x: T) where T: Missing { }",
    "fn f() { use missing::x; const N: u8 = \"\"; let y = N + 1; }",
    "fn f() { #![missing] }",
    "fn f() { __guard; }",
    "fn f(self) { }",
    "fn f(x: u8, x: u8) { }",
    "fn f() -> usize { let c = std::cell::RefCell::new(vec![1]); c.borrow().len() }",
    "fn f() { let s = std::rc::Rc::new(1); std::thread::spawn(move || s); }",
    "fn f() { recursive(1).x } fn recursive(x: u8) -> u8 { x }",
    "#[inline] #[missing] fn f() { }",
    "fn f() { struct S; impl S { fn g(&self) { self.missing } } }",
    "fn f() { macro_rules! m { () => { 1 + } } m!() }",
];

#[test]
fn errors_are_the_same() {
    let all = |name: &str, attr: &str, edition| {
        // Each broken item stands in a module of its own, so that the errors of one hide few of
        // the others; what the parser refuses would hide all, so that each is compiled alone.
        let compile = |(at, item): (usize, &&str)| {
            let text = format!("#![allow(unused)]\nuse lazy_mmu::lazy_mmu;\n{attr}\n{item}\n");
            let name = format!("{name}_{at}");
            let args = ["--crate-type=lib", "--crate-name=broken"];
            let job = Job { driver: "rustc", edition, name: &name, text: &text, args: &args };
            let at = |message: Message| ((message.place.1, message.place.2), message.text);
            messages(&job).into_iter().map(at).collect::<Vec<_>>()
        };
        BROKEN.iter().enumerate().map(compile).collect::<Vec<_>>()
    };
    for edition in ["2021", "2024"] {
        let annotated = all("broken", "#[lazy_mmu]", edition);
        let bare = all("broken_bare", "", edition);
        for (item, (annotated, bare)) in BROKEN.iter().zip(annotated.iter().zip(&bare)) {
            assert_eq!(annotated, bare, "edition {edition}: {item}");
        }
    }
}

#[test]
fn a_hint_that_does_not_convert_is_reported_where_it_stands() {
    let text = "#[lazy_mmu::lazy_mmu(with_ptes(1, 2, &*mm, 4))] pub fn zap(mm: &str) {}";
    let args = ["--crate-type=lib", "--crate-name=hint"];
    let job = Job { driver: "rustc", edition: "2024", name: "hint", text, args: &args };
    let messages = messages(&job);
    let [message] = messages.as_slice() else { panic!("one message: {messages:?}") };
    assert_eq!((message.place.1, message.place.2), (1, 38));
    assert_eq!(message.text, "error: `str` has no place in the range hint of a section [E0277]");
}

#[test]
fn an_annotated_function_costs_the_compiler_little_more_than_a_guard() {
    let best = |name: &str, attr: &str, first: &str| {
        let function = |i| format!("{attr}\npub fn f{i}(x: u64) -> u64 {{ {first} x + {i} }}\n");
        let text: String = (0..400).map(function).collect();
        let args = ["--crate-type=lib", "--crate-name=cost", "--emit=metadata"];
        let job = Job { driver: "rustc", edition: "2024", name, text: &text, args: &args };
        let file = job.write();
        let compile = |_| {
            let start = Instant::now();
            assert!(job.command(&file).output().expect("the compiler runs").status.success());
            start.elapsed()
        };
        (0..3).map(compile).min().expect("three rounds")
    };
    let guard = best("cost_guard", "", "let _guard = lazy_mmu::LazyMmuSection::new();");
    let annotated = best("cost_annotated", "#[lazy_mmu::lazy_mmu]", "");
    // The bench tells the figure; this only notices an attribute that parses bodies.
    assert!(annotated < guard * 4, "{annotated:?} for the attribute, {guard:?} for a guard");
}
