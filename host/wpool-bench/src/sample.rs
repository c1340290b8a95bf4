//! Sample findings for unit tests.

use super::findings::{Findings, Group, Measured, Span, Timeline};
use std::time::Duration;

/// Makes a result with rounds of these times in milliseconds.
pub(crate) fn result(mode: &str, group: Group, workers: usize, times: &[u64]) -> Measured {
    let times: Vec<Duration> = times.iter().map(|time| Duration::from_millis(*time)).collect();
    Measured {
        mode: mode.into(),
        group,
        workers,
        jobs: 1000,
        user: times.clone(),
        system: vec![Duration::from_millis(1); times.len()],
        times,
    }
}

/// Makes findings of three modes, two of them with one worker and with two.
pub(crate) fn findings() -> Findings {
    Findings {
        title: "square.wasm, task square, 1000 jobs".into(),
        machine: vec![("CPU".into(), "one | two <cores>".into())],
        results: vec![
            result("wasm reuse", Group::Wasm, 1, &[14, 15, 16]),
            result("wasm reuse", Group::Wasm, 2, &[7, 8]),
            result("native threads", Group::Native, 1, &[10, 9, 12]),
            result("native threads", Group::Native, 2, &[5]),
            result("python", Group::Peer, 2, &[250, 260, 240]),
        ],
        timelines: vec![timeline(2, 10)],
    }
}

/// Makes a timeline of workers that run `jobs` jobs in turns.
pub(crate) fn timeline(workers: usize, jobs: u64) -> Timeline {
    let span = |job: u64| {
        let turn = (job / workers as u64) as u32;
        let start = Duration::from_micros(900) * turn;
        let worker = job as usize % workers;
        Span { worker, job, start, end: start + Duration::from_micros(800) }
    };
    Timeline { mode: "wasm reuse".into(), spans: (0..jobs).map(span).collect() }
}
