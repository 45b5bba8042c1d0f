//! The book in docs/ is what the tool generates.

use crate::cli::lazymmu;
use crate::support::{read, root};

#[test]
fn the_book_is_up_to_date() {
    let generated = String::from_utf8(lazymmu(&["book"], b"").stdout).expect("the book is text");
    let kept = read(&root().join("docs/designs.md"));
    let differs = kept.lines().zip(generated.lines()).position(|(a, b)| a != b);
    assert!(
        kept == generated,
        "docs/designs.md is out of date from line {} on: `cargo run -- book > docs/designs.md`",
        differs.map_or(kept.lines().count().min(generated.lines().count()), |at| at) + 1
    );
}
