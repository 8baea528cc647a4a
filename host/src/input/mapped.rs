//! Mapped files, and how the process survives one that is truncated by somebody else.
//!
//! Touching a page past the new end raises SIGBUS. While a thread copies out of a mapping it says
//! so in a thread-local guard; the handler marks the mapping as torn, puts a page of zeros over the
//! hole and lets the copy end; the copy then fails. A SIGBUS from anywhere else goes where it would
//! have gone without us.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering, compiler_fence};

use memmap2::{Advice, Mmap};

/// The whole of a file in memory.
#[derive(Debug)]
pub(super) struct Mapping {
    /// `None` for an empty file: there is nothing to map.
    map: Option<Mmap>,
    torn: AtomicBool,
}

/// The mapped file was truncated.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Torn;

impl Mapping {
    pub(super) fn new(file: &File, bytes: u64) -> io::Result<Self> {
        install()?;
        let map = match usize::try_from(bytes) {
            Ok(0) => None,
            // SAFETY: the bytes are only ever copied out by `read_at`, under a guard that turns a
            // truncation into an error; no reference to them leaves this file, so it does not
            // matter that others may write to them meanwhile: `Input::check_unchanged` finds that
            // out.
            Ok(_) => Some(unsafe { Mmap::map(file)? }),
            Err(_) => return Err(io::Error::from(io::ErrorKind::FileTooLarge)),
        };
        if let Some(map) = &map {
            map.advise(Advice::Sequential)?;
        }
        Ok(Self { map, torn: AtomicBool::new(false) })
    }

    /// Fills `into` with the bytes at `offset`; what is past the end is torn, too.
    pub(super) fn read_at(&self, into: &mut [u8], offset: u64) -> Result<(), Torn> {
        let map = self.map.as_deref().unwrap_or_default();
        let from = usize::try_from(offset).map_err(|_| Torn)?;
        let to = from.checked_add(into.len()).ok_or(Torn)?;
        let bytes = map.get(from..to).ok_or(Torn)?;
        GUARD.with(|guard| {
            guard.raise(map, &self.torn);
            into.copy_from_slice(bytes);
            guard.lower();
        });
        // The handler sets the flag before it maps the page: a thread that has read the zeros sees
        // it.
        if self.torn.load(Ordering::SeqCst) { Err(Torn) } else { Ok(()) }
    }
}

/// What this thread is copying from: written by the thread, read by the handler that interrupts it.
struct Guard {
    from: AtomicUsize,
    to: AtomicUsize,
    torn: AtomicPtr<AtomicBool>,
}

impl Guard {
    fn raise(&self, map: &[u8], torn: &AtomicBool) {
        let range = map.as_ptr_range();
        self.torn.store(ptr::from_ref(torn).cast_mut(), Ordering::Relaxed);
        self.from.store(range.start.addr(), Ordering::Relaxed);
        self.to.store(range.end.addr(), Ordering::Relaxed);
        // Keeps the compiler from moving the copy before the stores; the same thread needs no more.
        compiler_fence(Ordering::SeqCst);
    }

    fn lower(&self) {
        compiler_fence(Ordering::SeqCst);
        self.to.store(0, Ordering::Relaxed);
    }

    fn holds(&self, address: usize) -> bool {
        (self.from.load(Ordering::Relaxed)..self.to.load(Ordering::Relaxed)).contains(&address)
    }
}

thread_local! {
    // Constant and without a destructor: reading it in a signal handler runs no code but the read.
    static GUARD: Guard = const {
        Guard { from: AtomicUsize::new(0), to: AtomicUsize::new(0), torn: AtomicPtr::new(ptr::null_mut()) }
    };
}

static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// Installs the handler, once in the life of the process.
fn install() -> io::Result<()> {
    static DONE: OnceLock<Result<(), i32>> = OnceLock::new();
    let done = DONE.get_or_init(|| {
        let mut previous = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: `sigaction` is valid when zeroed (no flags, empty mask, default handler); the
        // handler has the signature that SA_SIGINFO asks for; both pointers are to live locals.
        // SA_ONSTACK and SA_NODEFER: the handler needs little stack and may be entered while wasm's
        // own handlers are installed.
        unsafe {
            if libc::sigaction(libc::SIGBUS, ptr::null(), previous.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error().raw_os_error().unwrap_or_default());
            }
            let _ = PREVIOUS.set(previous.assume_init());
            let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
            action.sa_sigaction = on_bus_error as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
            if libc::sigaction(libc::SIGBUS, &raw const action, ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error().raw_os_error().unwrap_or_default());
            }
        }
        Ok(())
    });
    (*done).map_err(io::Error::from_raw_os_error)
}

/// Async-signal-safe: touches a constant thread-local, an atomic, and makes system calls.
extern "C" fn on_bus_error(
    _signal: libc::c_int,
    info: *mut libc::siginfo_t,
    _context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes a valid `info` to a handler installed with SA_SIGINFO.
    let address = unsafe { (*info).si_addr() }.addr();
    let torn = GUARD.with(|guard| guard.holds(address).then(|| guard.torn.load(Ordering::Relaxed)));
    if let Some(torn) = torn {
        // SAFETY: `torn` belongs to the `Mapping` that this very thread borrows while the guard is
        // raised.
        unsafe { &*torn }.store(true, Ordering::SeqCst);
        // SAFETY: the page lies inside that mapping, which nothing but `read_at` looks into, and
        // which stays mapped until its last borrower is gone; replacing it changes bytes that are
        // about to be thrown away.
        let mapped = unsafe {
            let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4096);
            libc::mmap(
                ptr::with_exposed_provenance_mut(address & !(page - 1)),
                page,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                -1,
                0,
            )
        };
        if mapped != libc::MAP_FAILED {
            return;
        }
    }
    // Not ours, or not repairable: the previous handler is restored and gets the signal when the
    // access is repeated.
    let previous = PREVIOUS.get().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `previous` is null or what `sigaction` gave us.
    unsafe { libc::sigaction(libc::SIGBUS, previous, ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_truncated_mapping_is_an_error_and_the_process_lives() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![b'x'; 100_000]).unwrap();
        let mapping = Mapping::new(file.as_file(), 100_000).unwrap();
        let mut into = [0; 10];
        assert_eq!(mapping.read_at(&mut into, 90_000), Ok(()));
        assert_eq!(into, [b'x'; 10]);
        file.as_file().set_len(10).unwrap();
        assert_eq!(mapping.read_at(&mut into, 90_000), Err(Torn));
        assert_eq!(mapping.read_at(&mut into, 0), Err(Torn), "a torn mapping stays torn");
    }

    #[test]
    fn an_empty_file_has_nothing_to_map() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mapping = Mapping::new(file.as_file(), 0).unwrap();
        assert_eq!(mapping.read_at(&mut [], 0), Ok(()));
        assert_eq!(mapping.read_at(&mut [0], 0), Err(Torn));
    }
}
