//! Multiprocessing for WebAssembly (crate docs to come).

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("wpool runs on Linux only, on x86-64 and aarch64");

mod imports;
pub mod module;
pub mod pool;
pub mod wire;
mod worker;
mod zygote;
