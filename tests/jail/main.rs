//! Escapes: what native code does that has broken out of the engine, in a process of each role.
//!
//! Each act is tried in a forked child that has entered the jail of its role, or some layers of it. What is
//! refused by the whole jail and done without any tells that the jail refuses it, and the layers by themselves
//! tell which one does.

mod acts;
mod cells;

use acts::{Act, Place, acts};
use cells::{Role, User, run};
use std::fmt::Write;
use wpool_wire::jail::Layers;
use wpool_worker::jail::features;

/// The outcome of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It was done.
    Done,
    /// The system returned this error.
    Error(i32),
    /// The process was ended.
    Ended(i32),
}

/// The layers of the whole jail, of its parts, and of none.
fn whole() -> Layers {
    Layers { any: true, filters: true, landlock: features().landlock }
}

fn filters() -> Layers {
    Layers { landlock: 0, ..whole() }
}

fn rules() -> Layers {
    Layers { filters: false, ..whole() }
}

const NONE: Layers = Layers { any: false, filters: false, landlock: 0 };

/// Tries an act in all parts of a jail; returns what refuses it: `-` if nothing does, `system` if the system does
/// without a jail.
fn refused_by(role: Role, user: User, act: &Act, place: &Place) -> String {
    let refuses = |layers| run(role, user, layers, act, place) != Fate::Done;
    if !refuses(whole()) {
        return "-".into();
    }
    if refuses(NONE) {
        return "system".into();
    }
    let by = [(filters(), "filter"), (rules(), "rules")];
    let by: Vec<&str> =
        by.iter().filter(|(layers, _)| refuses(*layers)).map(|(_, name)| *name).collect();
    by.join("+")
}

/// Returns the table of all acts by a user, and what is wrong in it.
fn table(user: User) -> (String, Vec<String>) {
    let place = Place::new(user);
    let (mut table, mut wrong) = (String::from("| act |"), Vec::new());
    for role in Role::ALL {
        write!(table, " {} |", role.name()).expect("a String");
    }
    table.push('\n');
    for act in acts() {
        write!(table, "| {} |", act.name).expect("a String");
        for role in Role::ALL {
            let by = match role {
                Role::Worker | Role::Files => refused_by(role, user, &act, &place),
                _ if run(role, user, whole(), &act, &place) == Fate::Done => "-".into(),
                _ => "refused".into(),
            };
            write!(table, " {by} |").expect("a String");
            if (by == "-") != act.allowed.contains(&role) {
                wrong.push(format!("{user:?}, {}: {}: refused by {by}", role.name(), act.name));
            }
            if role == Role::Worker && !by.contains(act.by) && by != "system" {
                wrong.push(format!("{user:?}: {}: refused by {by}, not by {}", act.name, act.by));
            }
        }
        table.push('\n');
    }
    (table, wrong)
}

fn every_act_is_refused(user: User) {
    assert!(features().filters, "this kernel filters no system calls");
    let (table, wrong) = table(user);
    println!("{user:?}\n{table}");
    assert!(wrong.is_empty(), "{}\n{table}", wrong.join("\n"));
}

#[test]
fn native_code_of_an_ordinary_user_is_refused_all_that_its_role_does_not_need() {
    every_act_is_refused(User::Ordinary);
}

#[test]
fn native_code_of_root_is_refused_all_that_its_role_does_not_need() {
    if nix::unistd::geteuid().is_root() {
        every_act_is_refused(User::Root);
    }
}
