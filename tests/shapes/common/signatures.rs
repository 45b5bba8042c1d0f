//! Signatures: generics, patterns, return types, qualifiers, attributes of parameters.

use std::borrow::Cow;
use std::cell::Ref;
use std::error::Error;
use std::fmt::{Debug, Display};

use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

/// A structure to take apart.
pub struct Pair<A, B = u8> {
    /// One.
    pub a: A,
    /// Two.
    pub b: B,
}

#[lazy_mmu]
pub fn empty() {}

#[lazy_mmu]
pub fn comment_only() {
    // Nothing.
}

#[lazy_mmu]
pub fn unit() -> () {}

#[lazy_mmu]
pub fn generic<T: Clone>(x: &T) -> T {
    x.clone()
}

#[lazy_mmu]
pub fn where_clause<'a, T, I>(all: I) -> Option<&'a T>
where
    T: PartialOrd + ?Sized + 'a,
    I: IntoIterator<Item = &'a T>,
    for<'b> &'b T: PartialEq,
{
    let mut all = all.into_iter();
    let mut max = all.next()?;
    for x in all {
        if x > max {
            max = x;
        }
    }
    Some(max)
}

#[lazy_mmu]
pub fn const_generic<const N: usize, const B: bool>(x: [u8; N]) -> [u8; N] {
    if B { x } else { [0; N] }
}

#[lazy_mmu]
pub fn const_in_output<T>(x: T) -> Sized3<T, { 1 + 2 }>
where
    [T; { 1 + 2 }]: Sized,
    T: Copy,
{
    Sized3([x; 3])
}

/// A length as a parameter.
pub struct Sized3<T, const N: usize>(pub [T; N]);

#[lazy_mmu]
pub fn unused_type<T>(n: usize) -> usize
where
    T: Default,
{
    n + std::mem::size_of::<T>()
}

#[lazy_mmu]
pub fn higher_ranked<F>(f: F) -> usize
where
    F: for<'a> Fn(&'a str) -> &'a str,
{
    f("abc").len()
}

#[lazy_mmu]
pub fn impl_arg(x: impl Display + Clone, f: impl Fn(u8) -> u8) -> String {
    format!("{x}{}", f(1))
}

#[lazy_mmu]
pub fn impl_output<T: Copy>(x: T) -> impl Fn() -> T + Clone {
    move || x
}

#[lazy_mmu]
pub fn nested_impl_output(n: u8) -> Result<impl Iterator<Item = impl Debug>, impl Debug> {
    if n > 3 {
        return Err("too large");
    }
    Ok((0..n).map(Some))
}

#[lazy_mmu]
pub fn captures<'a, T: Debug>(x: &'a T, _other: &u8) -> impl Debug + use<'a, T> {
    x
}

#[lazy_mmu]
pub fn captures_nothing<'a>(x: &'a str) -> impl Debug + use<> {
    x.len()
}

#[lazy_mmu]
pub fn dyn_output(kind: bool) -> Box<dyn Fn(u8) -> u8> {
    if kind {
        return Box::new(|x| x + 1);
    }
    Box::new(|x| x)
}

#[lazy_mmu]
pub fn dyn_error(text: &str) -> Result<u8, Box<dyn Error + Send + Sync>> {
    if text.is_empty() {
        return Err("empty".into());
    }
    Ok(text.parse::<u8>()?)
}

#[lazy_mmu]
pub fn unsizes() -> Box<[u8]> {
    Box::new([1, 2, 3])
}

#[lazy_mmu]
pub fn coerces<'a>(x: &'a mut [u8; 4]) -> &'a [u8] {
    x
}

#[lazy_mmu]
pub fn fn_pointer() -> fn(u8) -> u8 {
    |x| x
}

#[lazy_mmu]
pub fn fn_pointer_arg(f: fn(u8) -> u8, g: extern "C" fn(u8) -> u8) -> u8 {
    f(1) + g(2)
}

#[lazy_mmu]
pub fn elided(x: &str) -> Cow<'_, str> {
    x.into()
}

#[lazy_mmu]
pub fn mapped<'a>(x: Ref<'a, Vec<u8>>) -> Ref<'a, [u8]> {
    Ref::map(x, |x| &x[..])
}

#[lazy_mmu]
pub fn never() -> ! {
    panic!("never")
}

#[lazy_mmu]
pub fn never_loops() -> ! {
    loop {
        std::process::abort();
    }
}

#[lazy_mmu]
pub fn never_exits(code: u8) -> ! {
    std::process::exit(code.into());
}

#[lazy_mmu]
pub fn never_in_one_arm(x: Option<u8>) -> u8 {
    match x {
        Some(x) => x,
        None => unreachable!(),
    }
}

