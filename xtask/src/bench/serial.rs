//! Measures the benchmark of Python's tutorials: 100 000 lists of cubes, one after the other and by
//! a pool.

use super::line::{Unit, amount};
use super::modes::Medians;
use super::page::aligned;
use super::peers::Peers;
use crate::Result;

const CUBES: &str = "target/guests/cubes.wasm";
const LIBRARY: &str = "target/guests/native/libcubes.so";
const FUNCTION: &str = "benches/peers/cubes.py:cubes";

/// The program that calculates, and the names of its serial and its pooled mode in `wpool bench`.
const WAYS: [[&str; 3]; 3] = [
    ["Python", "python", "python pool"],
    ["native library", "native", "native workers"],
    ["wpool", "wasm", "wasm reuse"],
];

/// Returns a table of the times of all programs, serial and by a pool of two.
pub fn cubes(peers: &Peers) -> Result<String> {
    let modes = "--modes=python-serial,python,native,native-workers,wasm,reuse";
    let options = ["--task", "cubes", modes, "-j2", "--native", LIBRARY, "--python", FUNCTION];
    let options = [&options[..], &["--range", "0..100000"]].concat();
    let medians = Medians::measure(peers, 1, CUBES, &options)?;
    let python = medians.seconds("python pool")?;
    let mut rows = Vec::new();
    for [name, serial, pool] in WAYS {
        let (serial, pool) = (medians.seconds(serial)?, medians.seconds(pool)?);
        let times = |figure| amount(Unit::Times, figure);
        eprintln!("{name}: Pool took {pool:.2} secs, serial processing took {serial:.2} secs");
        rows.push([
            name.to_owned(),
            amount(Unit::Seconds, serial),
            amount(Unit::Seconds, pool),
            times(serial / pool),
            times(python / pool),
        ]);
    }
    let names = ["", "serial", "pool of 2", "gain", "against Python's pool"];
    Ok(aligned(names, rows.into_iter()))
}
