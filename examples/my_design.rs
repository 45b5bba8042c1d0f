//! A design of one's own, beside those of the lab: its counters stop at their ends.

use emu_check::prove::{self, Answer, Language, Question, prove};
use emu_lab::compare::{compare, text};
use emu_lab::scenario::{Setup, parse};
use lazy_mmu::design::*;

lazy_mmu::lazy_mmu_state! { struct State { depth: u8 = "depth", pauses: u8 = "pauses" } }

impl LazyMmuDesign for State {
    const ID: &'static str = "saturating";
    const ABOUT: &'static str = "counters that stop at their ends";

    fn enable(self, _: Context) -> Effects<Self> {
        let more = Self { depth: self.depth.saturating_add(1), ..self };
        Effects::of([store(more), hook_if(!self.on() && more.on(), Hook::Enter)])
    }
    fn disable(self, _: Context) -> Effects<Self> {
        let less = Self { depth: self.depth.saturating_sub(1), ..self };
        let hook = if less.on() { Hook::Flush } else { Hook::Leave };
        Effects::of([store(less), hook_if(self.on(), hook)])
    }
    fn pause(self, _: Context) -> Effects<Self> {
        let more = Self { pauses: self.pauses.saturating_add(1), ..self };
        Effects::of([store(more), hook_if(self.on(), Hook::Leave)])
    }
    fn resume(self, _: Context) -> Effects<Self> {
        let less = Self { pauses: self.pauses.saturating_sub(1), ..self };
        Effects::of([store(less), hook_if(!self.on() && less.on(), Hook::Enter)])
    }
    fn is_active(self, cx: Context) -> bool {
        !cx.in_interrupt && self.on()
    }
}

impl State {
    fn on(self) -> bool {
        self.depth > 0 && self.pauses == 0
    }
}

/// A disable and a resume too many, then a section: a counter that wraps never recovers.
pub(crate) const SCENARIO: &str = "disable\nresume\nenable\n  pause\n  resume\ndisable\n";

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    print!("{}\n{}", beside_the_lab(SCENARIO), prove::text(&against_the_merged_one(None)));
}

/// The design and those of the lab over `scenario`, which must be right.
pub(crate) fn beside_the_lab(scenario: &str) -> String {
    let scenario = parse(scenario).expect("a scenario without mistakes");
    let designs = [Design::of::<State>()].into_iter().chain(Design::ALL.iter().copied());
    text::plain(&compare(&scenario, &designs.map(Setup::from).collect::<Vec<_>>()))
}

/// This design and the merged one under nested programs without a pause inside a pause, in which at
/// most so many brackets are open.
pub(crate) fn against_the_merged_one(nesting: Option<u16>) -> Answer {
    let question = Question::of::<State, counts::State>();
    prove(&Question { language: Language::C, nesting, ..question })
}
