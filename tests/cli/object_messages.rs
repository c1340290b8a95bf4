//! Messages are part of the interface: what people read when a flag for shared objects is wrong.
//!
//! Each line of a snapshot is a line on standard error.

use crate::common::run::{file, map_file, path};
use crate::common::{guest, root};
use insta::assert_snapshot;
use std::fs::File;

/// Returns what a run with these flags prints to standard error, in a folder with a few files, and
/// its exit code.
fn said(flags: &str) -> String {
    file("notes", "hello\nworld\n");
    file("empty", "");
    file("long", format!("{}\n", "x".repeat(1000)));
    file("lines", "0\n".repeat(65_537));
    File::create(path("huge")).and_then(|file| file.set_len((1 << 30) + 1)).expect("writable");
    let run = map_file(guest("square")).flags("--task square").flags(flags).jobs(["3"]);
    let run = run.with_streams(|command| {
        command.current_dir(path(""));
    });
    let done = run.run().prints("");
    let guests = root().join("target/guests/").display().to_string();
    let said = done.stderr.replace(&guests, "");
    format!("{said}exit code {}", done.code.expect("it was not killed"))
}

#[test]
fn flags_of_what_is_held_or_waited_for() {
    assert_snapshot!(said("--lock a:b"), @r#"
    error: invalid value 'a:b' for '--lock <NAME>': a lock has a name and nothing else, not ":b"
    help: write a
    exit code 2
    "#);
    assert_snapshot!(said("--rlock =1"), @r#"
    error: invalid value '=1' for '--rlock <NAME>': the object has no name
    help: write NAME
    exit code 2
    "#);
    assert_snapshot!(said("--semaphore s"), @r#"
    error: invalid value 's' for '--semaphore <NAME=PERMITS[:owned][:bounded]>': there is no number of permits
    help: write NAME=PERMITS, and :owned, :bounded or both behind it
    exit code 2
    "#);
    assert_snapshot!(said("--semaphore s=2:mine"), @r#"
    error: invalid value 's=2:mine' for '--semaphore <NAME=PERMITS[:owned][:bounded]>': "mine" is not an option of a semaphore
    help: write NAME=PERMITS, and :owned, :bounded or both behind it
    exit code 2
    "#);
    assert_snapshot!(said("--condition c=l"), @r#"
    error: invalid value 'c=l' for '--condition <NAME[:LOCK]>': "=l" is not a colon and the name of a lock
    help: write NAME, or NAME:LOCK with the name of a --lock or an --rlock
    exit code 2
    "#);
    assert_snapshot!(said("--event e=1"), @r#"
    error: invalid value 'e=1' for '--event <NAME[=set]>': "=1" is not what an event begins with
    help: write NAME, or NAME=set
    exit code 2
    "#);
    assert_snapshot!(said("--barrier b=0"), @r#"
    error: invalid value 'b=0' for '--barrier <NAME=PARTIES>': 0 is outside of 1 to 1024 parties
    help: write NAME=PARTIES
    exit code 2
    "#);
}

#[test]
fn flags_of_data() {
    assert_snapshot!(said("--queue q:0"), @r#"
    error: invalid value 'q:0' for '--queue <NAME[:MESSAGES[:BYTES]][:joinable][=@FILE]>': 0 is outside of 1 to 65536 messages
    help: write NAME, NAME:MESSAGES or NAME:MESSAGES:BYTES, with :joinable and =@FILE behind it
    exit code 2
    "#);
    assert_snapshot!(said("--queue q:10:much"), @r#"
    error: invalid value 'q:10:much' for '--queue <NAME[:MESSAGES[:BYTES]][:joinable][=@FILE]>': "much" is not a size
    help: write 4096, 64MiB, 1.5G
    exit code 2
    "#);
    assert_snapshot!(said("--queue q=notes"), @r#"
    error: invalid value 'q=notes' for '--queue <NAME[:MESSAGES[:BYTES]][:joinable][=@FILE]>': "notes" is not @ and the path of a file
    help: write NAME, NAME:MESSAGES or NAME:MESSAGES:BYTES, with :joinable and =@FILE behind it
    exit code 2
    "#);
    assert_snapshot!(said("--value v=1"), @r#"
    error: invalid value 'v=1' for '--value <NAME=TYPE:NUMBER>': there is no number behind the type
    help: write NAME=TYPE:NUMBER, as in balance=i64:100
    exit code 2
    "#);
    assert_snapshot!(said("--value v=i8:1"), @r#"
    error: invalid value 'v=i8:1' for '--value <NAME=TYPE:NUMBER>': "i8" is no type of numbers
    help: there are i32, i64, u32, u64, f32, f64 and bool
    exit code 2
    "#);
    assert_snapshot!(said("--value v=u32:-1"), @r#"
    error: invalid value 'v=u32:-1' for '--value <NAME=TYPE:NUMBER>': -1 is out of range for u32 (0 to 4294967295)
    help: write NAME=TYPE:NUMBER, as in balance=i64:100
    exit code 2
    "#);
    assert_snapshot!(said("--array a=f64:many"), @r#"
    error: invalid value 'a=f64:many' for '--array <NAME=TYPE:LENGTH|LIST|@FILE>': "many" is not a number of elements
    help: write NAME=TYPE:LENGTH, NAME=TYPE:[NUMBER,…] or NAME=TYPE:@FILE
    exit code 2
    "#);
    assert_snapshot!(said("--array a=i32:[1,x]"), @r#"
    error: invalid value 'a=i32:[1,x]' for '--array <NAME=TYPE:LENGTH|LIST|@FILE>': element 1: "x" is not an integer (i32)
    help: write NAME=TYPE:LENGTH, NAME=TYPE:[NUMBER,…] or NAME=TYPE:@FILE
    exit code 2
    "#);
    assert_snapshot!(said("--region r"), @r#"
    error: invalid value 'r' for '--region <NAME[:SIZE][=@FILE[:ro]]>': there is no size
    help: write NAME:SIZE, NAME=@FILE or NAME:SIZE=@FILE, with :ro behind the file
    exit code 2
    "#);
    assert_snapshot!(said("--region r:0"), @r#"
    error: invalid value 'r:0' for '--region <NAME[:SIZE][=@FILE[:ro]]>': a region has at least a byte
    help: write NAME:SIZE, NAME=@FILE or NAME:SIZE=@FILE, with :ro behind the file
    exit code 2
    "#);
}

#[test]
fn flags_for_afterwards() {
    assert_snapshot!(said("--show="), @r#"
    error: invalid value '' for '--show <NAME>': the object has no name
    help: write NAME
    exit code 2
    "#);
    assert_snapshot!(said("--save v"), @r#"
    error: invalid value 'v' for '--save <NAME=FILE>': there is no file
    help: write NAME=FILE
    exit code 2
    "#);
}

#[test]
fn names_that_are_wrong() {
    assert_snapshot!(said("--lock a --queue a"), @r#"
    error: --queue a: there is a lock of this name already
    help: give each object a name of its own
    exit code 2
    "#);
    assert_snapshot!(said("--condition c:l --semaphore l=1"), @r#"
    error: --condition c:l: `l` is a semaphore: use it as what it is
    help: give it a lock of its own: leave out the colon and the name
    exit code 2
    "#);
    assert_snapshot!(said("--condition c:l"), @r#"
    error: --condition c:l: there is no lock `l`: create it first
    help: make the lock, too: --lock l
    exit code 2
    "#);
    assert_snapshot!(said("--show v"), @r#"
    error: --show v: no flag makes an object of this name, and square.wasm uses none
    help: there are no objects; make one as with --value NAME=i64:0
    exit code 2
    "#);
    assert_snapshot!(said("--value v=i64:1 --lock guard --save w=file"), @r#"
    error: --save w: no flag makes an object of this name, and square.wasm uses none
    help: there are: lock guard, value v
    exit code 2
    "#);
    assert_snapshot!(said("--event e --save e=file"), @r#"
    error: --save e: an event has no contents to be saved
    help: its state is printed by --show e
    exit code 2
    "#);
}

#[test]
fn files_that_cannot_be_used() {
    assert_snapshot!(said("--region r=@nowhere"), @r#"
    error: --region r=@nowhere: No such file or directory (os error 2)
    help: give a file that is there and that you may read
    exit code 2
    "#);
    assert_snapshot!(said("--queue q=@."), @r#"
    error: --queue q=@.: is a directory
    help: give a file that is there and that you may read
    exit code 2
    "#);
    assert_snapshot!(said("--region r=@empty"), @r#"
    error: --region r=@empty: it is empty, and a region has at least a byte
    help: give the size as well: r:64KiB=@…
    exit code 2
    "#);
    assert_snapshot!(said("--region r=@/dev/zero"), @r#"
    error: --region r=@/dev/zero: it is not a regular file, so its size is not known
    help: give the size as well: r:64MiB=@…
    exit code 2
    "#);
    assert_snapshot!(said("--region r:4=@/dev/zero"), @r#"
    error: --region r: it has 4 bytes, and there are more: make it larger
    exit code 2
    "#);
    assert_snapshot!(said("--region r:4=@notes"), @r#"
    error: --region r=@notes: it has 12B, and the region 4B
    help: leave the size out: it is the file's then
    exit code 2
    "#);
    assert_snapshot!(said("--array a=i32:@notes"), @r#"
    error: --array a=@notes: element 0: "hello" is not an integer (i32)
    help: give a file with a JSON array of numbers, or with a number on each line
    exit code 2
    "#);
    assert_snapshot!(said("--array a=i32:@/proc/self/exe"), @r#"
    error: --array a=@/proc/self/exe: it is not text
    help: give a file with a JSON array of numbers, or with a number on each line
    exit code 2
    "#);
    assert_snapshot!(said("--queue q:1=@notes"), @r#"
    error: --queue q=@notes: a queue for 1 message has no room for its 2 lines
    help: leave the number of messages out: it is that of the lines then
    exit code 2
    "#);
    assert_snapshot!(said("--queue q:1:100=@long"), @r#"
    error: --queue q=@long: a queue for 100B has no room for its 1 line
    help: they take 1KiB: leave the size out, or raise it
    exit code 2
    "#);
    assert_snapshot!(said("--queue q=@lines"), @r#"
    error: --queue q=@lines: a queue for 65536 messages has no room for its 65537 lines
    help: give the lines as jobs, or as the bytes of a --region
    exit code 2
    "#);
    assert_snapshot!(said("--array a=i64:@huge"), @r#"
    error: --array a=@huge: it has more than 1GiB
    help: give large data to a --region
    exit code 2
    "#);
}

#[test]
fn what_is_too_large() {
    assert_snapshot!(said("--region r:5GiB"), @r#"
    error: --region r: there is not enough space left for it
    help: make it smaller, or raise --region-space; there are 1024 objects at most
    exit code 2
    "#);
    assert_snapshot!(said("--region r:2TiB"), @r#"
    error: --region r: it has at least a byte, and at most a TiB
    exit code 2
    "#);
    assert_snapshot!(said("--array a=f64:1000000 --shared-space 4MiB"), @r#"
    error: --array a: there is not enough space left for it
    help: make it smaller, or raise --shared-space; there are 1024 objects at most
    exit code 2
    "#);
    assert_snapshot!(said("--queue q:10:1GiB"), @r#"
    error: --queue q: there is not enough space left for it
    help: make it smaller, or raise --shared-space; there are 1024 objects at most
    exit code 2
    "#);
    assert_snapshot!(said("--region r:1KiB --region-space 20GiB --shared-space 99999TiB"), @r#"
    error: cannot make shared memory: Cannot allocate memory (os error 12)
    help: lower --shared-space and --region-space, or raise `ulimit -f` and `ulimit -v`: shared state is files in memory
    exit code 96
    "#);
}
