//! Bodies: control flow, first and last expressions, items inside.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Mutex;

use lazy_mmu::{lazy_mmu, lazy_mmu_paused, lazy_mmu_paused_section, lazy_mmu_section};

#[lazy_mmu]
pub fn early_return(x: u8) -> u8 {
    if x == 0 {
        return 1;
    }
    x
}

#[lazy_mmu]
pub fn returns_unit(x: u8) {
    if x == 0 {
        return;
    }
    early_return(x);
}

#[lazy_mmu]
pub fn only_return() -> u8 {
    #[allow(clippy::needless_return)]
    return 3;
}

#[lazy_mmu]
pub fn question_option(x: Option<&str>) -> Option<usize> {
    let x = x?;
    Some(x.find('a')? + x.find('b')?)
}

#[lazy_mmu]
pub fn question_result(x: &str) -> Result<u8, Box<dyn std::error::Error>> {
    let n: u8 = x.parse()?;
    std::str::from_utf8(&[n])?;
    Ok(n)
}

#[lazy_mmu]
pub fn let_else(x: Option<u8>) -> u8 {
    let Some(x) = x else { return 0 };
    let (1 | 2) = x else {
        return 1;
    };
    x
}

#[lazy_mmu]
pub fn labelled(rows: &[Vec<u8>]) -> Option<u8> {
    'rows: for row in rows {
        for x in row {
            match x {
                0 => continue 'rows,
                1 => break 'rows,
                x => return Some(*x),
            }
        }
    }
    None
}

#[lazy_mmu]
pub fn labelled_block(x: u8) -> u8 {
    let y = 'found: {
        if x > 3 {
            break 'found 1;
        }
        2
    };
    y + x
}

#[lazy_mmu]
pub fn labelled_tail(x: u8) -> u8 {
    'found: {
        if x > 3 {
            break 'found 1;
        }
        2
    }
}

#[lazy_mmu]
pub fn loop_value() -> u8 {
    let mut n = 0;
    loop {
        n += 1;
        if n == 9 {
            break n;
        }
    }
}

#[lazy_mmu]
pub fn while_tail(mut n: u8) {
    while let Some(less) = n.checked_sub(1) {
        n = less;
    }
}

#[lazy_mmu]
pub fn for_tail(all: &mut [u8]) {
    for x in all {
        *x += 1;
    }
}

#[lazy_mmu]
pub fn if_let_tail(x: Option<u8>) -> u8 {
    if let Some(x) = x { x } else { 0 }
}

#[lazy_mmu]
pub fn match_tail(x: (u8, Option<bool>)) -> &'static str {
    match x {
        (0, _) => "zero",
        (_, Some(true)) if x.0 > 1 => "yes",
        (1..=9, None | Some(_)) => "small",
        _ => "large",
    }
}

#[lazy_mmu]
pub fn first_is_a_block() -> u8 {
    {
        let x = 1;
        assert!(x == 1);
    }
    2
}

#[lazy_mmu]
pub fn block_tail() -> u8 {
    let y = {
        let x = 1;
        x + 1
    };
    {
        let z = y;
        z * 2
    }
}

#[lazy_mmu]
pub fn unsafe_tail(x: &u8) -> u8 {
    unsafe { *std::ptr::from_ref(x) }
}

#[lazy_mmu]
pub fn const_tail() -> u8 {
    const { 1 + 2 }
}

#[lazy_mmu]
pub fn macro_tail() -> Vec<u8> {
    vec![1, 2]
}

#[lazy_mmu]
pub fn macro_statement_with_braces(x: u8) -> u8 {
    assert! { x > 0 }
    x
}

#[lazy_mmu]
pub fn struct_tail() -> std::ops::Range<u8> {
    std::ops::Range { start: 0, end: 3 }
}

#[lazy_mmu]
pub fn closure_tail(x: u8) -> impl Fn(u8) -> u8 {
    move |y| x + y
}

#[lazy_mmu]
pub fn async_block_inside() -> usize {
    let later = async { 1 };
    std::mem::size_of_val(&later)
}

