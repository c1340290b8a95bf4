//! The native stack of processes that run guests, which holds the guests' own stacks.

use super::outcome::size;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The bytes of stack for the host's functions that a guest calls, below the guest's own stack.
pub(super) const HOST_BYTES: u64 = 512 << 10;

/// The bytes of a guest's stack unless the user sets them; if the system allows less, that has to
/// do.
const UNASKED_BYTES: u64 = 1 << 20;

/// The smallest stack in which anything runs, in bytes.
const LEAST_BYTES: u64 = 64 << 10;

/// The largest stack of a guest, in bytes. Linux keeps 128 MiB of addresses free for the stack of a
/// process's first thread, whatever its limit is.
pub(crate) const MOST_BYTES: u64 = 64 << 20;

/// Lets this process and its children have a stack that holds a guest's of `bytes` bytes. Returns
/// how many bytes it holds.
///
/// # Errors
/// Returns the reason why that is impossible, in words for the user.
pub(crate) fn make_room(bytes: u64) -> Result<u64, String> {
    let bytes = bytes.clamp(LEAST_BYTES, MOST_BYTES);
    let refused = |error| format!("cannot see to a stack of {}: {error}", size(bytes));
    let (soft, hard) = getrlimit(Resource::RLIMIT_STACK).map_err(refused)?;
    let allowed = hard.saturating_sub(HOST_BYTES);
    let granted = match allowed {
        _ if allowed >= bytes => bytes,
        LEAST_BYTES.. if bytes <= UNASKED_BYTES => allowed,
        _ => {
            let (hard, bytes) = (size(hard), size(bytes));
            return Err(format!(
                "a stack of {bytes} is more than the system allows (ulimit -s: {hard})"
            ));
        }
    };
    let needed = granted + HOST_BYTES;
    if soft < needed {
        setrlimit(Resource::RLIMIT_STACK, needed, hard).map_err(refused)?;
    }
    Ok(granted)
}
