//! The words of GNU parallel, xargs, hyperfine and Python for which wpool has another word, or
//! none.
//!
//! A word with the same meaning is an alias of its flag (see [`super::flags`]). The words here have
//! another meaning: a near miss in spelling would send their users to a flag that they do not mean.

use super::flags::{BENCH, MAP, RUN};
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The most edits between a word and the flag that is proposed for it, for each five of the word's
/// characters.
const EDITS_OF_FIVE: usize = 2;

/// The words of the same meaning, the subcommands for which the advice holds (all, if none), and
/// the advice.
type Synonym = (&'static str, &'static [&'static str], &'static str);

const SYNONYMS: &[Synonym] = &[
    // The number of jobs at once, and of arguments in a job.
    (
        "--jobs --workers -j --max-procs -P --processes --max-workers",
        &[RUN],
        "all calls run at once; `wpool map -j N` runs jobs in N workers",
    ),
    ("--xargs -X -m --max-chars -s --exit -x", &[MAP], "-N 100 gives each job up to 100 arguments"),
    ("--max-lines -L -l", &[MAP, BENCH], "-N 3 gives each job three lines; a line is one argument"),
    ("--replace -i", &[MAP], "-I {} names what is replaced; {} is anyway"),
    (
        "--link --xapply",
        &[MAP, BENCH],
        "`:::+` links its words to those before it: ::: a b :::+ 1 2",
    ),
    ("--process-slot-var", &[MAP, BENCH], "{%} in the arguments after `--` is the worker's slot"),
    (
        "--rpl --plus --parens -U --extensionreplace --er --basenamereplace --bnr \
         --basenameextensionreplace --bner --dirnamereplace --dnr --seqreplace \
         --slotreplace --template --tmpl",
        &[MAP, BENCH],
        "replaced are {} {.} {/} {//} {/.} {#} {%} {1} {NAME}; -I gives {} another name",
    ),
    (
        "--eof -E -e --trim --skip-first-line --filter --arg-sep --arg-file-sep",
        &[MAP, BENCH],
        "prepare the lines before wpool reads them, with sed or tail: … | wpool map MODULE",
    ),
    (
        "--iterable --map --starmap --imap",
        &[MAP],
        "jobs are JSON, a line each: the task's value, or an array of values for several parameters",
    ),
    (
        "--imap-unordered --imap_unordered --as-completed --ungroup -u",
        &[MAP],
        "--unordered prints results as they come",
    ),
    ("--initializer --initargs", &[], "--init TASK calls a task before the first job"),
    (
        "--mp-context --start-method --context",
        &[],
        "workers are forked from a process that has the module loaded; see --init and --isolation",
    ),
    // Input.
    (
        "--recstart --recend --remove-rec-sep --removerecsep --rrs --regexp",
        &[MAP, BENCH],
        "--pipe cuts at line ends, and with -0 or -d at another byte",
    ),
    (
        "--round-robin --round --shard --bin --group-by --tee --block-timeout --bt",
        &[MAP, BENCH],
        "--pipe gives each block to one job; --block SIZE or -N LINES says how large it is",
    ),
    (
        "--cat --fifo",
        &[MAP, BENCH],
        "a block is the job's standard input; --files gives jobs the bytes of files",
    ),
    ("--input --stdin-file", &[MAP, BENCH], "-a FILE reads jobs from a file"),
    // Output.
    (
        "--line-buffer --linebuffer --lb --line-buffered",
        &[MAP],
        "what guests print is shown line by line at once; --unordered does not wait for earlier results",
    ),
    (
        "--latest-line --latestline --ll --interactive -p --tmux --tmuxpane --tty",
        &[MAP, RUN],
        "--bar shows progress, -v each worker and failure",
    ),
    ("--ctag", &[MAP], "--tag prints the job before each line of its result"),
    ("--ctagstring", &[MAP], "--tagstring TEXT stands before each line of a result"),
    ("--color-failed --cf", &[], "--color WHEN; failed jobs are told on standard error"),
    ("--silent", &[], "jobs are not printed anyway; -q leaves out all but errors"),
    ("-t", &[MAP], "--dry-run prints each job, and --joblog FILE logs what was run"),
    (
        "--output-as-files --outputasfiles --compress --compress-program \
         --decompress-program --tmpdir --tempdir",
        &[MAP],
        "-o FILE takes all results, --results DIR each job's in files of its own",
    ),
    ("--total-jobs --total", &[MAP], "the number of jobs is known for `:::`, --range and --shuf"),
    // Progress, failures and the end of a run.
    (
        "--keep-going --no-fail-fast --continue",
        &[],
        "that is so unless --fail-fast or --halt is given",
    ),
    ("--exitfirst --fail", &[MAP, RUN], "--fail-fast ends the run at the first failed job"),
    (
        "--term-seq --termseq --kill-after",
        &[],
        "--grace DURATION is the time between SIGTERM and SIGKILL",
    ),
    ("--memsuspend --noswap --limit", &[MAP], "--memfree SIZE and --load N hold jobs back"),
    (
        "--use-cpus-instead-of-cores --use-cores-instead-of-threads --number-of-cpus \
         --use-sockets-instead-of-threads --number-of-cores --number-of-sockets \
         --number-of-threads",
        &[],
        "`nproc` tells how many CPUs are usable; -j 50% takes half of them",
    ),
    // The machines and environments of jobs.
    (
        "--sshlogin -S --sshloginfile --slf --sshdelay --ssh-delay --ssh --onall --nonall \
         --transfer --transferfile --tf --return --cleanup --basefile --bf --trc \
         --controlmaster -M --filter-hosts --hostgroups --hgrp --rsync-opts",
        &[MAP, RUN],
        "wpool runs on this machine only",
    ),
    ("--workdir --wd --cwd", &[], "--dir HOST::GUEST lets guests use a folder"),
    (
        "--quote --shell-quote --shellquote --unquote",
        &[],
        "leave it out: no shell reads the arguments, so they need no quotes",
    ),
    (
        "--will-cite --citation --no-notice --bibtex --gnu --tollef --plain --minversion \
         --open-tty",
        &[],
        "leave it out: it changes nothing here",
    ),
    (
        "--profile -J --record-env --session",
        &[],
        "each flag --name can be given as a variable WPOOL_NAME",
    ),
    (
        "--sem --bg --fg --wait --semaphore-name --id --semaphore-timeout --st",
        &[],
        "--semaphore NAME=PERMITS makes a semaphore for guests; flock(1) locks shell commands",
    ),
    (
        "--sql --sql-master --sqlmaster --sql-worker --sqlworker --sql-and-worker \
         --sqlandworker",
        &[],
        "--jsonl prints a row for each job, which any database can load",
    ),
    ("--shebang --hashbang --shebang-wrap --embed", &[], "there is no such thing here"),
    ("--shell-completion --shellcompletion", &[], "`wpool completions SHELL` prints completions"),
    ("--show-limits", &[], "`wpool map --help` tells every limit and its default"),
    // Benchmarks.
    (
        "--runs --min-runs --max-runs --warmup --export-json --export-csv --export-markdown \
         --export-asciidoc --export-orgmode --time-unit",
        &[MAP, RUN],
        "that is for `wpool bench`, which measures",
    ),
    ("--repeat --number --iterations --loops", &[BENCH], "--runs N measures N rounds"),
    (
        "--prepare --setup --conclude -p -s --cleanup",
        &[BENCH],
        "--init TASK calls a task before the first job",
    ),
    (
        "--parameter-list --parameter-scan --parameter-step-size",
        &[BENCH],
        "-j 1,2,4 measures several numbers of workers; other values are runs of their own",
    ),
    ("--shell", &[BENCH], "leave it out: no shell is started"),
    (
        "--command-name --reference",
        &[BENCH],
        "--modes LIST; the first is what others are compared with",
    ),
    (
        "--show-output --output --style --sort",
        &[BENCH],
        "--export-json FILE has all that is measured",
    ),
    // The flags of wasmtime.
    ("--invoke", &[], "--task NAME calls a task; `wpool run MODULE 'TASK(ARGUMENT, …)'`"),
    ("--mapdir --preopen", &[], "--dir HOST::GUEST lets guests use a folder"),
];

/// The flags that take another kind of value here than in the other tools, and what to write.
const VALUES: &[(&str, &str)] = &[
    ("--progress", "--bar shows a bar; --progress takes auto, bar, plain or none"),
    ("--color", "--color takes auto, always or never"),
    ("--max-args", "-N takes a number: so many lines, or words after `:::`, are one job"),
    ("--header", "`:` is the only value: the first line names the columns"),
    ("--semaphore", "write NAME=PERMITS: a semaphore for guests; flock(1) locks shell commands"),
];

/// Returns advice on an error of clap that is about a word of other tools. `subcommand` is the
/// subcommand that was given the word.
pub(super) fn help(error: &clap::Error, subcommand: &str) -> Option<&'static str> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let word = word.split('=').next().unwrap_or(word);
            let found = SYNONYMS.iter().find(|(words, subcommands, _)| {
                words.split_whitespace().any(|known| known == word)
                    && (subcommands.is_empty() || subcommands.contains(&subcommand))
            });
            found.map(|(.., help)| *help)
        }
        // The parser of semaphores knows better what is wrong with a value.
        ErrorKind::ValueValidation if word.starts_with("--semaphore") => None,
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let flag = word.split(' ').next().unwrap_or(word);
            VALUES.iter().find(|(name, _)| *name == flag).map(|(_, help)| *help)
        }
        _ => None,
    }
}

