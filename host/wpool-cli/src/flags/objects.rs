//! The flags that make shared objects, and show or save them afterwards.

use super::object::{
    self, Array, Barrier, Collection, Condition, Event, Queue, Region, Save, Semaphore, Value,
};
use clap::Args;
use std::path::Path;

/// The flags for objects that guests share, by their names. Each flag can be given several times.
#[derive(Args, Debug)]
#[command(next_help_heading = "Shared objects")]
pub(crate) struct ObjectFlags {
    /// Make a lock
    #[arg(long, value_name = "NAME", value_parser = object::lock)]
    pub(crate) lock: Vec<String>,

    /// Make a lock that its owner may acquire again
    #[arg(long, value_name = "NAME", value_parser = object::lock)]
    pub(crate) rlock: Vec<String>,

    /// Make a semaphore. `owned`: permits belong to who acquired them, and are restored at its death;
    /// `bounded`: never more than at the start
    #[arg(long, value_name = "NAME=PERMITS[:owned][:bounded]", value_parser = object::semaphore)]
    pub(crate) semaphore: Vec<Semaphore>,

    /// Make a condition, with a lock of its own or one that is made here, too
    #[arg(long, value_name = "NAME[:LOCK]", value_parser = object::condition)]
    pub(crate) condition: Vec<Condition>,

    /// Make an event
    #[arg(long, value_name = "NAME[=set]", value_parser = object::event)]
    pub(crate) event: Vec<Event>,

    /// Make a barrier
    #[arg(long, value_name = "NAME=PARTIES", value_parser = object::barrier)]
    pub(crate) barrier: Vec<Barrier>,

    /// Make a queue, for 1024 messages and 16MiB unless told otherwise. Each line of FILE is a message
    #[arg(long, value_name = "NAME[:MESSAGES[:BYTES]][:joinable][=@FILE]",
          value_parser = object::queue)]
    pub(crate) queue: Vec<Queue>,

    /// Make a value: one number. TYPE is i32, i64, u32, u64, f32, f64 or bool
    #[arg(long, value_name = "NAME=TYPE:NUMBER", value_parser = object::value)]
    pub(crate) value: Vec<Value>,

    /// Make an array of zeros, of [1,2,3], or of the numbers in FILE (such a list, or one number a line)
    #[arg(long, value_name = "NAME=TYPE:LENGTH|LIST|@FILE", value_parser = object::array)]
    pub(crate) array: Vec<Array>,

    /// Make a region: bytes that guests can map. FILE is copied in; `ro`: guests may only read it
    #[arg(long, value_name = "NAME[:SIZE][=@FILE[:ro]]", value_parser = object::region)]
    pub(crate) region: Vec<Region>,

    /// Make a list, empty or of the elements in JSON (`[1,2]`, or such a list in FILE). It grows as far as
    /// there is space, or to so many elements and bytes
    #[arg(long, value_name = "NAME[:ELEMENTS[:BYTES]][=JSON|=@FILE]", value_parser = object::list)]
    pub(crate) list: Vec<Collection>,

    /// Make a dict, empty or of the entries in JSON (`{"a":1}`, or such an object in FILE), whose keys are
    /// strings
    #[arg(long, value_name = "NAME[:ENTRIES[:BYTES]][=JSON|=@FILE]", value_parser = object::dict)]
    pub(crate) dict: Vec<Collection>,

    /// Make a set, empty or of the members in JSON (`[1,2]`, or such a list in FILE)
    #[arg(long, value_name = "NAME[:MEMBERS[:BYTES]][=JSON|=@FILE]", value_parser = object::set)]
    pub(crate) set: Vec<Collection>,

    /// Print the state of an object after the results: a line of JSON, {"NAME":…}
    #[arg(long, value_name = "NAME", value_parser = object::show)]
    pub(crate) show: Vec<String>,

    /// Write what is in a value, an array, a queue, a region, a list, a dict or a set to FILE after the run, as @FILE takes it
    #[arg(long, value_name = "NAME=FILE", value_parser = object::save)]
    pub(crate) save: Vec<Save>,
}

impl ObjectFlags {
    /// Returns whether an object begins with the contents of a file.
    pub(crate) fn begins_with(&self, name: &str, file: &Path) -> bool {
        let queues = self.queue.iter().map(|queue| (&queue.name, queue.file.as_deref()));
        let regions = self.region.iter().map(|region| (&region.name, region.file.as_deref()));
        let arrays = self.array.iter().map(|array| (&array.name, array.elements.file()));
        let collections = self.list.iter().chain(&self.dict).chain(&self.set);
        let collections = collections.map(|one| (&one.name, one.contents.file()));
        let mut all = queues.chain(regions).chain(arrays).chain(collections);
        all.any(|known| known == (&name.to_owned(), Some(file)))
    }

    /// Returns whether nothing is to be made, shown or saved.
    pub(crate) fn is_empty(&self) -> bool {
        let ObjectFlags {
            lock,
            rlock,
            semaphore,
            condition,
            event,
            barrier,
            queue,
            value,
            array,
            region,
            list,
            dict,
            set,
            show,
            save,
        } = self;
        let locks = lock.is_empty() && rlock.is_empty() && semaphore.is_empty();
        let waits = condition.is_empty() && event.is_empty() && barrier.is_empty();
        let data = queue.is_empty() && value.is_empty() && array.is_empty() && region.is_empty();
        let collections = list.is_empty() && dict.is_empty() && set.is_empty();
        locks && waits && data && collections && show.is_empty() && save.is_empty()
    }
}
