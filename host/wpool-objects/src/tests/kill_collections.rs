//! What victims are killed in, and what must be true then: lists, dicts and sets. Whatever the call, after
//! the death all of it has happened, or nothing.

use super::super::object::Object;
use super::kill::{Case, Stage};
use super::process::{Child, Step};
use super::*;
use std::sync::atomic::Ordering;

type Action = fn(&Stage, &Caller<'_>);

/// Returns the contents of the collection.
fn contents(stage: &Stage) -> Vec<Vec<u8>> {
    let (shared, me, id) = (&stage.shared, &stage.me, stage.id());
    let page = match (List::of(shared, id), Dict::of(shared, id), Set::of(shared, id)) {
        (Ok(list), ..) => list.slice(me, 0, i64::MAX),
        (_, Ok(dict), _) => dict.page(me, Part::Items, (0, 0)),
        (.., set) => set.unwrap().page(me, (0, 0)),
    };
    let mut contents = whole(page.unwrap());
    if let Some(inner) = inner(stage) {
        contents.extend(whole(inner.slice(me, 0, i64::MAX).unwrap()));
    }
    contents
}

/// Returns the items of a page that is the only one.
fn whole(page: Page) -> Vec<Vec<u8>> {
    assert_eq!(page.cursor, 0, "it fits a page");
    page.unpacked()
}

/// Returns the list that is the value of a dict's key `in`, or the element of a list at 1.
fn inner(stage: &Stage) -> Option<List<'_>> {
    let (shared, me, id) = (&stage.shared, &stage.me, stage.id());
    let inner = match (List::of(shared, id), Dict::of(shared, id)) {
        (Ok(list), _) => list.inner(me, 1),
        (_, Ok(dict)) => dict.inner(me, b"in"),
        _ => return None,
    };
    List::inside(shared, inner.ok()?).ok()
}

/// Returns all of the call has happened, or nothing, and it can be called again.
fn whole_or_not(stage: &Stage, setup: fn(&mut Stage), act: Action) {
    let mut other = Stage::new();
    setup(&mut other);
    let before = contents(&other);
    act(&other, &other.me);
    let after = contents(&other);
    let now = contents(stage);
    assert!(now == after || now == before && stage.progress() == 0, "{now:?}");
    act(stage, &stage.me);
    if now == before {
        assert_eq!(contents(stage), after, "it can still be done");
    }
}

fn list(stage: &Stage) -> List<'_> {
    List::of(&stage.shared, stage.id()).unwrap()
}

fn dict(stage: &Stage) -> Dict<'_> {
    Dict::of(&stage.shared, stage.id()).unwrap()
}

fn set(stage: &Stage) -> Set<'_> {
    Set::of(&stage.shared, stage.id()).unwrap()
}

/// An element, a key or a value: every seventh has a block of its own.
fn item(number: u32) -> Vec<u8> {
    let bytes = if number % 7 == 3 { 70 } else { 6 };
    (0..bytes).map(|at| (number + at) as u8).collect()
}

fn make_list(stage: &mut Stage, elements: u32) {
    stage.make(Spec::List(Bounds::default()));
    let items: Vec<_> = (0..elements).map(item).collect();
    let items: Vec<&[u8]> = items.iter().map(|item| &item[..]).collect();
    list(stage).splice(&stage.me, (0, 0), &items, None).unwrap();
}

fn make_dict(stage: &mut Stage, entries: u32) {
    stage.make(Spec::Dict(Bounds::default()));
    for number in 0..entries {
        dict(stage).set(&stage.me, &item(number), &item(number + 1)).unwrap();
    }
}

fn make_set(stage: &mut Stage, members: u32) {
    stage.make(Spec::Set(Bounds::default()));
    for number in 0..members {
        set(stage).add(&stage.me, &item(number)).unwrap();
    }
}

/// Makes a dict with a list inside.
fn make_nested(stage: &mut Stage, elements: u32) {
    make_dict(stage, 3);
    dict(stage).nest(&stage.me, b"in", Kind::List, true).unwrap();
    let list = inner(stage).unwrap();
    (0..elements).for_each(|number| list.append(&stage.me, &item(number)).unwrap());
}

/// Cases in which a call happens as a whole or not at all.
macro_rules! cases {
    ($($name:literal, $setup:expr, $act:expr;)+) => {
        &[$(Case {
            name: $name,
            setup: $setup,
            work: |stage| {
                let act: Action = $act;
                act(stage, &stage.victim);
                stage.at(1);
            },
            check: |stage| whole_or_not(stage, $setup, $act),
        }),+]
    };
}

