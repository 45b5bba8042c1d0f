//! A list of a process that only grows, so that a reader needs no lock.

use std::sync::OnceLock;

/// The list; for the crates of this workspace.
#[derive(Debug)]
pub struct Registry<T>(OnceLock<Box<Node<T>>>);

#[derive(Debug)]
struct Node<T> {
    item: T,
    next: Registry<T>,
}

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Registry<T> {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The items, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        let nodes = std::iter::successors(self.0.get(), |node| node.next.0.get());
        nodes.map(|node| &node.item)
    }

    /// Appends `item` unless `refused` finds a reason in an item that is there, which is returned.
    pub fn push<R>(&self, item: T, refused: impl Fn(&T) -> Option<R>) -> Option<R> {
        let mut new = Box::new(Node { item, next: Self::new() });
        let mut last = self;
        loop {
            while let Some(node) = last.0.get() {
                if let Some(reason) = refused(&node.item) {
                    return Some(reason);
                }
                last = &node.next;
            }
            match last.0.set(new) {
                Ok(()) => return None,
                // Another thread was faster: its item is to be looked at too.
                Err(back) => new = back,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Registry;

    #[test]
    fn an_item_that_comes_meanwhile_is_looked_at_too() {
        let list = Registry::new();
        let free = |_: &u8| None::<&str>;
        assert_eq!(list.push(1, free), None);
        // What another thread would do while the items are looked at.
        let refused = |known: &u8| {
            if *known == 1 {
                assert_eq!(list.push(3, free), None);
            }
            (*known == 3).then_some("it is there")
        };
        assert_eq!(list.push(2, refused), Some("it is there"));
        assert_eq!(list.iter().collect::<Vec<_>>(), [&1, &3]);
    }
}
