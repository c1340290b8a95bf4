//! The example `script` as a component: the same steps, done to the same objects.
//!
//! ```console
//! $ wpool map script-component.wasm ::: '["lock l create", "lock l acquire"]'
//! ["true","true"]
//! ```
//!
//! - An answer is a text of JSON.
//! - A component cannot map regions: `map` and `unmap` do nothing, and `peek`, `poke` and `fill` copy.

#[path = "../../script/src/actions.rs"]
mod actions;
#[path = "../../script/src/answer.rs"]
mod answer;
#[path = "../../script/src/copies.rs"]
mod copies;
#[path = "../../script/src/memory.rs"]
mod memory;
#[path = "../../script/src/messages.rs"]
mod messages;
#[path = "../../script/src/numbers.rs"]
mod numbers;
#[path = "../../script/src/objects.rs"]
mod objects;
#[path = "../../script/src/permits.rs"]
mod permits;
mod regions;
#[path = "../../script/src/run.rs"]
mod run;
#[path = "../../script/src/step.rs"]
mod step;
#[path = "../../script/src/turns.rs"]
mod turns;

mod bindings {
    #![expect(unsafe_code, reason = "how a component's functions are called")]

    wit_bindgen::generate!({ path: "wit", world: "component" });

    use super::Script;
    export!(Script);
}

/// The implementation of the component's world.
struct Script;

impl bindings::Guest for Script {
    fn script(steps: Vec<String>) -> Result<Vec<String>, String> {
        let answers = run::script(&steps)?;
        Ok(answers.iter().map(ToString::to_string).collect())
    }
}