#[lazy_mmu]
pub fn tuple_pattern((a, mut b): (u8, u8), _: u8, _c: u8) -> u8 {
    b += a;
    b
}

#[lazy_mmu]
pub fn struct_pattern(Pair { a, b: second, .. }: Pair<u8>, &Pair { b, .. }: &Pair<u8>) -> u8 {
    a + second + b
}

#[lazy_mmu]
pub fn array_pattern([first, .., last]: [u8; 4], [.., ref y]: [u8; 1], (x, ..): (u8, u8)) -> u8 {
    first + last + y + x
}

#[lazy_mmu]
pub fn or_pattern((Ok(x) | Err(x)): Result<u8, u8>, whole @ (_, _): (u8, u8)) -> u8 {
    x + whole.0
}

#[lazy_mmu]
pub fn mut_args(mut x: u8, mut v: Vec<u8>) -> Vec<u8> {
    x += 1;
    v.push(x);
    v
}

#[lazy_mmu]
pub fn attributes_on_parameters(
    #[cfg(any())] _gone: Missing,
    #[cfg(not(any()))] here: u8,
    #[allow(unused_variables)] unused: u8,
    #[expect(unused_variables)] expected: u8,
) -> u8 {
    here
}

#[lazy_mmu]
pub fn argument_named_as_our_local(__guard: u8) -> u8 {
    __guard
}

#[lazy_mmu]
pub fn argument_dropped(guard: String) {
    drop(guard);
}

/// # Safety
/// None needed.
#[lazy_mmu]
pub unsafe fn unsafe_fn(x: *const u8) -> bool {
    x.is_null()
}

/// # Safety
/// The pointer is valid.
#[lazy_mmu]
pub unsafe fn unsafe_op(x: *const u8) -> u8 {
    unsafe { *x }
}

#[lazy_mmu]
pub extern "C" fn extern_c(x: u8) -> u8 {
    x
}

#[lazy_mmu]
pub extern "C-unwind" fn extern_c_unwind(x: u8) -> u8 {
    if x == 0 {
        panic!("zero");
    }
    x
}

#[lazy_mmu]
pub extern "system" fn extern_system() {}

#[lazy_mmu]
pub extern "C" fn extern_default(x: u8) -> u8 {
    x
}

/// # Safety
/// None needed.
#[lazy_mmu]
pub unsafe extern "C" fn unsafe_extern(x: u8) -> u8 {
    x
}

#[lazy_mmu]
pub(crate) fn visible_in_crate() -> u8 {
    1
}

#[lazy_mmu]
pub(in crate::signatures) fn visible_in_path() -> u8 {
    visible_in_crate()
}

#[lazy_mmu]
pub(self) fn visible_in_self() -> u8 {
    visible_in_path()
}

#[lazy_mmu]
pub fn r#match(r#type: u8) -> u8 {
    r#type
}

#[lazy_mmu]
pub fn größe(länge: u8) -> u8 {
    länge + visible_in_self()
}

#[lazy_mmu]
pub fn recursive(n: u64) -> u64 {
    if n < 2 { n } else { recursive(n - 1) + recursive(n - 2) }
}

#[lazy_mmu]
pub fn mutual(n: u64) -> bool {
    n == 0 || !mutual_paused(n - 1)
}

#[lazy_mmu_paused]
pub fn mutual_paused(n: u64) -> bool {
    n == 0 || !mutual(n - 1)
}

#[lazy_mmu]
pub fn qualified_output(x: u8) -> <u8 as std::ops::Add<u8>>::Output {
    x + 1
}

#[lazy_mmu]
pub fn shifts_in_generics(x: Vec<Vec<Option<u8>>>) -> Option<Vec<Option<u8>>> {
    x.into_iter().next()
}

#[lazy_mmu]
pub fn arrows_in_generics<F: Fn(fn() -> u8) -> Vec<u8>>(f: F) -> Box<dyn Fn() -> u8>
where
    F: FnOnce(fn() -> u8) -> Vec<u8> + 'static,
{
    let all = f(|| 3);
    Box::new(move || all[0])
}

#[lazy_mmu]
pub fn many<A, B, C, D>(a: A, b: B, c: C, d: D) -> (A, B, C, D) {
    (a, b, c, d)
}

#[lazy_mmu]
pub fn borrows_argument(x: String) -> usize {
    let y = &x;
    y.len()
}

#[lazy_mmu]
pub fn raw_pointers(x: &mut u8) -> *mut u8 {
    x as *mut u8
}

#[lazy_mmu]
pub fn static_output() -> &'static str {
    "text"
}

#[lazy_mmu]
pub fn trailing_where(x: u8) -> u8
where
{
    x
}
