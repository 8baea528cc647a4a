//! What is allowed, by purpose: to compute (all), to use files (runs), to talk to other machines
//! (runs with remote sources or outputs).

use libc::c_long;
use seccompiler::{BackendError, SeccompRule};

use super::{Purpose, Rules, is, is_null, numbers};
use crate::jail::Sockets;

/// Memory, threads and what they wait for, time, streams that are open, and what a process may know
/// of itself.
const COMPUTING: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_munmap,
    libc::SYS_brk,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_mincore,
    libc::SYS_membarrier,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_getrusage,
    libc::SYS_times,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getrandom,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Files, whose names are Landlock's to judge, pipes, and memory that has a descriptor.
const FILES: &[c_long] = &[
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_umask,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_readahead,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_sync_file_range,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_splice,
    libc::SYS_flock,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_memfd_create,
];

/// What x86-64 has besides, from before there were directories to start from and flags.
#[cfg(target_arch = "x86_64")]
const OLD_FILES: &[c_long] = &[
    libc::SYS_open,
    libc::SYS_creat,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_getdents,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_link,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_eventfd,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_FILES: &[c_long] = &[];

/// What is done with a connection, once there is a socket of a kind that is allowed.
const CONNECTIONS: &[c_long] = &[
    libc::SYS_connect,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvmmsg,
    libc::SYS_shutdown,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
];

/// What may be asked of a descriptor (`fcntl(2)`): flags, copies, locks, the size of a pipe and
/// seals; no owner, no signal, no lease, no notice.
const OF_DESCRIPTORS: [libc::c_int; 16] = [
    libc::F_DUPFD,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
    libc::F_GETLK,
    libc::F_SETLK,
    libc::F_SETLKW,
    libc::F_OFD_GETLK,
    libc::F_OFD_SETLK,
    libc::F_OFD_SETLKW,
    libc::F_DUPFD_CLOEXEC,
    libc::F_GETPIPE_SZ,
    libc::F_SETPIPE_SZ,
    libc::F_ADD_SEALS,
    libc::F_GET_SEALS,
];

/// What may be asked of devices and files (`ioctl(2)`, the kernel's `ioctls.h` and `fs.h`): whether
/// something is a terminal and how wide it is, whether a descriptor blocks, how much there is to
/// read, and which pages of the process's own memory are present.
const OF_DEVICES: [u32; 6] = [
    0x5401,      // TCGETS
    0x5413,      // TIOCGWINSZ
    0x5421,      // FIONBIO
    0x541b,      // FIONREAD
    0x5451,      // FIOCLEX
    0xc060_6610, // PAGEMAP_SCAN
];

/// What a process may say of itself (`prctl(2)`): names of threads and of memory.
const OF_ITSELF: [u32; 3] = [
    15,          // PR_SET_NAME
    16,          // PR_GET_NAME
    0x5356_4d41, // PR_SET_VMA
];

const ANY: u32 = u32::MAX;

pub(super) fn rules(purpose: Purpose) -> Result<Rules, BackendError> {
    let mut rules = numbers(COMPUTING);
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![threads()?])?]);
    rules.insert(libc::SYS_fcntl, one_of(1, OF_DESCRIPTORS.map(libc::c_int::unsigned_abs))?);
    rules.insert(libc::SYS_ioctl, one_of(1, OF_DEVICES)?);
    rules.insert(libc::SYS_prctl, one_of(0, OF_ITSELF)?);
    // Limits of this process (0), which are read and not set.
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![is(0, ANY, 0)?, is_null(2)?])?]);
    // Signals to this process alone, as of one that aborts.
    rules.insert(libc::SYS_tgkill, one_of(0, [std::process::id()])?);
    let sockets = match purpose {
        Purpose::Compile => {
            // To the compiler, compiled code is bytes.
            let not_executable = [is(2, libc::PROT_EXEC.unsigned_abs(), 0)?];
            for call in [libc::SYS_mmap, libc::SYS_mprotect] {
                rules.insert(call, vec![SeccompRule::new(not_executable.to_vec())?]);
            }
            return Ok(rules);
        }
        Purpose::Run(sockets) => sockets,
    };
    rules.extend(numbers(&[libc::SYS_mmap, libc::SYS_mprotect]));
    rules.extend(numbers(FILES));
    rules.extend(numbers(OLD_FILES));
    if sockets == Sockets::Allowed {
        rules.extend(numbers(CONNECTIONS));
        rules.insert(libc::SYS_socket, internet()?);
    }
    Ok(rules)
}

/// Of all flags of `clone` that make something else, the one of a thread.
fn threads() -> Result<seccompiler::SeccompCondition, BackendError> {
    let made = libc::CLONE_THREAD
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET;
    is(0, made.unsigned_abs(), libc::CLONE_THREAD.unsigned_abs())
}

/// Sockets of the internet's protocols, for streams and for the questions of resolvers.
fn internet() -> Result<Vec<SeccompRule>, BackendError> {
    /// The type of a socket, below its flags (`socket(2)`).
    const TYPE: u32 = 0xf;
    let mut rules = Vec::new();
    for domain in [libc::AF_INET, libc::AF_INET6] {
        for kind in [libc::SOCK_STREAM, libc::SOCK_DGRAM] {
            let conditions =
                vec![is(0, ANY, domain.unsigned_abs())?, is(1, TYPE, kind.unsigned_abs())?];
            rules.push(SeccompRule::new(conditions)?);
        }
    }
    Ok(rules)
}

/// A rule for each value that an argument may have.
fn one_of<const N: usize>(
    argument: u8,
    values: [u32; N],
) -> Result<Vec<SeccompRule>, BackendError> {
    values.into_iter().map(|value| SeccompRule::new(vec![is(argument, ANY, value)?])).collect()
}
