//! Async functions, each poll of which is a section.

use std::future::{Future, poll_fn, ready};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use lazy_mmu::{is_lazy_mmu_mode_active, lazy_mmu, lazy_mmu_paused};

/// Pending once.
pub fn yield_now() -> impl Future<Output = ()> {
    let mut polled = false;
    poll_fn(
        move |_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending },
    )
}

/// Polls `future` to its end and tells how many polls that took.
pub fn drive<T>(future: impl Future<Output = T>) -> (T, usize) {
    let mut future = std::pin::pin!(future);
    let mut polls = 1;
    loop {
        match poll_once(future.as_mut()) {
            Poll::Ready(value) => return (value, polls),
            Poll::Pending => polls += 1,
        }
    }
}

/// Polls `future` once.
pub fn poll_once<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[lazy_mmu(per_poll)]
pub async fn twice() -> bool {
    let before = is_lazy_mmu_mode_active();
    yield_now().await;
    before && is_lazy_mmu_mode_active()
}

#[lazy_mmu(per_poll)]
pub async fn empty() {}

#[lazy_mmu(per_poll)]
pub async fn question(x: Option<&str>) -> Result<u8, Box<dyn std::error::Error>> {
    let Some(x) = x else { return Err("none".into()) };
    yield_now().await;
    if x.is_empty() {
        Err(std::fmt::Error)?;
    }
    Ok(x.parse()?)
}

#[lazy_mmu(per_poll)]
pub async fn coerces() -> Box<dyn Fn() -> u8> {
    yield_now().await;
    Box::new(|| 3)
}

#[lazy_mmu(per_poll)]
pub async fn impl_output() -> impl Iterator<Item = u8> {
    ready(()).await;
    0..3
}

#[lazy_mmu(per_poll)]
pub async fn never() -> ! {
    loop {
        yield_now().await;
    }
}

#[lazy_mmu(per_poll)]
pub async fn generic<T: Clone, const N: usize>(x: &T, mut all: Vec<T>) -> Vec<T>
where
    T: 'static,
{
    for _ in 0..N {
        all.push(x.clone());
        yield_now().await;
    }
    all
}

#[lazy_mmu(per_poll)]
pub async fn patterns((a, _): (u8, u8), [b, ..]: [u8; 2], _: u8, _unused: String) -> u8 {
    a + b
}

#[lazy_mmu(per_poll)]
pub async fn inner_attributes() -> u8 {
    //! Docs inside.
    #![allow(unused_variables)]
    use std::convert::identity;
    let x = 1;
    identity(2)
}

#[lazy_mmu(per_poll)]
pub async unsafe fn unsafe_async(x: u8) -> u8 {
    x
}

/// A type.
#[derive(Debug)]
pub struct Table(pub Vec<u64>);

impl Table {
    #[lazy_mmu(per_poll)]
    pub async fn by_ref(&self, i: usize) -> Option<&u64> {
        self.0.get(i)
    }
    #[lazy_mmu(per_poll)]
    pub async fn by_mut(&mut self) -> &mut u64 {
        yield_now().await;
        self.0.push(1);
        &mut self.0[0]
    }
    #[lazy_mmu(per_poll)]
    pub async fn by_value(mut self) -> Self {
        self.0.clear();
        self
    }
}

/// A trait.
pub trait Zap {
    /// Required.
    fn zap(&mut self) -> impl Future<Output = usize> + Send;
}

impl Zap for Table {
    #[lazy_mmu(per_poll)]
    async fn zap(&mut self) -> usize {
        self.0.clear();
        self.0.len()
    }
}

#[lazy_mmu_paused(per_poll, name = "held")]
pub async fn paused() -> bool {
    yield_now().await;
    is_lazy_mmu_mode_active()
}

#[lazy_mmu(per_poll)]
#[lazy_mmu_paused(per_poll)]
pub async fn both() -> bool {
    is_lazy_mmu_mode_active()
}

fn send<T: Send>(value: T) -> T {
    value
}

/// A future that stays `Send`.
pub fn sendable() -> impl Future<Output = bool> + Send {
    send(twice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(drive(twice()), (true, 2));
        assert_eq!(drive(sendable()), (true, 2));
        assert_eq!(drive(question(Some("7"))).0.unwrap(), 7);
        assert_eq!(drive(question(None)).0.unwrap_err().to_string(), "none");
        assert_eq!(drive(coerces()).0(), 3);
        assert_eq!(drive(impl_output()).0.sum::<u8>(), 3);
        assert_eq!(drive(generic::<_, 2>(&1, vec![])), (vec![1, 1], 3));
        assert_eq!(drive(patterns((1, 2), [3, 4], 5, String::new())), (4, 1));
        assert_eq!(drive(Table(vec![]).zap()), (0, 1));
        assert_eq!(drive(Table(vec![2]).by_mut()), (&mut 2, 2));
        assert!(!lazy_mmu::with_lazy_mmu(|| drive(paused()).0));
        assert!(!is_lazy_mmu_mode_active());
    }

    #[test]
    fn a_suspended_future_leaves_nothing_behind() {
        {
            let mut dropped = std::pin::pin!(twice());
            assert!(poll_once(dropped.as_mut()).is_pending());
            assert!(!is_lazy_mmu_mode_active());
        }
        let mut leaked = Box::pin(twice());
        assert!(poll_once(leaked.as_mut()).is_pending());
        std::mem::forget(leaked);
        assert!(!is_lazy_mmu_mode_active());
    }
}
