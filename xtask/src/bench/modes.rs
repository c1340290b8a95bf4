//! Runs `wpool bench`, which measures its modes side by side, and reads the medians from its table.

use std::fs;
use std::process::Stdio;

use super::peers::Peers;
use crate::command::run;
use crate::{Result, root};

/// The medians of one run of `wpool bench`.
pub struct Medians(String);

impl Medians {
    /// Measures `rounds` rounds. The options include the modes, and end with a range or with `:::`
    /// and the jobs.
    pub fn measure(peers: &Peers, rounds: usize, module: &str, options: &[&str]) -> Result<Self> {
        let table = root().join("target/bench/modes.csv");
        let (rounds, csv) = (rounds.to_string(), table.display().to_string());
        let common = ["--runs", &rounds, "--export-csv", &csv];
        let mut bench = peers.wpool_bench(module, &[&common, options].concat());
        run(bench.stdout(Stdio::null()))?;
        Ok(Medians(fs::read_to_string(&table)?))
    }

    /// Returns the seconds that all jobs took in a mode.
    pub fn seconds(&self, mode: &str) -> Result<f64> {
        let row = self.0.lines().find(|line| line.contains(&format!(",{mode},")));
        // The command contains a comma, and is quoted. No field after the quotes has a comma.
        let fields = row.and_then(|row| row.rsplit_once('"'));
        let median = fields.and_then(|(_, fields)| fields.split(',').nth(3)?.parse().ok());
        median.ok_or_else(|| format!("`wpool bench` told nothing of the mode `{mode}`").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_found_by_its_mode() {
        let table = "command,mean,stddev,median,user,system,min,max,parameter_jobs,parameter_mode,parameter_workers\n\
                     \"wasm, 1 worker\",0.5,0.1,0.4,0,0,0.3,0.6,2,wasm,1\n\
                     \"wasm reuse, 2 workers\",0.2,0.1,0.25,0,0,0.1,0.3,2,wasm reuse,2\n";
        let medians = Medians(table.into());
        assert_eq!(medians.seconds("wasm").unwrap(), 0.4);
        assert_eq!(medians.seconds("wasm reuse").unwrap(), 0.25);
        assert!(medians.seconds("wasm fresh").unwrap_err().to_string().contains("wasm fresh"));
    }
}