/// Returns the flag that clap proposes for an unknown one, if the two are near enough for a slip of
/// the hand.
pub(super) fn near(error: &clap::Error) -> Option<&str> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let (word, proposed) = (text(ContextKind::InvalidArg)?, text(ContextKind::SuggestedArg)?);
    let (written, meant) = (word.trim_start_matches('-'), proposed.trim_start_matches('-'));
    let edits = strsim::osa_distance(written, meant);
    (edits * 5 <= written.chars().count() * EDITS_OF_FIVE).then_some(proposed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::Report;
    use std::collections::HashSet;

    #[test]
    fn no_word_has_two_answers_and_none_is_a_flag_already() {
        let command = crate::cli::command();
        let mut seen = HashSet::new();
        let all = [MAP, RUN, BENCH];
        for (words, subcommands, _) in SYNONYMS {
            let subcommands = if subcommands.is_empty() { &all[..] } else { subcommands };
            for (word, name) in
                words.split_whitespace().flat_map(|word| subcommands.iter().map(move |s| (word, s)))
            {
                assert!(seen.insert((word, name)), "{word} has two answers in {name}");
                let known = command.find_subcommand(name).expect("a subcommand");
                let taken = known.get_arguments().any(|arg| {
                    let long = arg.get_long_and_visible_aliases().unwrap_or_default();
                    let hidden = arg.get_all_aliases().unwrap_or_default();
                    let short = arg.get_short_and_visible_aliases().unwrap_or_default();
                    long.iter().chain(&hidden).any(|long| format!("--{long}") == *word)
                        || short.iter().any(|short| format!("-{short}") == *word)
                });
                assert!(!taken, "{word} is a flag of {name}");
            }
        }
    }

    /// The flags of GNU parallel's manual that people use, with a value if they take one. A flag
    /// that is not accepted has a part of the advice beside it.
    const PARALLEL: &[(&str, Option<&str>)] = &[
        ("-0", None),
        ("--null", None),
        ("-a FILE", None),
        ("--arg-file FILE", None),
        ("--bar", None),
        ("--pipe --block 10M", None),
        ("--pipe --block-size 10M", None),
        ("--spreadstdin", None),
        ("--pipe-part -a FILE", None),
        ("-C ,", None),
        ("--colsep \\t", None),
        ("--csv", None),
        ("--delay 0.5", None),
        ("-d ,", None),
        ("--delimiter ,", None),
        ("--dry-run", None),
        ("--eta", None),
        ("--group", None),
        ("--halt now,fail=1", None),
        ("--halt 2", None),
        ("--halt-on-error 1", None),
        ("--header :", None),
        ("-I ,,", None),
        ("--joblog FILE", None),
        ("-j 4", None),
        ("-j +1", None),
        ("-j -1", None),
        ("-j 50%", None),
        ("-j 0", None),
        ("--jobs 4", None),
        ("--max-procs 4", None),
        ("-P 4", None),
        ("-k", None),
        ("--keep-order", None),
        ("--load 100%", None),
        ("--memfree 1G", None),
        ("-n 2", None),
        ("-N 2", None),
        ("--max-args 2", None),
        ("--max-replace-args 2", None),
        ("--nice 10", None),
        ("--no-run-if-empty", None),
        ("--progress", Some("--bar")),
        ("--results DIR", None),
        ("--joblog FILE --resume", None),
        ("--joblog FILE --resume-failed", None),
        ("--joblog FILE --retry-failed", None),
        ("--retries 3", None),
        ("--shuf", None),
        ("--tag", None),
        ("--tagstring {}", None),
        ("--timeout 5", None),
        ("--timeout 200%", None),
        ("-v", None),
        ("--verbose", None),
        ("-u", Some("--unordered")),
        ("--ungroup", Some("--unordered")),
        ("--line-buffer", Some("--unordered")),
        ("--lb", Some("--unordered")),
        ("--link", Some(":::+")),
        ("--xapply", Some(":::+")),
        ("-L 2", Some("-N")),
        ("--max-lines 2", Some("-N")),
        ("-m", Some("-N")),
        ("-X", Some("-N")),
        ("--xargs", Some("-N")),
        ("-s 1000", Some("-N")),
        ("-i", Some("-I")),
        ("--replace", Some("-I")),
        ("--plus", Some("{/.}")),
        ("--rpl x", Some("{/.}")),
        ("--trim lr", Some("sed")),
        ("--recend x", Some("--pipe")),
        ("--recstart x", Some("--pipe")),
        ("--round-robin", Some("--block")),
        ("--tee", Some("--block")),
        ("--cat", Some("--files")),
        ("--fifo", Some("--files")),
        ("--quote", Some("no shell")),
        ("-t", Some("--dry-run")),
        ("-p", Some("--bar")),
        ("--termseq TERM", Some("--grace")),
        ("--tmpdir DIR", Some("--results")),
        ("--compress", Some("--results")),
        ("--sshlogin host", Some("this machine")),
        ("-S host", Some("this machine")),
        ("--onall", Some("this machine")),
        ("--trc x", Some("this machine")),
        ("--workdir DIR", Some("--dir")),
        ("--will-cite", Some("leave it out")),
        ("--sqlmaster URL", Some("--jsonl")),
        ("--semaphore", Some("flock")),
        ("--header 1", Some("`:` is the only value")),
        ("--results out.csv", Some("--jsonl")),
        ("--results out/{}", Some("named by the words")),
    ];

    /// The flags of xargs, Python and others, in the same form.
    const OTHERS: &[(&str, Option<&str>)] = &[
        ("--chunksize 10", None),
        ("--processes 4", None),
        ("--max-workers 4", None),
        ("--maxtasksperchild 100", None),
        ("--process-slot-var X", Some("{%}")),
        ("-E end", Some("tail")),
        ("--eof end", Some("tail")),
        ("--show-limits", Some("--help")),
        ("--open-tty", Some("leave it out")),
        ("--interactive", Some("--bar")),
        ("--initializer f", Some("--init")),
        ("--keep-going", Some("--fail-fast")),
        ("--runs 10", Some("wpool bench")),
        ("--warmup 3", Some("wpool bench")),
        ("--export-json FILE", Some("wpool bench")),
        ("--invoke f", Some("--task")),
        ("--mapdir x::y", Some("--dir")),
        // A flag that is merely similar in letters is not proposed; one that a slip explains is.
        ("--etta", Some("--eta")),
        ("--tiemout 3", Some("--timeout")),
        ("--purple", Some("`--help` lists")),
    ];

    #[test]
    fn words_of_other_tools_are_accepted_or_answered_with_the_word_that_is_meant() {
        for (flags, answer) in PARALLEL.iter().chain(OTHERS).copied() {
            let words = ["wpool", MAP, "m.wasm"].into_iter().chain(flags.split(' '));
            let parsed = crate::cli::command().try_get_matches_from(words);
            match (parsed, answer) {
                (Ok(_), None) => {}
                (Err(error), Some(answer)) => {
                    let help = Report::of_clap(&error, MAP).help.unwrap_or_default();
                    assert!(help.contains(answer), "{flags}: {help}");
                }
                (Ok(_), Some(_)) => panic!("{flags} is accepted"),
                (Err(error), None) => panic!("{flags} is not accepted: {error}"),
            }
        }
    }

    #[test]
    fn words_of_hyperfine_are_known_to_bench() {
        for (flags, answer) in [
            ("--runs 3 --warmup 1 --min-runs 2 --max-runs 9 --export-json FILE -i -u second", None),
            ("--jobs 1,2", None),
            ("--prepare x", Some("--init")),
            ("--parameter-list x y", Some("-j 1,2,4")),
            ("--shell none", Some("no shell")),
            ("--command-name x", Some("--modes")),
            ("--repeat 3", Some("--runs")),
        ] {
            let words = ["wpool", BENCH, "m.wasm"].into_iter().chain(flags.split(' '));
            let help = match crate::cli::command().try_get_matches_from(words) {
                Ok(_) => None,
                Err(error) => Report::of_clap(&error, BENCH).help,
            };
            let fits = help.as_deref().unwrap_or_default().contains(answer.unwrap_or_default());
            assert!(help.is_some() == answer.is_some() && fits, "{flags}: {help:?}");
        }
    }

    #[test]
    fn answers_are_fragments_that_fit_a_line() {
        for (words, _, help) in SYNONYMS {
            assert!(help.chars().count() <= 100, "{words:?}");
            assert!(!help.ends_with('.'), "{words:?}");
        }
    }
}
