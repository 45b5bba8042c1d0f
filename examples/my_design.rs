//! A design of your own, beside those of the lab: its counters stop at their ends, and it has a
//! call and a hook that no kernel has.

use emu_arch::Arch;
use emu_check::prove::{self, Answer, Language, Question, prove};
use emu_lab::compare::{compare, text};
use emu_lab::scenario::{Scenario, Setup, parse, run};
use lazy_mmu::design::*;

lazy_mmu::lazy_mmu_state! { pub(crate) struct State { depth: u8 = "depth", pauses: u8 = "pauses" } }

// Completes what is pending and leaves the section open; by default the architecture flushes.
const SYNC: CallInfo = CallInfo::new("lazy_mmu_mode_sync", "sync");
const ARCH_SYNC: HookInfo = HookInfo::FLUSH.variant("arch_sync_lazy_mmu_mode", "arch_sync()");

impl LazyMmuDesign for State {
    const ID: &'static str = "saturating";
    const ABOUT: &'static str = "counters that stop at their ends, and a call sync";
    const CALLS: &'static [CallInfo] =
        &[CallInfo::ENABLE, CallInfo::DISABLE, CallInfo::PAUSE, CallInfo::RESUME, SYNC];
    const HOOKS: &'static [HookInfo] =
        &[HookInfo::ENTER, HookInfo::LEAVE, HookInfo::FLUSH, ARCH_SYNC];

    fn enable(self, _: Context) -> Effects<Self> {
        let more = Self { depth: self.depth.saturating_add(1), ..self };
        Effects::of([store(more), hook_if(!self.on() && more.on(), Hook::ENTER)])
    }
    fn disable(self, _: Context) -> Effects<Self> {
        let less = Self { depth: self.depth.saturating_sub(1), ..self };
        let hook = if less.on() { Hook::FLUSH } else { Hook::LEAVE };
        Effects::of([store(less), hook_if(self.on(), hook)])
    }
    fn pause(self, _: Context) -> Effects<Self> {
        let more = Self { pauses: self.pauses.saturating_add(1), ..self };
        Effects::of([store(more), hook_if(self.on(), Hook::LEAVE)])
    }
    fn resume(self, _: Context) -> Effects<Self> {
        let less = Self { pauses: self.pauses.saturating_sub(1), ..self };
        Effects::of([store(less), hook_if(!self.on() && less.on(), Hook::ENTER)])
    }
    fn own_call(self, _: Context, _: Call) -> Effects<Self> {
        Effects::of([hook_if(self.on(), ARCH_SYNC.hook)])
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
pub(crate) const SCENARIO: &str = "\
disable
resume
enable
  pause
  resume
  set_pte_at 0xffff800008000000
  sync
disable
";

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() -> Result<(), RegisterError> {
    // From here on scenarios know the word `sync`, and headers the id `saturating`.
    register(Design::of::<State>())?;
    print!("{}\n{}", on_arm64(SCENARIO), beside_the_lab(SCENARIO));
    print!("\n{}", prove::text(&against_the_merged_one(true, None)));
    Ok(())
}

fn scenario(text: &str) -> Scenario {
    parse(text).expect("a scenario without mistakes")
}

/// What happens on arm64, which has no hook of that name and flushes instead.
pub(crate) fn on_arm64(text: &str) -> String {
    let setup = Setup { arch: Arch::ARM64, ..Setup::from(Design::of::<State>()) };
    run(&scenario(text), setup).record.to_string()
}

/// The design and those of the lab over a scenario; they know nothing like `sync`.
pub(crate) fn beside_the_lab(scenario: &str) -> String {
    let scenario = self::scenario(scenario);
    let designs = [Design::of::<State>()].into_iter().chain(Design::LAB.iter().copied());
    text::plain(&compare(&scenario, &designs.map(Setup::from).collect::<Vec<_>>()))
}

/// This design and the merged one under nested programs without a pause inside a pause, in which at
/// most so many brackets are open: with all calls, or with those of the kernel alone.
pub(crate) fn against_the_merged_one(own_calls: bool, nesting: Option<u16>) -> Answer {
    let question = Question::of::<State, counts::State>();
    prove(&Question { language: Language::C, own_calls, nesting, ..question })
}
