//! Names that a task cannot have.
//!
//! A scalar task is exported under its own name, and in WebAssembly an exported name is a linker
//! symbol: a task called `sin` would replace the C library's `sin`, which Rust's own `f64::sin`
//! calls. A byte task has the symbol `task_NAME`, so it may have any name.

/// Returns the reason why a task cannot be called `name`, if there is one.
pub(crate) fn reason(name: &str, scalar: bool) -> Option<String> {
    if name.starts_with('_') {
        return Some("a leading underscore marks what is not a task: rename the function".into());
    }
    if name.starts_with("task_") || name.starts_with("cabi_") {
        let message = "the prefixes `task_` and `cabi_` have a meaning in a module: rename";
        return Some(message.into());
    }
    if scalar && name == "memory" {
        return Some("every module exports its memory as `memory`: rename the function".into());
    }
    if scalar && C_LIBRARY.contains(&name) {
        return Some(format!(
            "`{name}` is a function of the C library that this would replace: rename the function"
        ));
    }
    None
}

/// The functions of the C library that Rust's standard library, or another part of the C library,
/// calls by name, as far as a task may have their names.
#[rustfmt::skip]
const C_LIBRARY: &[&str] = &[
    // Memory and strings.
    "abort", "aligned_alloc", "bcmp", "calloc", "free", "malloc", "memchr", "memcmp", "memcpy",
    "memmove", "memrchr", "memset", "posix_memalign", "realloc", "sbrk", "strchr", "strcmp",
    "strcpy", "strdup", "strerror_r", "strlen", "strncmp", "strnlen", "strtod", "strtol",
    // Mathematics.
    "acos", "acosf", "acosh", "asin", "asinf", "asinh", "atan", "atan2", "atan2f", "atanf",
    "atanh", "cbrt", "cbrtf", "ceil", "copysign", "cos", "cosf", "cosh", "coshf", "erf", "erfc",
    "exp", "exp2", "exp2f", "expf", "expm1", "expm1f", "fabs", "fdim", "fdimf", "floor", "fma",
    "fmaf", "fmax", "fmin", "fmod", "fmodf", "frexp", "hypot", "hypotf", "ldexp", "lgamma",
    "lgamma_r", "log", "log10", "log10f", "log1p", "log1pf", "log2", "log2f", "logf", "modf",
    "nearbyint", "pow", "powf", "rint", "round", "roundeven", "roundf", "scalbn", "sin", "sinf",
    "sinh", "sinhf", "sqrt", "tan", "tanf", "tanh", "tanhf", "tgamma", "trunc",
    // Files and processes.
    "atexit", "chdir", "clock_gettime", "close", "closedir", "environ", "exit", "fcntl", "fflush",
    "fprintf", "fstat", "fsync", "ftruncate", "fwrite", "getcwd", "getenv", "getopt", "isatty",
    "lseek", "lstat", "main", "mkdir", "nanosleep", "open", "openat", "opendir", "poll", "pread",
    "printf", "pwrite", "qsort", "read", "readdir", "readlink", "readv", "rename", "rmdir",
    "sched_yield", "setenv", "stat", "symlink", "sysconf", "unlink", "unsetenv", "write", "writev",
];
