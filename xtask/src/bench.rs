//! `cargo xtask bench`: compares wpool with its peers and floors, in one run on this machine.
//!
//! Peers are the tools in use today, Python's multiprocessing and xargs (`benches/peers/`). A floor
//! is the same plumbing in C without WebAssembly (`benches/floors/`). The programs of a comparison
//! run in turns, round after round, so that anything else the machine does affects all of them
//! alike.

mod growth;
mod kernels;
mod languages;
mod line;
mod machine;
mod manager;
mod measure;
mod memory;
mod micro;
mod modes;
mod objects;
mod page;
mod peers;
mod rows;
mod serial;

use std::fs;

use machine::Machine;
use peers::Peers;
use rows::{ROWS, Row};

use crate::{Result, command, guests, root};

pub const HELP: &str = "\
Usage: cargo xtask bench [--rounds N] [--no-build] [ROW | languages | serial | growth | micro]…

Rows are named as in benches/RESULTS.md (P1, P2, …). `languages` is its table of what a module costs in
each, `serial` that of lists of cubes in one process and in a pool. A run of everything writes that page
anew. Two are apart from it: `growth`, how time and memory grow with jobs, workers and payload, in
benches/GROWTH.md, and `micro`, what single parts of a run cost, in benches/MICRO.md.

  --rounds N   measure each row at least so often (default: 5); `micro` has its own measure
  --no-build   measure target/release/wpool and target/guests/ as they are (`micro` builds its bench)
";

const ROUNDS: usize = 5;

/// The file into which a run of all rows writes its table.
const RESULTS: &str = "benches/RESULTS.md";

/// Measures the rows that the arguments name, or all rows if they name none.
pub fn run(arguments: &[&str]) -> Result {
    let Some(options) = Options::parse(arguments)? else {
        print!("{HELP}");
        return Ok(());
    };
    if options.build {
        guests::build()?;
    }
    if options.compares() {
        compare(&options)?;
    }
    // The micro benches come last, because they build wpool with one more feature.
    if options.micro {
        micro::write()?;
    }
    Ok(())
}

/// Measures whole programs.
fn compare(options: &Options) -> Result {
    if options.build {
        command::run(&mut command::cargo(["build", "--release"]))?;
    }
    let peers = Peers::prepare(options.rounds)?;
    let machine = Machine::describe(Some(&peers))?;
    machine.warn_if_busy();
    if options.growth {
        growth::write(&peers, &machine)?;
    }
    let mut lines = Vec::new();
    for row in &options.rows {
        for line in (row.measure)(&peers).map_err(|error| format!("{}: {error}", row.name))? {
            eprintln!("{}", line.told());
            lines.push(line);
        }
    }
    if !lines.is_empty() {
        println!("{}", page::table(&lines));
    }
    let languages = if options.languages { languages::costs(&peers)? } else { String::new() };
    println!("{languages}");
    let serial = if options.serial { serial::cubes(&peers)? } else { String::new() };
    println!("{serial}");
    if options.languages && options.serial && options.rows.len() == ROWS.len() {
        fs::write(root().join(RESULTS), page::page(&lines, &languages, &serial, &machine)?)?;
        println!("{RESULTS} is written");
    }
    Ok(())
}

#[derive(Debug)]
struct Options {
    rounds: usize,
    build: bool,
    rows: Vec<&'static Row>,
    languages: bool,
    serial: bool,
    growth: bool,
    micro: bool,
}

impl Options {
    /// Parses the arguments; returns `None` if they ask for help.
    fn parse(arguments: &[&str]) -> Result<Option<Self>> {
        let mut options = Options {
            rounds: ROUNDS,
            build: true,
            rows: Vec::new(),
            languages: false,
            serial: false,
            growth: false,
            micro: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match *argument {
                "-h" | "--help" => return Ok(None),
                "--no-build" => options.build = false,
                "--rounds" => options.rounds = number(arguments.next())?,
                "languages" => options.languages = true,
                "serial" => options.serial = true,
                "growth" => options.growth = true,
                "micro" => options.micro = true,
                name => options.rows.push(row(name)?),
            }
        }
        if !options.compares() && !options.micro {
            options.rows = ROWS.iter().collect();
            options.languages = true;
            options.serial = true;
        }
        Ok(Some(options))
    }

    /// Returns whether whole programs are to be measured.
    fn compares(&self) -> bool {
        !self.rows.is_empty() || self.languages || self.serial || self.growth
    }
}

fn number(word: Option<&&str>) -> Result<usize> {
    match word.map(|word| word.parse()) {
        Some(Ok(rounds)) if rounds > 0 => Ok(rounds),
        _ => Err("--rounds takes a number, 1 or more".into()),
    }
}

fn row(name: &str) -> Result<&'static Row> {
    ROWS.iter().find(|row| row.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        format!("no row or option `{name}`; rows are {}", names.join(", ")).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &Options) -> Vec<&str> {
        options.rows.iter().map(|row| row.name).collect()
    }

    #[test]
    fn rows_are_those_named_or_all() {
        let some = Options::parse(&["p7", "--rounds", "3", "P3b", "--no-build"]).expect("is right");
        let some = some.expect("no help");
        assert_eq!((names(&some), some.rounds, some.build), (vec!["P7", "P3b"], 3, false));
        let all = Options::parse(&[]).expect("is right").expect("no help");
        assert_eq!((all.rows.len(), all.rounds, all.build), (ROWS.len(), ROUNDS, true));
        assert!(all.languages);
        let table = Options::parse(&["languages"]).expect("is right").expect("no help");
        assert_eq!((table.rows.len(), table.languages), (0, true));
        let growth = Options::parse(&["growth"]).expect("is right").expect("no help");
        assert_eq!((growth.rows.len(), growth.languages, growth.growth), (0, false, true));
        let micro = Options::parse(&["micro"]).expect("is right").expect("no help");
        assert_eq!((micro.compares(), micro.micro), (false, true));
        assert!(Options::parse(&["P1", "--help"]).expect("is right").is_none());
    }

    #[test]
    fn what_is_not_known_is_named() {
        for wrong in [&["P0"][..], &["--rounds"], &["--rounds", "0"], &["--round"]] {
            let error = Options::parse(wrong).unwrap_err().to_string();
            assert!(error.contains(wrong[0]), "{error}");
        }
    }

    #[test]
    fn a_line_of_each_row_fits_the_page() {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(
            names,
            ["P1", "P2", "P3", "P3b", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11", "P12"]
        );
    }
}
