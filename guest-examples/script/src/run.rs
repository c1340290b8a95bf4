//! A script from its first step to its last.

use serde_json::Value;

use crate::actions;
use crate::answer::{self, Failure};
use crate::step::Step;

/// Does the steps in order, and returns the answer of each.
pub(crate) fn script(steps: &[String]) -> Result<Vec<Value>, String> {
    steps.iter().map(|step| run(step).map_err(|why| format!("step {step:?}: {why}"))).collect()
}

fn run(line: &str) -> Result<Value, String> {
    let step = Step::parse(line)?;
    let mut answer = Value::Bool(true);
    for _ in 0..step.count {
        answer = match actions::act(&step) {
            Ok(answer) => answer,
            Err(Failure::Answer(error)) => answer::error(&error),
            Err(Failure::Step(why)) => return Err(why),
        };
    }
    Ok(answer)
}
