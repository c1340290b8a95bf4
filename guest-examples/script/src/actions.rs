//! The actions of a step: an operation on an object, or one of the other actions.

use std::process;
use std::thread;
use std::time::{Instant, SystemTime};

use wpool_guest::{process_id, process_slot};

use crate::answer::{Answer, Failure};
use crate::step::{Step, Words};
use crate::{memory, objects};

/// Does the step's action once.
pub(crate) fn act(step: &Step<'_>) -> Answer {
    let mut words = step.action;
    let verb = words.word()?;
    match verb {
        "print" => println!("{}", words.rest()),
        "error" => return Err(Failure::Step(words.rest().to_owned())),
        "panic" => panic!("{}", words.rest()),
        "memory" => return memory::act(words),
        "sleep" | "spin" => take_time(verb, words)?,
        "exit" => process::exit(words.number()?),
        "trap" => process::abort(),
        "process" | "slot" | "now" => return look(verb, words),
        kind => return objects::act(kind, step.within, words),
    }
    Ok(true.into())
}

fn take_time(verb: &str, mut words: Words<'_>) -> Result<(), Failure> {
    let time = words.seconds()?;
    words.end()?;
    let start = Instant::now();
    if verb == "sleep" {
        thread::sleep(time);
    }
    while start.elapsed() < time {}
    Ok(())
}

fn look(verb: &str, words: Words<'_>) -> Answer {
    words.end()?;
    Ok(match verb {
        "process" => process_id().into(),
        "slot" => process_slot().into(),
        _ => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            now.expect("it is after 1970").as_secs_f64().into()
        }
    })
}