pub(super) const CASES: &[Case] = cases! {
    "list: append, the first", |stage| make_list(stage, 0), |stage, who| {
        list(stage).append(who, &item(3)).unwrap();
    };
    "list: append, the leaf is full", |stage| make_list(stage, 31), |stage, who| {
        list(stage).append(who, &item(100)).unwrap();
    };
    "list: append, the segment is full", |stage| {
        make_list(stage, 0);
        (0..14).for_each(|_| list(stage).append(&stage.me, &[1; 1000]).unwrap());
    }, |stage, who| {
        list(stage).append(who, &[2; 4000]).unwrap();
    };
    "list: insert, the leaf is full", |stage| make_list(stage, 62), |stage, who| {
        list(stage).insert(who, 3, &item(100)).unwrap();
    };
    "list: set, short to long and long to short", |stage| make_list(stage, 5), |stage, who| {
        list(stage).set(who, 3, b"short", None).unwrap();
    };
    "list: pop, the only one", |stage| make_list(stage, 1), |stage, who| {
        let _ = list(stage).pop(who, 0, &mut Vec::new());
    };
    "list: pop, leaves become one", |stage| {
        make_list(stage, 33);
        list(stage).splice(&stage.me, (8, 31), &[], None).unwrap();
    }, |stage, who| {
        list(stage).pop(who, 0, &mut Vec::new()).unwrap();
    };
    "list: splice over leaves", |stage| make_list(stage, 64), |stage, who| {
        let new: Vec<_> = (200..204).map(item).collect();
        let new: Vec<&[u8]> = new.iter().map(|item| &item[..]).collect();
        list(stage).splice(who, (28, 64), &new, None).unwrap();
    };
    "list: reverse", |stage| make_list(stage, 40), |stage, who| {
        list(stage).reverse(who).unwrap();
    };
    "list: clear, and what comes after frees", |stage| make_list(stage, 40), |stage, who| {
        list(stage).clear(who).unwrap();
    };
    "dict: set, the first", |stage| make_dict(stage, 0), |stage, who| {
        dict(stage).set(who, &item(3), &item(3)).unwrap();
    };
    "dict: set, one more bucket and a new block of them", |stage| make_dict(stage, 16), |stage, who| {
        dict(stage).set(who, &item(300), &item(3)).unwrap();
    };
    "dict: set, one that is there", |stage| make_dict(stage, 4), |stage, who| {
        dict(stage).set(who, &item(2), &item(10)).unwrap();
    };
    "dict: swap if, remove", |stage| make_dict(stage, 4), |stage, who| {
        let version = dict(stage).get(who, &item(2), &mut Vec::new()).unwrap();
        dict(stage).swap_if(who, &item(2), version, None).unwrap();
    };
    "dict: get or insert", |stage| make_dict(stage, 4), |stage, who| {
        dict(stage).get_or_insert(who, &item(10), &item(3), &mut Vec::new()).unwrap();
    };
    "dict: pop, in the middle of a chain", |stage| make_dict(stage, 60), |stage, who| {
        dict(stage).pop(who, &item(31), &mut Vec::new()).unwrap();
    };
    "dict: pop item, the only one", |stage| make_dict(stage, 1), |stage, who| {
        dict(stage).pop_item(who, true, &mut Vec::new()).unwrap();
    };
    "dict: set many", |stage| make_dict(stage, 4), |stage, who| {
        let new: Vec<_> = (2..10).map(item).collect();
        let new: Vec<&[u8]> = new.iter().map(|item| &item[..]).collect();
        dict(stage).set_many(who, &new).unwrap();
    };
    "dict: clear", |stage| make_dict(stage, 20), |stage, who| {
        dict(stage).clear(who).unwrap();
    };
    "set: add and discard", |stage| make_set(stage, 16), |stage, who| {
        set(stage).discard(who, &item(40)).unwrap();
        set(stage).add(who, &item(40)).unwrap();
    };
    "set: symmetric difference", |stage| make_set(stage, 4), |stage, who| {
        let some: Vec<_> = (2..6).map(item).collect();
        let some: Vec<&[u8]> = some.iter().map(|item| &item[..]).collect();
        set(stage).update(who, Update::SymmetricDifference, &some).unwrap();
    };
    "dict: a list inside, new", |stage| make_dict(stage, 3), |stage, who| {
        dict(stage).nest(who, b"in", Kind::List, true).unwrap();
    };
    "dict: a list inside, in the place of another", |stage| make_nested(stage, 12), |stage, who| {
        dict(stage).nest(who, b"in", Kind::List, false).unwrap();
    };
    "dict: a list inside, which bytes replace", |stage| make_nested(stage, 12), |stage, who| {
        dict(stage).set(who, b"in", b"bytes").unwrap();
    };
    "dict: a list inside is removed", |stage| make_nested(stage, 12), |stage, who| {
        dict(stage).remove(who, b"in").unwrap();
    };
    "dict: a list inside grows", |stage| make_nested(stage, 31), |stage, who| {
        inner(stage).unwrap().append(who, &item(100)).unwrap();
    };
    "list: a list inside, in the place of an element", |stage| make_list(stage, 3), |stage, who| {
        list(stage).nest(who, 1, Kind::List, true).unwrap();
    };
    "set: intersection", |stage| make_set(stage, 6), |stage, who| {
        let some: Vec<_> = (2..5).map(item).collect();
        let some: Vec<&[u8]> = some.iter().map(|item| &item[..]).collect();
        set(stage).update(who, Update::Intersection, &some).unwrap();
    };
};

