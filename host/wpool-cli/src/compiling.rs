//! Shows people that a module is being compiled, which may take a minute the first time.

use super::escape;
use super::report::{Label, Report};
use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wpool::pool::config::{CompileConfig, HostOnly, OnCompile};
use wpool::pool::session::{EarlyZygote, Session};

/// The size from which a module's compilation is announced; a smaller module takes a moment.
const LARGE_BYTES: usize = 1 << 20;

/// The time between two frames of the display.
const TICK: Duration = Duration::from_millis(100);

/// Opens a session for a module's bytes. Announces compilation if the module has to be compiled,
/// unless `quiet`.
///
/// # Errors
/// Fails as [`Session::open`] does.
pub(crate) fn open(
    early: Option<EarlyZygote>,
    path: &Path,
    module: &[u8],
    config: CompileConfig,
    quiet: bool,
) -> Result<Session, Report> {
    let shown = Arc::new(Mutex::new(None));
    let on_compile = match quiet || module.len() < LARGE_BYTES {
        true => OnCompile::default(),
        false => {
            let (shown, name) = (Arc::clone(&shown), escape::text(&path.display().to_string()));
            OnCompile::new(move || {
                *shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(show(&name));
            })
        }
    };
    let host = HostOnly { on_compile, ..config.host };
    let opened = Session::open_in(early, module, CompileConfig { host, ..config });
    if let Some(Some(spinner)) = shown.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let spinner: ProgressBar = spinner;
        spinner.finish_and_clear();
    }
    opened.map_err(|error| Report::of_module(path, error))
}

/// Announces the compilation of a module: with one line, or on a terminal with the elapsed time
/// until it is done.
fn show(name: &str) -> Option<ProgressBar> {
    let stderr = io::stderr();
    let color = AutoStream::choice(&stderr) != ColorChoice::Never;
    let label = Label::Wpool.paint(color).to_string();
    if !stderr.is_terminal() {
        // Nobody is left to tell if standard error cannot be written.
        let _ = writeln!(stderr.lock(), "{label} compiling {name}, once");
        return None;
    }
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{prefix} {spinner} {msg} {elapsed}");
    spinner.set_style(style.expect("the template is valid"));
    spinner.set_prefix(label);
    spinner.set_message(format!("compiling {name}, once"));
    spinner.tick();
    spinner.enable_steady_tick(TICK);
    Some(spinner)
}
