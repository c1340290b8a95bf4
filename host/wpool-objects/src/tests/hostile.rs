//! Hostile bytes: each word of control memory in turn is overwritten, as by a process that has gone
//! wrong. The other processes get answers, or hear that an object is broken; they never hang and
//! never panic.

use super::super::latch;
use super::super::layout::{BLOCK_BASE, OBJECT_BASE, OBJECT_BYTES, SLOT_BASE, SLOT_BYTES};
use super::super::object::Object;
use super::process::Child;
use super::*;
use std::sync::atomic::Ordering;

/// The values with which words are overwritten.
const GARBAGE: [u64; 5] = [u64::MAX, 0, 0x0001_0001_0001_0001, 0x7fff_ffff_ffff_ff02, 1 << 47 | 3];

struct Objects {
    shared: Arc<Shared>,
    me: Caller<'static>,
    other: Caller<'static>,
    ids: Vec<ObjectId>,
}

fn objects() -> Objects {
    let (shared, me) = world();
    let other = another(&shared);
    let specs = [
        Spec::Lock { recursive: true },
        Spec::Semaphore { initial: 2, owned: true, bounded: true },
        Spec::Condition { lock: None },
        Spec::Event,
        Spec::Barrier { parties: 2 },
        Spec::Queue { messages: 4, bytes: 2000, joinable: true },
        Spec::Value { initial: Scalar::F32(1.0) },
        Spec::Array { kind: Type::I32, length: 10 },
        Spec::Region { bytes: 100, read_only: false },
        Spec::List(Bounds::default()),
        Spec::Dict(Bounds::default()),
        Spec::Set(Bounds::default()),
    ];
    let make = |spec: &Spec| shared.create(&me, &format!("{spec:?}"), spec, 0).unwrap();
    let ids: Vec<_> = specs.iter().map(make).collect();
    let objects = Objects { shared, me, other, ids };
    // Puts messages into the queue, so that there is something to read.
    let queue = objects.shared.queue(objects.ids[5]).unwrap();
    for bytes in [10, 300, 20] {
        queue.put(&objects.me, &vec![5; bytes], NOW).unwrap();
    }
    queue.get(&objects.other, &mut Vec::new(), NOW).unwrap();
    objects.use_collections();
    objects.shared.lock(objects.ids[0]).unwrap().acquire(&objects.other, NOW).unwrap();
    objects.shared.semaphore(objects.ids[1]).unwrap().acquire(&objects.other, NOW).unwrap();
    objects
}

impl Objects {
    /// Uses every object once. The answers do not matter.
    fn use_all(&self) {
        let (shared, me, ids) = (&self.shared, &self.me, &self.ids);
        if let Ok(lock) = shared.lock(ids[0]) {
            let _ = (lock.acquire(me, NOW), lock.release(me), lock.holder());
        }
        if let Ok(semaphore) = shared.semaphore(ids[1]) {
            let _ = (semaphore.acquire(me, NOW), semaphore.release(me), semaphore.count());
        }
        if let Ok(condition) = shared.condition(ids[2]) {
            let _ = condition.lock().acquire(me, NOW);
            let _ = condition.notify_all(me);
            let _ = condition.lock().release(me);
        }
        if let Ok(event) = shared.event(ids[3]) {
            let _ = (event.set(me), event.wait(me, NOW), event.clear(me));
        }
        if let Ok(barrier) = shared.barrier(ids[4]) {
            let _ = (barrier.wait(me, NOW), barrier.reset(me), barrier.abort(me));
        }
        if let Ok(queue) = shared.queue(ids[5]) {
            let mut bytes = Vec::new();
            let _ = queue.put(me, &[1; 20], NOW);
            let _ = queue.put(me, &[1; 300], NOW);
            while queue.get(me, &mut bytes, NOW).is_ok() {}
            let _ = (queue.task_done(me), queue.join(me, NOW), queue.close(me), queue.len());
        }
        if let Ok(value) = shared.value(ids[6]) {
            let _ = (value.add(Scalar::F32(1.0)), value.swap(Scalar::I32(1)));
        }
        if let Ok(array) = shared.array(ids[7]) {
            let _ = (array.add(9, Scalar::I32(1)), array.read(0, &mut [0; 40]));
        }
        if let Ok(region) = shared.region(ids[8]) {
            let _ = (region.write(0, &[1; 100]), region.read(50, &mut [0; 50]));
        }
        self.use_collections();
        let _ = (shared.list(me), shared.open(me, "nothing"));
    }

    fn use_collections(&self) {
        let (shared, me, ids, mut bytes) = (&self.shared, &self.me, &self.ids, Vec::new());
        if let Ok(list) = List::of(shared, ids[9]) {
            let _ = (list.append(me, b"a"), list.append(me, &[1; 50]), list.insert(me, 0, b"b"));
            let _ = (list.slice(me, 0, i64::MAX), list.pop(me, 0, &mut bytes), list.reverse(me));
            let _ = list.splice(me, (0, 9), &[&b"c"[..]; 40], None);
            let _ = (list.index_of(me, b"d", 0, i64::MAX), list.clear(me), list.append(me, b"e"));
        }
        if let Ok(dict) = Dict::of(shared, ids[10]) {
            let _ = (dict.set(me, b"a", &[1; 50]), dict.add(me, b"n", 1), dict.len(me));
            let _ = (dict.page(me, Part::Items, (0, 0)), dict.pop_item(me, true, &mut bytes));
            let _ = (dict.get(me, b"a", &mut bytes), dict.pop(me, b"a", &mut bytes));
            let _ = dict.wait_changed(me, 0, NOW);
        }
        if let Ok(set) = Set::of(shared, ids[11]) {
            let _ = (set.add(me, b"a"), set.discard(me, b"a"), set.pop(me, &mut bytes));
            let _ = set.update(me, Update::Intersection, &[b"x"]);
        }
    }

