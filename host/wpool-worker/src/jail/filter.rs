//! The filter of system calls: the policy as a program that the kernel runs at each call (seccomp).

use super::calls::{Answer, Rule, Test};
use nix::libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W,
    SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_TRAP, sock_filter,
};

/// The kernel's number of this architecture (AUDIT_ARCH of linux/audit.h).
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// The first number of the x32 calls: the same calls by other numbers.
const X32: u32 = 0x4000_0000;

/// The offsets in the kernel's description of a call (`seccomp_data`): the number, the architecture, and the lower half
/// of the first argument.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGUMENTS: u32 = 16;

/// Most instructions of a program (BPF_MAXINSNS).
const PROGRAM_MAX: usize = 4096;

fn instruction(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

fn load(at: u32) -> sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, at)
}

/// Goes on after `then` instructions if the accumulator is `value`, else after `otherwise`.
fn if_equal(value: u32, then: u8, otherwise: u8) -> sock_filter {
    sock_filter { jt: then, jf: otherwise, ..instruction(BPF_JMP | BPF_JEQ | BPF_K, value) }
}

fn end(answer: Answer) -> sock_filter {
    let action = match answer {
        Answer::Allow => SECCOMP_RET_ALLOW,
        Answer::Refuse(error) => SECCOMP_RET_ERRNO | u32::from(error),
        Answer::Trap => SECCOMP_RET_TRAP,
        Answer::Kill => SECCOMP_RET_KILL_PROCESS,
    };
    instruction(BPF_RET | BPF_K, action)
}

/// Returns the program that answers as the rules say: by the first rule of a call, and calls without one with `rest`.
///
/// # Panics
/// The rules are too many.
pub(super) fn compile(rules: &[Rule], rest: Answer) -> Vec<sock_filter> {
    let mut program = vec![
        load(ARCH),
        if_equal(ARCHITECTURE, 1, 0),
        end(Answer::Kill),
        load(NUMBER),
        // On other architectures there are no such numbers.
        sock_filter { jt: 0, jf: 1, ..instruction(BPF_JMP | BPF_JGE | BPF_K, X32) },
        end(Answer::Kill),
    ];
    for rule in rules {
        let body = body(rule);
        let skip = u8::try_from(body.len()).expect("a rule has a few cases");
        program.push(if_equal(rule.call as u32, 0, skip));
        program.extend(body);
    }
    program.push(end(rest));
    assert!(program.len() <= PROGRAM_MAX, "a policy has some hundred rules");
    program
}

/// Returns the instructions for the call of a rule. Each path returns: the accumulator no longer holds the number.
fn body(rule: &Rule) -> Vec<sock_filter> {
    if rule.cases.is_empty() {
        return vec![end(rule.answer)];
    }
    let mut body = Vec::new();
    for tests in &rule.cases {
        for (at, test) in tests.iter().enumerate() {
            // Over the tests that follow, of three instructions each, and the answer.
            let next =
                u8::try_from((tests.len() - 1 - at) * 3 + 1).expect("a case has a few tests");
            body.extend(ask(test, next));
        }
        body.push(end(rule.answer));
    }
    body.push(end(rule.otherwise));
    body
}

/// Goes on with the next instruction if the test holds, else after `otherwise` more.
fn ask(test: &Test, otherwise: u8) -> [sock_filter; 3] {
    let (then, otherwise) = if test.equal { (0, otherwise) } else { (otherwise, 0) };
    [
        load(ARGUMENTS + 8 * u32::from(test.argument)),
        instruction(BPF_ALU | BPF_AND | BPF_K, test.mask),
        if_equal(test.value & test.mask, then, otherwise),
    ]
}
