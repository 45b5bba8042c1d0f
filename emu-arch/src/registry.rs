//! A list of a process that only grows, so that a reader needs no lock.

use once_cell::sync::OnceCell;

/// The list.
#[derive(Debug)]
pub(crate) struct Registry<T>(OnceCell<Box<Node<T>>>);

#[derive(Debug)]
struct Node<T> {
    item: T,
    next: Registry<T>,
}

impl<T> Registry<T> {
    /// An empty list.
    pub(crate) const fn new() -> Self {
        Self(OnceCell::new())
    }

    /// The items, the oldest first.
    pub(crate) fn iter(&'static self) -> impl Iterator<Item = &'static T> + Clone {
        let nodes = std::iter::successors(self.0.get(), |node| node.next.0.get());
        nodes.map(|node| &node.item)
    }

    /// Appends `item` unless `refused` finds a reason, which is returned.
    pub(crate) fn push<R>(&self, item: T, refused: impl Fn() -> Option<R>) -> Option<R> {
        let mut new = Box::new(Node { item, next: Self::new() });
        loop {
            if let Some(reason) = refused() {
                return Some(reason);
            }
            let mut last = self;
            while let Some(node) = last.0.get() {
                last = &node.next;
            }
            // Another thread may append first.
            match last.0.set(new) {
                Ok(()) => return None,
                Err(back) => new = back,
            }
        }
    }
}
