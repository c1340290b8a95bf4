//! The circumstances of a measurement: the machine, its load, and the versions of the programs.

use std::fs;
use std::thread;

use super::peers::Peers;
use crate::command::{command, text};
use crate::{Result, root};

/// The load above which a machine is considered to be busy with something else.
const LOAD_MAX: f64 = 0.5;

/// The facts about the machine that a page of results states.
#[derive(Debug)]
pub struct Machine {
    facts: Vec<(&'static str, String)>,
    load: f64,
}

impl Machine {
    /// Asks the system, and the programs that are compared. The load is the current one, before
    /// anything is measured.
    pub fn describe(peers: Option<&Peers>) -> Result<Self> {
        let cores = thread::available_parallelism()?;
        let mut facts = vec![
            ("CPU", format!("{}, {cores} usable cores", cpu()?)),
            ("kernel", text(&mut command("uname", ["-srm"]))?),
        ];
        match peers {
            None => facts.push(("wpool", env!("CARGO_PKG_VERSION").to_owned() + &commit())),
            Some(peers) => facts.extend([
                ("wpool", peers.wpool_version()? + &commit()),
                ("python3", peers.python_version()?),
            ]),
        }
        facts.extend([
            ("rustc", text(&mut command("rustc", ["--version"]))?),
            ("date", text(&mut command("date", ["-u", "+%F %H:%M UTC"]))?),
        ]);
        Ok(Self { facts, load: load()? })
    }

    /// Prints a warning if others use the machine.
    pub fn warn_if_busy(&self) {
        if self.load > LOAD_MAX {
            eprintln!("{}", self.busy());
        }
    }

    /// Returns the facts as text, with the load at the start and the current one.
    pub fn told(&self) -> Result<String> {
        let mut told = String::from("| machine | |\n|---|---|\n");
        for (name, fact) in &self.facts {
            told.push_str(&format!("| {name} | {fact} |\n"));
        }
        told.push_str(&format!(
            "| load average | {} at the start, {} at the end |\n",
            self.load,
            load()?
        ));
        if self.load > LOAD_MAX {
            told.push_str(&format!("\n**{}**\n", self.busy()));
        }
        Ok(told)
    }

    fn busy(&self) -> String {
        format!(
            "The machine was not idle (load average {} at the start): times are too long, and \
             ratios less certain.",
            self.load
        )
    }
}

fn cpu() -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    match model {
        Some((_, name)) => Ok(name.to_owned()),
        // Only x86 names the processor there.
        None => text(&mut command("uname", ["-m"])),
    }
}

/// Returns the load average of the last minute.
fn load() -> Result<f64> {
    let averages = fs::read_to_string("/proc/loadavg")?;
    Ok(averages.split(' ').next().unwrap_or_default().parse()?)
}

/// Returns the commit that is checked out, if git knows it.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = command("git", arguments).current_dir(root()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else {
        return String::new();
    };
    let changed = git(&["status", "--porcelain", "host"]).is_some_and(|files| !files.is_empty());
    format!(", commit {commit}{}", if changed { " with changes" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_told() {
        assert!(!cpu().expect("/proc is mounted").is_empty());
        assert!(load().expect("/proc is mounted") >= 0.0);
    }

    #[test]
    fn a_busy_machine_is_said_to_be_so() {
        let machine = |load| Machine { facts: vec![("CPU", "one".into())], load };
        let told = |load| machine(load).told().expect("/proc is mounted");
        assert!(told(0.51).contains("**The machine was not idle"));
        assert!(!told(0.5).contains("not idle"));
        assert!(told(0.0).contains("| CPU | one |"));
    }
}
