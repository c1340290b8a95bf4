//! `wpool doctor`: shows what this machine has for wpool, above all for the jail.

use super::exit::Exit;
use super::input::pacing::available;
use super::report::Report;
use super::{escape, summary, units};
use clap::Args;
use serde::Serialize;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use wpool::module::cache::Cache;
use wpool::pool::{cpus, jail};
use wpool::wire::jail::{Jail, Layers};
use wpool::wire::settings::Settings;

/// Shows what this machine has for wpool: the jail's layers, processors, memory, the cache.
#[derive(Args, Debug)]
pub(crate) struct DoctorFlags {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// All that is shown.
#[derive(Serialize)]
struct Findings {
    version: &'static str,
    kernel: String,
    architecture: &'static str,
    jail: JailFindings,
    cgroup: Option<Cgroup>,
    cpus: usize,
    memory_available: Option<u64>,
    cache: Option<CacheFindings>,
}

#[derive(Serialize)]
struct JailFindings {
    /// Whether system calls can be filtered.
    seccomp: bool,
    /// The version of Landlock; 0 if there is none.
    landlock: u32,
    /// The missing part of the jail, or of the system if no guest would run without it.
    missing: Option<String>,
    /// Whether guests would run.
    runs: bool,
    processes: Vec<Process>,
}

#[derive(Serialize)]
struct Process {
    name: &'static str,
    layers: Vec<&'static str>,
    /// The system calls that it may make; none if all.
    calls: Option<usize>,
}

#[derive(Serialize)]
struct Cgroup {
    path: PathBuf,
    memory_max: Option<u64>,
    pids_max: Option<u64>,
}

#[derive(Serialize)]
struct CacheFindings {
    folder: PathBuf,
    key_folder: Option<PathBuf>,
    modules: usize,
    bytes: u64,
}

/// Runs the subcommand.
///
/// Ends with the code of a run that cannot be set up, if guests would not run.
///
/// # Errors
/// Fails if standard output cannot be written.
pub(crate) fn run(flags: &DoctorFlags) -> Result<Exit, Report> {
    let findings = Findings::of_this_machine();
    let text = match flags.json {
        true => serde_json::to_string_pretty(&findings)
            .map_err(|error| Report::new(Exit::Internal, error.to_string()))?,
        false => findings.text(),
    };
    match summary::print(&(text.trim_end().to_owned() + "\n"))? {
        Exit::Success if !findings.jail.runs => Ok(Exit::Setup),
        exit => Ok(exit),
    }
}

impl Findings {
    fn of_this_machine() -> Findings {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Findings {
            version: env!("CARGO_PKG_VERSION"),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            architecture: std::env::consts::ARCH,
            jail: JailFindings::of_this_kernel(),
            cgroup: Cgroup::of_this_process(&read("/proc/self/cgroup")),
            cpus: cpus::usable(),
            memory_available: available(&read("/proc/meminfo")),
            cache: CacheFindings::find(),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            writeln!(text, "{name:10} {}", escape::text(&value)).expect("a String can be written");
        };
        line("wpool", self.version.to_owned());
        line("kernel", format!("{} ({})", self.kernel, self.architecture));
        line("cpus", self.cpus.to_string());
        if let Some(bytes) = self.memory_available {
            line("memory", format!("{} available", units::size_text(bytes)));
        }
        let limit =
            |limit: Option<u64>, unit: fn(u64) -> String| limit.map_or("no limit".into(), unit);
        match &self.cgroup {
            Some(cgroup) => line(
                "cgroup",
                format!(
                    "{}: memory {}, processes {}",
                    cgroup.path.display(),
                    limit(cgroup.memory_max, units::size_text),
                    limit(cgroup.pids_max, |number| number.to_string()),
                ),
            ),
            None => line("cgroup", "none".into()),
        }
        match &self.cache {
            Some(cache) => line(
                "cache",
                format!(
                    "{}: {} in {}",
                    cache.folder.display(),
                    units::size_text(cache.bytes),
                    units::count(cache.modules as u64, "module"),
                ),
            ),
            None => line("cache", "none: there is no folder that is yours alone".into()),
        }
        let has = |has: bool| if has { "yes" } else { "no" }.to_owned();
        line("seccomp", has(self.jail.seccomp));
        line(
            "landlock",
            match self.jail.landlock {
                0 => "no".into(),
                version => format!("version {version}"),
            },
        );
        if let Some(missing) = &self.jail.missing {
            line("missing", missing.clone());
        }
        line("runs", has(self.jail.runs));
        for process in &self.jail.processes {
            let calls = process.calls.map_or("all".into(), |calls| calls.to_string());
            let layers = process.layers.join(", ");
            line("jail", format!("{}: {layers}; {calls} system calls", process.name));
        }
        text
    }
}

impl JailFindings {
    fn of_this_kernel() -> JailFindings {
        let features = jail::features();
        let found = jail::layers(Jail::default(), &Settings::default());
        let (layers, missing) = match found {
            Ok((layers, missing)) => (Some(layers), missing),
            Err(missing) => (None, Some(missing)),
        };
        let obstacle = jail::obstacle();
        let none = Layers { any: false, filters: false, landlock: 0 };
        let held = layers.unwrap_or(none);
        let processes = jail::KINDS.into_iter().map(|(name, needs)| Process {
            name,
            layers: names(held),
            calls: held.filters.then(|| needs.calls()),
        });
        JailFindings {
            seccomp: features.filters,
            landlock: features.landlock,
            missing: obstacle.map(str::to_owned).or(missing.map(|missing| missing.to_string())),
            runs: layers.is_some() && obstacle.is_none(),
            processes: processes.collect(),
        }
    }
}

/// Returns the names of layers.
fn names(layers: Layers) -> Vec<&'static str> {
    let all = [(true, "limits"), (layers.landlock > 0, "landlock"), (layers.filters, "seccomp")];
    all.into_iter().filter(|(held, _)| *held).map(|(_, name)| name).collect()
}

impl Cgroup {
    /// Returns the group of a process, of which the system says this.
    fn of_this_process(groups: &str) -> Option<Cgroup> {
        let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let path = Path::new("/sys/fs/cgroup").join(path);
        let limit = |file: &str| fs::read_to_string(path.join(file)).ok()?.trim().parse().ok();
        let (memory_max, pids_max) = (limit("memory.max"), limit("pids.max"));
        path.exists().then_some(Cgroup { path, memory_max, pids_max })
    }
}

impl CacheFindings {
    fn find() -> Option<CacheFindings> {
        let folder = Cache::folder()?;
        let (mut modules, mut bytes) = (0, 0);
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let is_code = entry.path().extension().is_some_and(|extension| extension == "cwasm");
            modules += usize::from(is_code);
            bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        }
        Some(CacheFindings { folder, key_folder: Cache::key_folder(), modules, bytes })
    }
}
