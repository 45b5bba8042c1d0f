//! Bodies that clippy treats in ways of its own because there is nothing in them, or only a stub.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, RwLock};

use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

#[lazy_mmu]
fn empty_generic<T>() {}

#[lazy_mmu]
fn empty_bound<T: Send + ?Sized>(_: &T) {}

#[lazy_mmu]
fn empty_lifetime<'a>(_x: &'a u8) {}

#[lazy_mmu]
fn empty_const_generic<const N: usize>() {}

#[lazy_mmu]
fn empty_by_value(_x: String, _y: Vec<u8>) {}

#[lazy_mmu]
fn empty_by_mut(_x: &mut u8, _y: &mut Vec<u8>) {}

#[lazy_mmu]
fn stub(x: String) -> u8 {
    unimplemented!("{x}")
}

#[lazy_mmu]
fn unreachable_only(_x: &mut u8) -> String {
    unreachable!()
}

/// A type.
#[derive(Clone, Copy, Debug)]
pub struct Unit<T = ()>(PhantomData<T>);

impl<T> Unit<T> {
    #[lazy_mmu]
    pub fn new() -> Self {
        Self(PhantomData)
    }
    #[lazy_mmu]
    pub fn unused_self(&self) {}
    #[lazy_mmu]
    pub fn unused_self_value(&self) -> u8 {
        3
    }
    #[lazy_mmu]
    pub fn unused_mut_self(&mut self, n: &mut u8) -> u8 {
        *n
    }
    #[lazy_mmu]
    pub fn stub_self(&self) -> u8 {
        unimplemented!()
    }
    #[lazy_mmu]
    pub fn text(&self) -> &str {
        "text"
    }
    #[lazy_mmu]
    pub fn only_in_recursion(&self, n: u8) -> u8 {
        if n == 0 { 0 } else { self.only_in_recursion(n - 1) }
    }
    #[lazy_mmu]
    pub fn into_inner(self) -> PhantomData<T> {
        self.0
    }
    #[lazy_mmu]
    pub fn is_empty(self) -> bool {
        false
    }
    #[lazy_mmu]
    pub fn next(&mut self) -> Option<u8> {
        None
    }
    #[lazy_mmu]
    pub fn default() -> Self {
        Self::new()
    }
}

#[lazy_mmu]
pub fn always_some(x: u8) -> Option<u8> {
    Some(x)
}

#[lazy_mmu]
fn always_ok(x: u8) -> Result<u8, ()> {
    Ok(x)
}

#[lazy_mmu]
fn let_and_return(x: u8) -> u8 {
    let y = x + 1;
    y
}

#[lazy_mmu]
fn unit_value() -> () {
    let x = ();
    x
}

#[lazy_mmu]
fn single_match(x: Option<u8>) {
    match x {
        Some(3) => empty_generic::<u8>(),
        _ => {}
    }
}

#[lazy_mmu]
fn guard_held(m: &Mutex<Vec<u8>>) -> usize {
    let all = m.lock().unwrap();
    let n = all.len();
    for _ in 0..n {
        std::thread::yield_now();
    }
    n
}

#[lazy_mmu]
fn guard_returned<'a>(m: &'a Mutex<u8>, other: &RwLock<u8>) -> MutexGuard<'a, u8> {
    let mut guard = m.lock().unwrap();
    *guard += *other.read().unwrap();
    guard
}

#[lazy_mmu]
fn scrutinee(m: &Mutex<Option<u8>>) -> u8 {
    match *m.lock().unwrap() {
        Some(x) => x,
        None => 0,
    }
}

#[lazy_mmu]
fn map_entry(map: &mut BTreeMap<u8, u8>) {
    if !map.contains_key(&1) {
        map.insert(1, 2);
    }
}

#[lazy_mmu]
fn dead_stores() {
    let mut _x = 1;
    _x = 2;
    let _ = _x;
}

#[lazy_mmu]
fn complex(x: u8) -> u8 {
    let mut n = 0;
    for i in 0..x {
        if i > 3 && x < 9 || i == 1 {
            for j in 0..i {
                match j {
                    0 => n += 1,
                    1 if x > 3 => n += 2,
                    2 | 3 => continue,
                    _ if n > 9 => break,
                    _ => n += if i > j { 1 } else { 2 },
                }
            }
        } else if i < 2 {
            while n < 3 {
                n += 1;
            }
        }
    }
    n
}

#[lazy_mmu]
fn many_arguments(
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: bool,
    i: bool,
    j: bool,
) -> u8 {
    a + b + c + d + e + f + g + u8::from(h && i && j)
}

#[lazy_mmu]
fn large_array() -> usize {
    let x = [0u8; 20_000];
    x.len()
}

#[lazy_mmu]
fn boxed_arguments(x: &Box<u8>, y: &Vec<u8>, z: &String) -> usize {
    usize::from(**x) + y.len() + z.len()
}

#[lazy_mmu_paused]
fn debug_and_display(x: &(impl Debug + Display)) -> String {
    format!("{:?} {}", x, x)
}

#[lazy_mmu]
fn item_after_statement() -> u8 {
    let x = 1;
    fn inner(x: u8) -> u8 {
        x
    }
    inner(x)
}

#[lazy_mmu]
fn item_from_macro_first() -> bool {
    macro_rules! item {
        ($name:ident) => {
            fn $name() -> bool {
                true
            }
        };
    }
    item!(one);
    fn two() -> bool {
        one()
    }
    two()
}

#[lazy_mmu]
fn item_with_docs_first() -> u8 {
    /// Docs.
    #[inline]
    const fn inner() -> u8 {
        1
    }
    #[allow(dead_code)]
    /// Docs.
    type Unused = u8;
    inner()
}

/// Calls what is private, so that nothing is dead.
pub fn all(mut x: Vec<u8>) -> usize {
    empty_generic::<u8>();
    empty_bound("x");
    empty_lifetime(&1);
    empty_const_generic::<3>();
    empty_by_value(String::new(), Vec::new());
    empty_by_mut(&mut 1, &mut x);
    dead_stores();
    unit_value();
    single_match(None);
    map_entry(&mut BTreeMap::new());
    if x.is_empty() {
        return unreachable_only(&mut stub(String::new())).len();
    }
    let n = always_ok(1).map_or(0, let_and_return) + complex(3) + item_after_statement();
    let m = Mutex::new(n);
    let more = *guard_returned(&m, &RwLock::new(1)) + scrutinee(&Mutex::new(None));
    let many = many_arguments(1, 2, 3, 4, 5, 6, 7, true, false, item_from_macro_first());
    guard_held(&Mutex::new(x))
        + usize::from(more + many + item_with_docs_first())
        + large_array()
        + boxed_arguments(&Box::new(1), &vec![], &debug_and_display(&1))
}
