//! Answers and matrices as JSON, for programs. Fields are only ever added.

use emu_lab::render;
use lazy_mmu::design::{Design, Role};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::answer::{Answer, Verdict};
use super::matrix::{DEPTH, Matrix, Outcome};
use super::question::Question;
use super::report::{differences, step_name};
use super::search::Step;
use super::witness::{Did, Row, Side};

/// The verdict on two designs that a sequence distinguishes: the word of the first version, which
/// programs read.
const TOLD_APART: &str = "told apart";

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        answer(self).serialize(serializer)
    }
}

impl Serialize for Matrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        matrix(self).serialize(serializer)
    }
}

/// The answer as one JSON object.
#[must_use]
pub fn json(answer: &Answer) -> String {
    json!(answer).to_string()
}

/// A matrix as one JSON object.
#[must_use]
pub fn matrix_json(matrix: &Matrix) -> String {
    json!(matrix).to_string()
}

fn answer(answer: &Answer) -> Value {
    let Answer { question, verdict, effort, product } = answer;
    let mut object = json!({
        "designs": question.designs.map(Design::id),
        "language": question.language.name(),
        "compare": question.compare.name(),
        "irq": question.irq,
        "nesting": question.nesting,
        "tasks": question.tasks,
        "states": effort.states,
        "transitions": effort.transitions,
    });
    let word = match verdict {
        Verdict::Equivalent => "equivalent",
        Verdict::Distinguished(witness) => {
            let rows = witness.rows.iter().map(|row| row_json(question, row));
            object["sequence"] = rows.collect();
            object["different"] = differences(question, witness.rows.last()).into();
            TOLD_APART
        }
        Verdict::Panics(panic) => {
            object["panic"] = panic.to_string().into();
            "panics"
        }
        Verdict::GaveUp { steps } => {
            object["bounded_by_steps"] = (*steps).into();
            "gave up"
        }
    };
    object["verdict"] = word.into();
    if let Some(product) = product {
        object["product"] = json!({ "states": product.states, "transitions": product.transitions });
    }
    object
}

fn row_json(question: &Question, row: &Row) -> Value {
    let side = |which: usize| {
        let design = question.designs[which];
        let Side { did, state, active } = &row.sides[which];
        let did = did.iter().map(|did| match did {
            Did::Hook(hook, active) => json!({ "hook": hook.name, "active": active }),
            Did::Warn(warn) => json!({ "check": warn.check.name(), "cond": warn.cond }),
        });
        let mut side = json!({
            "did": did.collect::<Vec<_>>(),
            "state": render::json::state(design, *state),
            "active": active,
        });
        if let Step::Call(info, tokens) = row.step
            && info.role == Role::ClosesSection
            && design.has_tokens()
        {
            side["token"] = tokens[which].0.into();
        }
        side
    };
    let name = step_name(row.step);
    json!({ "step": name.trim_end_matches("()"), "sides": [side(0), side(1)] })
}

fn matrix(matrix: &Matrix) -> Value {
    let outcome = |outcome| match outcome {
        Outcome::Equivalent => json!({ "verdict": "equivalent" }),
        Outcome::Distinguished(steps) => json!({ "verdict": TOLD_APART, "steps": steps }),
        Outcome::GaveUp(steps) => json!({ "verdict": "gave up", "bounded_by_steps": steps }),
    };
    let places = (0..matrix.designs.len()).flat_map(|x| (0..x).map(move |y| (x, y)));
    let pairs = places.map(|(x, y)| {
        let cell = matrix.cell(x, y);
        let ids = [y, x].map(|place| matrix.designs[place].id());
        json!({
            "designs": ids,
            "any_depth": outcome(cell.any_depth),
            "shallow": outcome(cell.shallow),
        })
    });
    let designs: Vec<_> = matrix.designs.iter().copied().map(Design::id).collect();
    json!({
        "language": matrix.language.name(),
        "compare": matrix.compare.name(),
        "shallow_depth": DEPTH,
        "designs": designs,
        "pairs": pairs.collect::<Vec<_>>(),
    })
}
