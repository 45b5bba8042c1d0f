//! Proofs of equivalence: exact counts, brute force beside them, mutants, the command.

mod brute;
mod mutants;
#[expect(unreachable_pub, reason = "a bench has the same file in a crate of its own")]
#[path = "../../../benches/oracle/src/toy.rs"]
mod toy;

use emu_check::assert_equivalent;
use emu_check::prove::{
    Answer, Compare, Effort, Language, Question, Step, Verdict, json, prove, text,
};
use lazy_mmu::design::{Design, count_enabled_rfc, count_paused_rfc, counts, independent};

use crate::cli::{check_refused, lazymmu};

/// The sequence that tells apart, in short: e, d, p, r for the calls, `(` and `)` for interrupts.
#[track_caller]
fn sequence(answer: &Answer) -> String {
    let Verdict::Distinguished(witness) = &answer.verdict else { panic!("{}", text(answer)) };
    let letter = |step: Step| match step {
        Step::Call(info, _) => info.short.chars().next().expect("a call has a name"),
        Step::IrqEnter => '(',
        Step::IrqExit => ')',
    };
    witness.rows.iter().map(|row| letter(row.step)).collect()
}

#[track_caller]
fn check_proof(question: Question, states: u64, transitions: u64) {
    let answer = prove(&question);
    assert_eq!(answer.verdict, Verdict::Equivalent, "{}", text(&answer));
    assert_eq!(answer.effort, Effort { states, transitions });
}

#[track_caller]
fn check_sequence(question: Question, expected: &str) {
    assert_eq!(sequence(&prove(&question)), expected);
}

/// `count-enabled-rfc` against `count-paused-rfc`.
fn belief(language: Language, compare: Compare) -> Question {
    let question = Question::of::<count_enabled_rfc::State, count_paused_rfc::State>();
    Question { language, compare, ..question }
}

#[test]
fn the_belief_of_september_holds_for_hooks() {
    check_proof(belief(Language::Any, Compare::Hooks), 1024, 4096);
    for language in Language::ALL {
        let irq = Question { irq: true, ..belief(language, Compare::Hooks) };
        assert_eq!(prove(&irq).verdict, Verdict::Equivalent, "{}", language.name());
    }
}

#[test]
fn the_belief_of_september_fails_for_the_active_bit() {
    check_sequence(belief(Language::Any, Compare::Active), "d");
    check_sequence(belief(Language::Crossing, Compare::Active), "pe");
    for language in [Language::B, Language::C, Language::D] {
        check_sequence(belief(language, Compare::Active), "pr");
    }
    let shallow = Question { nesting: Some(255), ..belief(Language::A, Compare::Active) };
    // A section of each depth, paused or not, but for the pause in the innermost one.
    check_proof(shallow, 510, 509);
    check_sequence(belief(Language::A, Compare::Active), &"e".repeat(256));
}

#[test]
fn ignored_or_counted() {
    let question = Question::of::<counts::State, independent::State>();
    let nested = |language| Question { language, ..question };
    // 256 depths; a pause at each, but 0 is reached again by way of 255, inside a section, and has
    // a pause only then: 256 + 1 states outside of a pause and 256 in it.
    check_proof(nested(Language::A), 513, 513);
    check_sequence(Question { language: Language::Crossing, ..question }, "per");
    check_sequence(question, &format!("pe{}", "p".repeat(255)));
    // Interrupts count in one and not in the other.
    check_sequence(Question { irq: true, ..question }, "e(");
    let hooks = Question { irq: true, compare: Compare::Hooks, ..question };
    check_sequence(hooks, "(e");
}

#[test]
fn the_model_of_other_checkers() {
    let question = Question::of::<toy::Enabled, toy::Paused>();
    let question = Question { language: Language::Any, irq: true, ..question };
    // 511 pairs of states, in interrupt or not, with four calls and one end or beginning each.
    check_proof(question, 1022, 5110);
    let two = prove(&Question { tasks: 2, ..question });
    let (states, transitions) = toy::F255;
    assert_eq!(two.product, Some(Effort { states, transitions }));
    let without = prove(&Question { tasks: 2, irq: false, ..question });
    let states = 511 * 511 * 2;
    assert_eq!(without.product, Some(Effort { states, transitions: states * 5 }));
}

