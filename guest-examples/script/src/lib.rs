//! Scripts: small steps on shared objects, in words. Every operation has one, so that tests can
//! make any process do anything; for work, write tasks as the other examples do.
//!
//! A job of the task `script` is a list of steps, its result a list with an answer for each:
//!
//! ```console
//! $ wpool map script.wasm ::: '["lock l create", "lock l acquire", "within 0.1 queue q get"]'
//! [true,true,{"error":"not-found"}]
//! ```
//!
//! # Steps
//! ```text
//! STEP   = [COUNT*] [within SECONDS] ACTION
//! ACTION = KIND NAME OPERATION [ARGUMENTS]  or one of those below
//! ```
//! - `COUNT*` does the step this many times, and answers what the last time answered.
//! - `within SECONDS` bounds the wait of an operation that waits; 0 does not wait at all, and
//!   without it the wait may last for ever. Operations that do not wait ignore it.
//! - Names and arguments are words; a message, a text and a list are the rest of the line.
//!
//! | kind | operations beside `open`, `create`, `ensure`, `drop`, `delete` |
//! |---|---|
//! | `lock` | `acquire`, `release`, `mark-consistent` |
//! | `semaphore` | `acquire`, `release`, `count` |
//! | `condition` | `acquire`, `release`, `mark-consistent`, `wait`, `notify COUNT`, `notify-all` |
//! | `event` | `set`, `clear`, `is-set`, `wait` |
//! | `barrier` | `wait`, `abort`, `reset`, `parties`, `waiting`, `is-broken` |
//! | `queue` | `put JSON`, `get`, `put-text TEXT`, `get-text`, `put-bytes COUNT`, `get-bytes`, `acknowledge`, `task-done`, `join`, `close`, `is-closed`, `len` |
//! | `value` | `type`, `get`, `set NUMBER`, `swap NUMBER`, `add NUMBER`, `compare-exchange EXPECTED NEW` |
//! | `array` | `type`, `len`, `get INDEX`, `set INDEX NUMBER`, `swap INDEX NUMBER`, `add INDEX NUMBER`, `compare-exchange INDEX EXPECTED NEW`, `read FIRST COUNT`, `write FIRST JSON-LIST` |
//! | `region` | `size`, `is-read-only`, `read OFFSET COUNT`, `write OFFSET TEXT`, `map`, `unmap`, and once it is mapped `peek OFFSET COUNT`, `poke OFFSET TEXT`, `fill OFFSET COUNT BYTE`, `random OFFSET COUNT` |
//!
//! | to create | arguments |
//! |---|---|
//! | `lock` | `[recursive]` |
//! | `semaphore` | `PERMITS [owned] [bounded]` |
//! | `condition` | `[LOCK]` |
//! | `event` | none |
//! | `barrier` | `PARTIES` |
//! | `queue` | `MESSAGES BYTES [joinable]` |
//! | `value` | `TYPE NUMBER` |
//! | `array` | `TYPE LENGTH` |
//! | `region` | `BYTES` |
//!
//! - `create` makes a new object, `open [TYPE]` opens one that exists, `ensure` is `open` or else
//!   `create`, `drop` closes it, `delete` deletes it and leaves it open.
//! - **An opened object stays open** until `drop`, also for later scripts in the same instance, and
//!   so do locks and permits that are held. Any other operation opens an object that is not open.
//! - A number is `1`, `-0.5`, `NaN`, `-Infinity`, `true`. A number that JSON does not have is a
//!   string in an answer.
//!
//! | other action | does |
//! |---|---|
//! | `print TEXT`, `error TEXT` | prints a line; fails the job with a message |
//! | `sleep SECONDS`, `spin SECONDS` | takes that time, asleep or at work |
//! | `exit CODE`, `panic TEXT`, `trap` | ends the instance |
//! | `process`, `slot`, `now` | answers the process id, its slot, the seconds of a clock |
//! | `memory size`, `memory grow PAGES`, `memory peek ADDRESS COUNT` | looks at linear memory |
//!
//! # Answers
//! - `true` if the step was done and has no more to report; else a number, a string, a list, a
//!   message.
//! - An object if there is more: `{"owner-died":true,"culprit":SLOT}` of a lock,
//!   `{"restored":PERMITS,"culprit":SLOT}` of a semaphore, `{"notified":BOOL}` of a condition's
//!   `wait` (and `owner-died` as above), `{"value":MESSAGE,"redelivered":true}` of a queue,
//!   `{"was":NUMBER,"exchanged":BOOL}`.
//! - `{"error":NAME}` if the step was not done, and `{"error":"broken","culprit":SLOT}`. Names are
//!   those of `wpool_guest::Error::name`. The script goes on.
//! - A step that is not understood fails the job.

mod actions;
mod answer;
mod copies;
mod mapped;
mod memory;
mod messages;
mod misuse;
mod numbers;
mod objects;
mod permits;
mod regions;
mod run;
mod step;
mod turns;

use serde_json::Value;
use wpool_guest::task;

/// Does the steps in order, and returns the answer of each.
#[task(default)]
fn script(steps: Vec<String>) -> Result<Vec<Value>, String> {
    run::script(&steps)
}

/// Makes a call that no correct program makes, and so traps; `misuses` lists these calls. If the
/// call does not trap, returns what it returned.
#[task]
fn raw_misuse(call: &str) -> Result<i64, String> {
    misuse::call(call)
}

/// Lists the calls that `raw_misuse` can make.
#[task]
fn misuses() -> Vec<String> {
    misuse::all()
}

/// Does nothing.
#[task]
fn nop() {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(steps: &[&str], expect: Value) {
        let steps = steps.iter().map(|step| (*step).to_owned()).collect();
        assert_eq!(script(steps).map(Value::from), Ok(expect));
    }

    #[test]
    fn each_step_has_an_answer() {
        check(&["slot", "print hello", "3* sleep 0.001"], json!([0, true, true]));
    }

    #[test]
    fn natively_no_object_is_found_and_none_can_be_created() {
        let (missing, full) = (json!({"error": "not-found"}), json!({"error": "no-space"}));
        check(&["lock l acquire", "lock l create recursive"], json!([missing, full]));
        check(&["value v get", "array a ensure f64 3"], json!([missing, full]));
        check(&["semaphore s count", "semaphore s create 2 owned"], json!([missing, full]));
        check(&["condition c wait", "condition c create"], json!([missing, full]));
        check(&["event e set", "event e create"], json!([missing, full]));
        check(&["barrier b wait", "barrier b create 2"], json!([missing, full]));
        check(&["queue q len", "queue q create 6 1000 joinable"], json!([missing, full]));
        check(&["region r size", "region r create 65536"], json!([missing, full]));
    }

    #[test]
    fn a_step_of_no_kind_is_told_so() {
        let error = script(vec!["loc l acquire".into()]).unwrap_err();
        assert_eq!(error, r#"step "loc l acquire": there is no action or kind "loc""#);
    }

    #[test]
    fn a_step_that_is_not_understood_fails_the_job() {
        let error = script(vec!["lock l create twice".into()]).unwrap_err();
        assert_eq!(error, r#"step "lock l create twice": "twice" is more than it takes"#);
        assert_eq!(
            script(vec!["error as asked".into()]).unwrap_err(),
            r#"step "error as asked": as asked"#
        );
    }
}