/// Cases in which something else must be true.
pub(super) const OTHERS: &[Case] = &[
    Case {
        name: "dict: add, the sum is the old or the new one",
        setup: |stage| {
            stage.make(Spec::Dict(Bounds::default()));
            dict(stage).add(&stage.me, b"n", 41).unwrap();
        },
        work: |stage| {
            dict(stage).add(&stage.victim, b"n", 1).unwrap();
            stage.at(1);
        },
        check: |stage| {
            let sum = dict(stage).add(&stage.me, b"n", 0).unwrap();
            assert!(sum == 42 || sum == 41 && stage.progress() == 0, "{sum}");
        },
    },
    Case {
        name: "list: full, in the middle of a call",
        setup: |stage| {
            stage.make(Spec::List(Bounds { entries: 0, bytes: 4 << 10 }));
            list(stage).append(&stage.me, b"first").unwrap();
        },
        work: |stage| {
            let many = vec![&[1; 300][..]; 10];
            let done = list(stage).splice(&stage.victim, (0, 1), &many, None);
            assert_eq!(done, Err(Error::NoSpace));
        },
        check: |stage| {
            assert_eq!(contents(stage), [b"first"]);
            list(stage).append(&stage.me, &[2; 1000]).unwrap();
        },
    },
    Case {
        name: "list: append to one that waits for a change",
        setup: |stage| {
            make_list(stage, 2);
            stage.wait_in_line(|stage| {
                let changed = list(stage).wait_changed(&stage.waiter, 1, None);
                i32::from(changed.is_err())
            });
        },
        work: |stage| {
            list(stage).append(&stage.victim, b"new").unwrap();
            stage.at(1);
        },
        check: |stage| {
            if contents(stage).len() == 2 {
                assert_eq!(stage.progress(), 0);
                list(stage).append(&stage.me, b"new").unwrap();
            }
            assert_eq!(stage.waited(), 0);
            stage.shared.release(&stage.me, stage.waiter.owner).unwrap();
        },
    },
    Case {
        name: "dict: the sweep that undoes a call",
        setup: |stage| {
            make_dict(stage, 4);
            let object = Object::new(stage.shared.memory(), stage.id().index);
            let journal = stage.shared.memory().word(object.storage().unwrap().0);
            let child = Child::stopped(|| {
                dict(stage).set(&stage.waiter, &item(300), &item(3)).unwrap();
            });
            while journal.load(Ordering::Relaxed) < 8 {
                assert_eq!(child.step(), Step::Stepped);
            }
            child.kill();
            stage.shared.dies(stage.waiter.owner);
        },
        work: |stage| _ = stage.shared.sweep_again(&stage.victim),
        check: |stage| {
            assert_eq!(contents(stage).len(), 8);
            dict(stage).set(&stage.me, &item(300), &item(3)).unwrap();
        },
    },
];

/// A call that needs the long journal takes too many instructions to be stepped through for each death.
#[test]
fn a_death_that_leaves_the_long_journal_in_use_undoes_the_whole_call() {
    let _watchdog = watchdog(120);
    let mut stage = Stage::new();
    make_list(&mut stage, 4);
    let before = contents(&stage);
    let object = Object::new(stage.shared.memory(), stage.id().index);
    let journal = stage.shared.memory().word(object.storage().unwrap().0);
    let child = Child::stopped(|| {
        list(&stage).splice(&stage.victim, (1, 3), &[&b"short"[..]; 300], None).unwrap();
    });
    // The short one has 512 entries.
    while journal.load(Ordering::Relaxed) < 540 {
        assert_eq!(child.step(), Step::Stepped);
    }
    child.kill();
    stage.shared.release(&stage.me, stage.victim.owner).unwrap();
    assert_eq!(contents(&stage), before);
    assert_sound(&stage.shared);
}
