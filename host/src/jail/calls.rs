//! Which system calls there are: a filter that takes away what no run needs and an intruder would like, with `EPERM`.
//!
//! A list of what is denied, not of what is allowed. The engine, the allocator, the C library, `SQLite` and TLS are free to
//! use what is harmless, and do so differently from version to version and from machine to machine: a list of what is allowed would kill
//! runs on the day that one of them learns a new call, and would so be left off. What is denied here is what leads out: other programs, other
//! processes, connections, the kernel's own large interfaces (bpf, `io_uring`, keys, modules, perf), and what Landlock does not hold
//! back (modes, owners and attributes of files). Executable memory stays allowed: plugins are compiled to it.
//!
//! `clone3` says `ENOSYS`, since its flags are out of a filter's sight; the C library then calls `clone`, whose flags are looked
//! at: threads yes, namespaces no.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use super::{JailError, Sockets};

/// Other programs, processes, namespaces and mounts, the kernel and its state; what files are, where Landlock does not look.
const DENIED: &[libc::c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_kill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_fanotify_init,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fchmodat2,
];

/// What only this machine's kind has, under names or numbers of its own.
#[cfg(target_arch = "x86_64")]
const OF_THIS_MACHINE: &[libc::c_long] = &[
    libc::SYS_kexec_file_load,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_vfork,
];
#[cfg(not(target_arch = "x86_64"))]
const OF_THIS_MACHINE: &[libc::c_long] = &[];

/// New connections, and ends for others to connect to.
const SOCKETS: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept4,
];

/// On x86-64 every call has a second number, for programs with short pointers; those of calls whose arguments hold pointers are further off
/// (`arch/x86/entry/syscalls/syscall_64.tbl`): all that can be denied are.
#[cfg(target_arch = "x86_64")]
const SHORT_POINTERS: i64 = 0x4000_0000;
#[cfg(target_arch = "x86_64")]
const ONLY_SHORT: std::ops::RangeInclusive<i64> = 512..=547;

/// Puts words into what a terminal has been typed (`TIOCSTI`, and `TIOCLINUX`, which pastes): the shell behind would run them.
const TYPES: [u64; 2] = [0x5412, 0x541c];

pub(super) fn restrict(sockets: Sockets) -> Result<(), JailError> {
    for program in programs(sockets).map_err(|error| JailError::NoSeccomp(error.to_string()))? {
        apply_filter(&program).map_err(|error| JailError::NoSeccomp(error.to_string()))?;
    }
    Ok(())
}

/// Whether the kernel takes a filter: tried on a thread of its own, with one that denies what nobody calls.
pub(super) fn probe() -> Result<(), String> {
    let try_out = || {
        let program = program(numbers(&[libc::SYS_kexec_load]), libc::EPERM)
            .map_err(|error| error.to_string())?;
        apply_filter(&program).map_err(|error| error.to_string())
    };
    let spawned = std::thread::Builder::new().name("probe".into()).spawn(try_out);
    let thread = spawned.map_err(|error| error.to_string())?;
    thread.join().unwrap_or_else(|_panic| Err("the probe panicked".into()))
}

fn programs(sockets: Sockets) -> Result<[BpfProgram; 2], seccompiler::BackendError> {
    let mut rules = numbers(DENIED);
    rules.extend(numbers(OF_THIS_MACHINE));
    if sockets == Sockets::Denied {
        rules.extend(numbers(SOCKETS));
    }
    #[cfg(target_arch = "x86_64")]
    rules.extend(ONLY_SHORT.map(|number| (number | SHORT_POINTERS, Vec::new())));
    rules.insert(libc::SYS_clone, namespaces()?);
    rules.insert(libc::SYS_ioctl, typing()?);
    let missing = numbers(&[libc::SYS_clone3]);
    Ok([program(rules, libc::EPERM)?, program(missing, libc::ENOSYS)?])
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// A rule for each call, whatever its arguments.
fn numbers(calls: &[libc::c_long]) -> Rules {
    let mut rules = Rules::new();
    for &call in calls {
        rules.insert(call, Vec::new());
        #[cfg(target_arch = "x86_64")]
        rules.insert(call | SHORT_POINTERS, Vec::new());
    }
    rules
}

fn program(rules: Rules, errno: libc::c_int) -> Result<BpfProgram, seccompiler::BackendError> {
    let deny = SeccompAction::Errno(errno.unsigned_abs());
    let machine = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, SeccompAction::Allow, deny, machine)?.try_into()
}

/// Each flag of `clone` that makes a namespace.
fn namespaces() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let flags = [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ];
    let rule = |flag: libc::c_int| {
        let flag = u64::from(flag.unsigned_abs());
        let set = SeccompCmpOp::MaskedEq(flag);
        SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Qword, set, flag)?])
    };
    flags.into_iter().map(rule).collect()
}

fn typing() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let rule = |request: u64| {
        let same = SeccompCmpOp::Eq;
        SeccompRule::new(vec![SeccompCondition::new(1, SeccompCmpArgLen::Dword, same, request)?])
    };
    TYPES.into_iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_fit_into_what_the_kernel_takes() {
        for sockets in [Sockets::Denied, Sockets::Allowed] {
            for program in programs(sockets).unwrap() {
                assert!((5..4096).contains(&program.len()), "{}", program.len()); // BPF_MAXINSNS
            }
        }
    }
}