    fn scribble(&self, at: usize, garbage: u64) {
        let before = self.shared.memory().word(at).swap(garbage, Ordering::SeqCst);
        if before == garbage {
            return;
        }
        self.use_all();
        let _ = self.shared.release(&self.me, self.other.owner);
        let _ = self.shared.fsck();
        self.use_all();
        let id = self.ids[(at / 8) % self.ids.len()];
        let _ = (self.shared.delete(&self.me, id), self.shared.close(&self.me, id));
        let _ = self.shared.create(&self.me, "new", &Spec::Event, 0);
    }
}

/// Returns the offsets of the words that are read by any operation, and of some words of each kind
/// of storage.
fn words(objects: &Objects) -> Vec<usize> {
    let mut words: Vec<usize> = (0..256).step_by(8).collect();
    words.extend((0..3 * SLOT_BYTES).step_by(8).map(|at| SLOT_BASE + at));
    for id in &objects.ids {
        let record = OBJECT_BASE + usize::from(id.index) * OBJECT_BYTES;
        words.extend((0..768).step_by(8).map(|at| record + at));
    }
    // The storage: the beginnings of arrays of words, then every word that is not zero.
    let storage = (BLOCK_BASE..BLOCK_BASE + (170 << 10)).step_by(8);
    let memory = objects.shared.memory();
    let collections = objects.ids[9..].iter().flat_map(|id| {
        let (at, _) = Object::new(memory, id.index).storage().unwrap();
        // The root page, the journal's first entries, and what is stored first.
        [at, at + 4096, at + 12288].into_iter().flat_map(|at| (at..at + 768).step_by(8))
    });
    let storage = storage.chain(collections);
    words.extend(storage.filter(|at| memory.word(*at).load(Ordering::Relaxed) != 0));
    words
}

#[test]
fn whatever_a_word_says_nobody_outside_hangs_or_panics() {
    let full = std::env::var_os("WPOOL_HOSTILE").is_some();
    let _watchdog = watchdog(if full { 3600 } else { 100 });
    // A child is needed because the patience with latches is for the whole process.
    let child = Child::new(|| {
        latch::SLICES_MAX.store(0, Ordering::Relaxed);
        let words = words(&objects());
        for (turn, at) in words.iter().enumerate() {
            let fewer = if full { &GARBAGE[..] } else { &GARBAGE[turn % 5..][..1] };
            for garbage in fewer {
                let objects = objects();
                let done = std::panic::catch_unwind(|| objects.scribble(*at, *garbage));
                if done.is_err() {
                    eprintln!("word {at} = {garbage:x}");
                    return 1;
                }
            }
        }
        0
    });
    assert_eq!(child.wait(Duration::from_secs(3000)), Some(0));
}

#[test]
fn an_object_that_makes_no_sense_is_broken_for_all_and_only_that_one() {
    let _watchdog = watchdog(20);
    let objects = objects();
    let (shared, me) = (&objects.shared, &objects.me);
    let queue = super::super::object::Object::new(shared.memory(), objects.ids[5].index);
    queue.put(super::super::queue::FREE, u64::MAX);
    queue.latch().take(objects.other.owner).unwrap();
    queue.put(super::super::layout::record::PARAMS, u64::MAX);
    let swept = shared.release(me, objects.other.owner).unwrap();
    assert_eq!(swept, Swept { broken: 1, stuck: Vec::new() });
    assert!(matches!(shared.queue(objects.ids[5]).err(), Some(Error::Broken { .. })));
    assert!(shared.lock(objects.ids[0]).unwrap().acquire(me, NOW).is_ok());
}

#[test]
fn a_journal_that_lies_breaks_its_collection_and_changes_nothing_elsewhere() {
    let _watchdog = watchdog(60);
    for (entries, place) in
        [(1, 0), (1, 8), (1, BLOCK_BASE), (3, usize::MAX), (u64::MAX, 0), (70_000, 0)]
    {
        let objects = objects();
        let (shared, me) = (&objects.shared, &objects.me);
        let dict = Object::new(shared.memory(), objects.ids[10].index);
        let (at, _) = dict.storage().unwrap();
        dict.latch().take(objects.other.owner).unwrap();
        for entry in 0..entries.min(3) as usize {
            shared.memory().word(at + 4096 + entry * 16).store(place as u64, Ordering::Relaxed);
        }
        shared.memory().word(at).store(entries, Ordering::Relaxed);
        let swept = shared.release(me, objects.other.owner).unwrap();
        assert_eq!(swept, Swept { broken: 1, stuck: Vec::new() }, "{entries} at {place}");
        let dict = Dict::of(shared, objects.ids[10]).unwrap();
        assert!(matches!(dict.set(me, b"a", b"b"), Err(Error::Broken { .. })));
        assert_eq!(Set::of(shared, objects.ids[11]).unwrap().add(me, b"new"), Ok(true));
        assert_sound(shared);
    }
}
