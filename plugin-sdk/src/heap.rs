//! Where a plugin's memory comes from: what it was made with, and then more of it.
//!
//! The standard library's allocator leaves alone what there is between the program's data and the
//! end of its memory, and grows for its first allocation. A fresh sandbox for each chunk pays for
//! that each time: growing changes the protection of pages, which the kernel does for the whole
//! process. Here the first grant is what is there, so that a plugin that is linked with some
//! initial memory (`-C link-arg=--initial-memory=BYTES`) grows only where it needs more.
#![allow(unsafe_code)]

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use dlmalloc::{Allocator, Dlmalloc};

/// A page of a linear memory (WebAssembly core specification 2.0, section 4.2.8).
const PAGE_BYTES: usize = 64 << 10;

unsafe extern "C" {
    /// Where the program's data ends: the linker's symbol, of which only the address means anything
    /// (LLVM, "WebAssembly lld port").
    static __heap_base: u8;
}

/// Linear memory.
struct Linear {
    /// Whether what was there at the start has been granted.
    granted: AtomicBool,
}

// SAFETY: each grant is memory that nobody else has: once what lies behind the program's data, and
// then what memory has grown by.
unsafe impl Allocator for Linear {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        if !self.granted.swap(true, Ordering::Relaxed) {
            let begin = (&raw const __heap_base).addr().next_multiple_of(16);
            let bytes = (memory_size(0) * PAGE_BYTES).saturating_sub(begin);
            if bytes >= size {
                return (ptr::with_exposed_provenance_mut(begin), bytes, 0);
            }
        }
        let pages = size.div_ceil(PAGE_BYTES);
        match memory_grow(0, pages) {
            usize::MAX => (ptr::null_mut(), 0, 0),
            before => {
                (ptr::with_exposed_provenance_mut(before * PAGE_BYTES), pages * PAGE_BYTES, 0)
            }
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        PAGE_BYTES
    }
}

/// The allocator of plugins.
struct Heap(UnsafeCell<Dlmalloc<Linear>>);

// SAFETY: a plugin has one thread.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap =
    Heap(UnsafeCell::new(Dlmalloc::new_with_allocator(Linear { granted: AtomicBool::new(false) })));

// SAFETY: each method hands what it was given on to `dlmalloc`, whose methods ask for the same of
// their callers. There is one thread, and none of them calls back, so nobody else has the
// reference.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { (*self.0.get()).malloc(layout.size(), layout.align()) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { (*self.0.get()).calloc(layout.size(), layout.align()) }
    }

    unsafe fn dealloc(&self, bytes: *mut u8, layout: Layout) {
        unsafe { (*self.0.get()).free(bytes, layout.size(), layout.align()) }
    }

    unsafe fn realloc(&self, bytes: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe { (*self.0.get()).realloc(bytes, layout.size(), layout.align(), size) }
    }
}
