//! The compiler's side: the program, started again by a host as `compile-worker`, compiles one
//! plugin and ends.
//!
//! It keeps nothing of what the host has: it is given no environment, and enters a jail in which
//! there is no file before it reads the first byte of the plugin.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::{Resource, Rlimit, getppid, setrlimit};

use super::bulk;
use super::order::{self, Order};
use crate::jail;
use crate::platform;
use crate::plugin::engine::Engine;
use crate::plugin::error::Refusal;
use crate::plugin::features;
use crate::plugin::wrap::{self, Binary};
use crate::settings::limits::{COMPILE_ADDRESSES, COMPILE_FILES_MAX, COMPILER_STACK_BYTES};

/// The only word on the command line of a compiler.
pub(super) const ASKED: &str = "compile-worker";

/// Whether the program compiles when it is asked to.
static SERVES: AtomicBool = AtomicBool::new(false);

pub(super) fn is_served_here() -> bool {
    SERVES.load(Ordering::Acquire)
}

/// What a program calls at the start of its `main`, so that plugins can be compiled in a process of
/// its own: the program is started again for each, and does not come back from here then.
pub fn compile_if_asked() {
    SERVES.store(true, Ordering::Release);
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|arg| arg == ASKED) && args.next().is_none() {
        exit(match serve() {
            Ok(()) => 0,
            Err(error) => {
                let _ = writeln!(io::stderr(), "{error}"); // the one who asked is gone
                1
            }
        });
    }
}

fn serve() -> Result<(), String> {
    // What the host has ended is not to go on for nobody: asked for first, as it may be gone by
    // now.
    platform::end_with_parent().map_err(|error| error.to_string())?;
    if getppid().is_none() {
        return Err("nobody has asked".into());
    }
    let mut head = Vec::new();
    let mut input = io::stdin().lock();
    read_line(&mut input, &mut head).map_err(|error| error.to_string())?;
    let (order, _) = Order::read(&head)?;
    bound(&order).map_err(|error| error.to_string())?;
    let is_there = jail::probe().check().is_ok();
    if is_there {
        jail::enter_to_compile().map_err(|error| error.to_string())?;
    }
    let mut plugin = Vec::new();
    input.read_to_end(&mut plugin).map_err(|error| error.to_string())?;
    let compiled = on_a_large_stack(move || compiled(&order, &plugin))?;
    let mut output = io::stdout().lock();
    output
        .write_all(&order::answer(compiled.as_ref().map(|_code| ())))
        .and_then(|()| output.write_all(compiled.as_deref().unwrap_or_default()))
        .and_then(|()| output.flush())
        .map_err(|error| error.to_string())
}

/// A line with its end, and nothing behind it: what follows is read in the jail.
fn read_line(input: &mut impl Read, line: &mut Vec<u8>) -> io::Result<()> {
    let mut byte = [0];
    while line.last() != Some(&b'\n') && input.read(&mut byte)? == 1 {
        line.push(byte[0]);
    }
    Ok(())
}

/// Memory, time, and no file beside those that are open (`setrlimit(2)`). `RLIMIT_DATA` counts what
/// is written to, `RLIMIT_AS` all that there are addresses for, the program itself among them.
fn bound(order: &Order) -> rustix::io::Result<()> {
    let at_most =
        |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    let processors = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    at_most(Resource::Data, order.memory_bytes.saturating_add(COMPILER_STACK_BYTES as u64))?;
    at_most(Resource::As, order.memory_bytes.saturating_add(COMPILE_ADDRESSES))?;
    at_most(Resource::Cpu, (order.timeout.as_secs() + 1).saturating_mul(processors))?;
    at_most(Resource::Core, 0)?;
    at_most(Resource::Fsize, 0)?;
    at_most(Resource::Nofile, COMPILE_FILES_MAX)
}

fn on_a_large_stack<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let thread = thread::Builder::new()
        .name("compile".into())
        .stack_size(COMPILER_STACK_BYTES)
        .spawn(work)
        .map_err(|error| error.to_string())?;
    thread.join().map_err(|_panic| "the compiler panicked".to_string())
}

fn compiled(order: &Order, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let engine = Engine::to_compile_in(&order.sandbox(), order.is_parallel)
        .map_err(|error| Refusal::new(error.to_string()))?;
    let refused = |refusal: Refusal| features::refusal(bytes).unwrap_or(refusal);
    let component = match wrap::binary(bytes) {
        Some(Binary::Module) => {
            let wrapped = wrap::component(bytes);
            Cow::Owned(wrapped.map_err(|error| refused(unwrappable(&error)))?)
        }
        _ => Cow::Borrowed(bytes),
    };
    let compile = |component: &[u8]| engine.wasmtime().precompile_component(component);
    let compiled = match bulk::cut(&component) {
        // Errors name the place in the plugin as it was built.
        Ok(cut) => compile(&cut).map_err(|error| compile(&component).err().unwrap_or(error)),
        Err(_) => compile(&component),
    };
    compiled.map_err(|error| {
        refused(Refusal::new(format!("does not compile: {error:#}").replace('\n', " ")))
    })
}

fn unwrappable(error: &str) -> Refusal {
    let refusal = Refusal::new(format!("a core module that cannot be made a component: {error}"));
    if error.contains("wasi") {
        return refusal.hint("build for wasm32-unknown-unknown: plugins have no WASI");
    }
    refusal.hint("build it with wit-bindgen (the SDK does), which embeds the contract")
}