#[test]
fn the_same_question_twice_has_the_same_answer() {
    for language in Language::ALL {
        let question = Question { language, irq: true, ..belief(language, Compare::Effects) };
        let shown = |answer: Answer| (text(&answer), json(&answer));
        assert_eq!(shown(prove(&question)), shown(prove(&question)));
    }
}

#[test]
fn a_bound_is_said() {
    let question = Question { max_states: 100, ..Question::of::<counts::State, counts::State>() };
    let answer = prove(&question);
    // All calls number the states of a design, disables that wrap too: the hundredth is seven away.
    assert_eq!(answer.verdict, Verdict::GaveUp { steps: 7 });
    assert!(text(&answer).contains("bounded: no difference in at most 7 steps"));
}

#[test]
#[should_panic(expected = "shortest sequence: 1 call")]
fn an_assertion_that_fails_shows_the_sequence() {
    assert_equivalent!(counts::State, count_enabled_rfc::State, Language::D);
}

#[test]
fn what_the_command_says() {
    let pair = ["prove", "--design", "count-enabled-rfc", "--against", "count-paused-rfc"];
    let run = |more: &[&str]| lazymmu(&[&pair[..], more].concat(), b"");
    let proof = run(&["--compare", "hooks", "--language", "any"]);
    assert_eq!(proof.status.code(), Some(0));
    insta::assert_snapshot!(String::from_utf8_lossy(&proof.stdout), @"
    count-enabled-rfc and count-paused-rfc are equivalent
    language any: every call at any time
    compared: the hooks of each call, in their order
    proof: 1024 states, 4096 transitions; holds for sequences of any length
    ");
    let told_apart = run(&["--language", "A", "--compare", "effects"]);
    assert_eq!(told_apart.status.code(), Some(1));
    let text = String::from_utf8_lossy(&told_apart.stdout);
    insta::assert_snapshot!(text, @"
    count-enabled-rfc and count-paused-rfc are distinguished
    language A: nested sections; a pause only inside a section, nothing inside it
    compared: hooks, warnings and changes of the mode, in their order
    shortest sequence: 256 calls; 512 states, 511 transitions

    call                             count-enabled-rfc      count-paused-rfc
    lazy_mmu_mode_enable()           -> arch_enter()        -> arch_enter()
                                        while inactive         while inactive
                                     count=1 enabled=1      count=1 paused=0
                                     active                 active
      lazy_mmu_mode_enable()         -> ø                   -> ø
                                     count=2 enabled=1      count=2 paused=0
                                     active                 active
        ... 252 more of these        ...                    ...
            lazy_mmu_mode_enable()   -> ø                   -> ø
                                     count=255 enabled=1    count=255 paused=0
                                     active                 active
            lazy_mmu_mode_enable()   -> ø                   -> ø
                                     count=0 enabled=1      count=0 paused=0
                                     active                 inactive
    different: the active bit
    ");
    assert!(text.lines().all(|line| line.chars().count() <= 80));
    let counts = ["prove", "--design", "counts", "--against", "with-ptes", "--max-states", "9"];
    assert_eq!(lazymmu(&counts, b"").status.code(), Some(3));
}

#[test]
fn all_pairs_in_a_table() {
    let run = |more: &str| {
        let args = format!("prove --all --language B --compare hooks {more}");
        let output = lazymmu(&args.split_whitespace().collect::<Vec<_>>(), b"");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let text = run("");
    insta::assert_snapshot!(text, @"
    language B: A, and pauses outside of every section
    compared: the hooks of each call, in their order

                             1     2     3     4     5     6     7     8     9    10
     1 direct
     2 token                 =
     3 sketch                1     1
     4 count-enabled-rfc     2     2     1
     5 count-paused-rfc      2     2     1     =
     6 count-enabled         2     2     1 =/257 =/257
     7 nesting-active        2     2     1     =     = =/257
     8 independent           1     1     3     1     1     1     1
     9 counts                1     1     3     1     1     1     1     =
    10 counts-task           1     1     3     1     1     1     1     =     =
    11 with-ptes             1     1     3     1     1     1     1     =     =     =

    =      equivalent, proved: for sequences of any length and any depth
    3      distinguished by 3 steps, and by no fewer
    =/257  equivalent as long as at most 255 brackets are open at a time; without
           that limit distinguished by 257 steps
    >40    not distinguished by 40 steps, where the search gave up
    ");
    assert!(text.lines().all(|line| line.chars().count() <= 80));
    let matrix: serde_json::Value = serde_json::from_str(&run("--json")).expect("one object");
    let pairs = matrix["pairs"].as_array().expect("pairs");
    assert_eq!(pairs.len(), 11 * 10 / 2);
    let of = |x, y| pairs.iter().find(|pair| pair["designs"] == serde_json::json!([x, y]));
    let pair = of("count-enabled", "nesting-active").expect("a pair");
    assert_eq!(pair["shallow"]["verdict"], "equivalent");
    assert_eq!(pair["any_depth"]["steps"], 257);
}

#[test]
fn json_of_a_sequence() {
    let args = "prove --design token --against direct --language A --json";
    let output = lazymmu(&args.split(' ').collect::<Vec<_>>(), b"");
    assert_eq!(output.status.code(), Some(1));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("an object");
    assert_eq!(answer["verdict"], "told apart");
    let steps = answer["sequence"].as_array().expect("steps");
    let name = |step: &serde_json::Value| step["step"].as_str().unwrap_or("").to_owned();
    let names: Vec<_> = steps.iter().map(name).collect();
    let (enable, disable) = ("lazy_mmu_mode_enable", "lazy_mmu_mode_disable");
    assert_eq!(names, [enable, enable, disable]);
    assert_eq!(steps[2]["sides"][0]["token"], 1, "the inner disable gives the inner token back");
}

#[test]
fn wrong_arguments() {
    let pair = ["prove", "--design", "counts", "--against"];
    let check =
        |more: &[&str], said: &[&str]| check_refused(&[&pair[..], more].concat(), b"", said);
    check(&["count"], &["'counts'", "a similar value exists"]);
    check(&["direct", "--language", "Any"], &["'any'"]);
    check(&["direct", "--compare", "hook"], &["'hooks'"]);
    check(&["direct", "--tasks", "9"], &["9 is not in 1..=4"]);
    check(&["direct", "--tasks", "2"], &["--tasks: expected --language any, found language D"]);
    check(
        &["direct", "--language", "any", "--nesting", "2"],
        &["--nesting: expected a language with brackets: A, B, C, D or crossing"],
    );
    check_refused(&["prove"], b"", &["--design <ID>", "--all"]);
    check_refused(&["prove", "--design", "counts"], b"", &["--against <ID>"]);
    check_refused(&["prove", "--all", "--design", "counts"], b"", &["cannot be used with"]);
}

#[test]
fn sequences_fit_a_terminal() {
    for (x, y) in Design::LAB.iter().flat_map(|x| Design::LAB.iter().map(move |y| (x, y))) {
        for language in Language::ALL {
            let question = Question { language, irq: true, ..Question::new(*x, *y) };
            let few = Question { compare: Compare::Effects, max_states: 300, ..question };
            let text = text(&prove(&few));
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
    }
}

#[test]
fn every_design_is_equivalent_to_itself() {
    for design in Design::LAB {
        let question = Question::new(*design, *design);
        let (language, compare) = (Language::Any, Compare::Effects);
        let answer = prove(&Question { language, compare, ..question });
        assert_eq!(answer.verdict, Verdict::Equivalent, "{}", design.id());
    }
}