#[lazy_mmu]
pub fn nested_fn(x: u8) -> u8 {
    fn inner<T>(x: T) -> T {
        return x;
    }
    #[lazy_mmu]
    fn annotated(x: u8) -> u8 {
        x
    }
    inner(annotated(x))
}

#[lazy_mmu]
pub fn items_first(x: u8) -> u8 {
    use std::fmt::{self, Display};
    const N: u8 = { 1 };
    static S: Mutex<u8> = Mutex::new(2);
    #[derive(Clone, Copy)]
    struct Local<T = u8>(T);
    enum E {
        A,
    }
    trait Twice {
        fn twice(&self) -> u8;
    }
    impl Twice for Local<u8> {
        fn twice(&self) -> u8 {
            self.0 * 2
        }
    }
    impl Display for Local<u8> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("local")
        }
    }
    type Byte = u8;
    macro_rules! local {
        ($x:expr) => {
            Local($x)
        };
    }
    mod inner {
        pub(super) fn one() -> u8 {
            1
        }
    }
    extern crate std as again;
    async fn later() {}
    const fn constant() -> Byte {
        1
    }
    let E::A = E::A;
    drop(later());
    let local = local!(x);
    local.twice() + N + constant() + inner::one() + *S.lock().unwrap() + again::convert::identity(1)
}

#[lazy_mmu]
pub fn items_last(x: u8) -> u8 {
    return inner(x);

    fn inner(x: u8) -> u8 {
        x
    }
}

#[lazy_mmu]
pub fn items_alone() {
    #[allow(dead_code)]
    struct S;
}

#[lazy_mmu]
pub fn macro_defined_in_the_middle() -> u8 {
    let x = 1;
    macro_rules! x {
        () => {
            x
        };
    }
    x!()
}

#[lazy_mmu]
pub fn shadows(x: u8) -> u8 {
    let x = x + 1;
    let x = x + 1;
    x
}

#[lazy_mmu]
pub fn deferred() -> u8 {
    let x;
    if early_return(1) == 1 {
        x = 1;
    } else {
        x = 2;
    }
    x
}

#[lazy_mmu]
pub fn temporary_in_statement(m: &Mutex<Vec<u8>>) -> usize {
    m.lock().unwrap().push(1);
    let n = m.lock().unwrap().len();
    n
}

#[lazy_mmu]
pub fn tail_temporary_of_argument(c: &RefCell<Vec<u8>>) -> usize {
    c.borrow().len()
}

#[lazy_mmu]
pub fn returned_temporary() -> usize {
    let c = RefCell::new(vec![1]);
    return c.borrow().len();
}

#[lazy_mmu]
pub fn entry<'m>(map: &'m mut BTreeMap<u8, String>, key: u8) -> &'m mut String {
    map.entry(key).or_insert_with(|| key.to_string())
}

#[lazy_mmu]
pub fn ends_in_comparison(x: u8, y: u8) -> bool {
    x < y && y > 3
}

#[lazy_mmu]
pub fn shifts(x: u32) -> u32 {
    x << 3 >> 2
}

#[lazy_mmu]
pub fn turbofish() -> Vec<u8> {
    [1u8, 2].iter().copied().collect::<Vec<_>>()
}

#[lazy_mmu]
pub fn panics(x: u8) -> u8 {
    assert_ne!(x, 3, "{x} is wrong");
    x
}

/// The block macros, with all ways out.
pub fn blocks(rows: &[Option<u8>]) -> Option<u8> {
    let mut sum = 0;
    'rows: for row in rows {
        lazy_mmu_section! {
            let x = (*row)?;
            match x {
                0 => continue,
                1 => break 'rows,
                2 => return Some(sum),
                _ => {}
            }
            lazy_mmu_paused_section! { sum += x; }
        }
        lazy_mmu_section! {}
    }
    let twice = lazy_mmu_section!(sum * 2);
    Some(lazy_mmu_paused_section![
        let x = twice;
        x
    ])
}

#[lazy_mmu_paused]
pub fn block_in_annotated() -> u8 {
    let x = lazy_mmu_section! { 1 };
    x
}
