//! Runs scripts of the specification's own test suite (`.wast`) in an engine, as the interpreter of
//! the specification does (its `interpreter/README.md`, section "Scripts").
//!
//! A module that the engine refuses is reported, and the commands on it are skipped: whether it may
//! refuse it is for the caller to say.

use std::collections::{HashMap, HashSet};

use wasmtime::{
    Engine, Extern, Global, GlobalType, Instance, Linker, Memory, MemoryType, Module, Mutability,
    Ref, RefType, Store, Table, TableType, Trap, V128, Val, ValType,
};
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::lexer::Lexer;
use wast::parser::{ParseBuffer, parse};
use wast::token::{F32, F64, Id};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

/// Ticks of the engine's clock that no script takes.
const FOREVER: u64 = 1 << 40;

/// What came of a script.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    /// Assertions that held.
    pub(crate) passed: usize,
    /// What was skipped, as it needs a module that was refused.
    pub(crate) skipped: usize,
    /// Modules that should be valid, and were refused.
    pub(crate) refused: Vec<Vec<u8>>,
    /// What should have been otherwise, with its line.
    pub(crate) failed: Vec<String>,
}

/// How a directive ended that did not fail.
enum Done {
    /// It asserts something, and that holds.
    Holds,
    /// It asserts nothing.
    Silent,
    /// It is about a module that was refused.
    PassedOver,
    /// This module was refused.
    Refused(Vec<u8>),
}

type Outcome = Result<Done, String>;

/// What a call left, or why there was none.
enum Called {
    Results(Vec<Val>),
    Failed(wasmtime::Error),
    PassedOver,
    Refused(Vec<u8>),
}

/// Runs a script.
pub(crate) fn run(engine: &Engine, text: &str) -> Ran {
    let mut ran = Ran::default();
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).unwrap();
    let script = match parse::<Wast<'_>>(&buffer) {
        Ok(script) => script,
        Err(error) => {
            ran.failed.push(error.to_string());
            return ran;
        }
    };
    let mut world = World::new(engine);
    for directive in script.directives {
        let (line, _) = directive.span().linecol_in(text);
        match world.obey(directive) {
            Ok(Done::Holds) => ran.passed += 1,
            Ok(Done::Silent) => {}
            Ok(Done::PassedOver) => ran.skipped += 1,
            Ok(Done::Refused(module)) => ran.refused.push(module),
            Err(why) => ran.failed.push(format!("line {}: {why}", line + 1)),
        }
    }
    ran
}

/// The instances of a script. There is none where its module was refused.
struct World<'e> {
    engine: &'e Engine,
    store: Store<()>,
    linker: Linker<()>,
    last: Option<Instance>,
    named: HashMap<String, Option<Instance>>,
    last_definition: Option<Module>,
    definitions: HashMap<String, Option<Module>>,
    /// Names that instances which are not there would have been registered under.
    lost: HashSet<String>,
}

impl<'e> World<'e> {
    fn new(engine: &'e Engine) -> Self {
        let mut store = Store::new(engine, ());
        store.set_epoch_deadline(FOREVER);
        let mut linker = Linker::new(engine);
        linker.allow_shadowing(true);
        spectest(&mut linker, &mut store).unwrap();
        Self {
            engine,
            store,
            linker,
            last: None,
            named: HashMap::new(),
            last_definition: None,
            definitions: HashMap::new(),
            lost: HashSet::new(),
        }
    }

    fn obey(&mut self, directive: WastDirective<'_>) -> Outcome {
        match directive {
            WastDirective::Module(mut module) => {
                let name = module.name().map(|id| id.name().to_string());
                let bytes = module.encode().map_err(|error| error.to_string())?;
                let (module, done) = self.compile(bytes);
                self.instantiated(name, module.as_ref(), done)
            }
            WastDirective::ModuleDefinition(mut module) => {
                let name = module.name().map(|id| id.name().to_string());
                let bytes = module.encode().map_err(|error| error.to_string())?;
                let (module, done) = self.compile(bytes);
                self.last_definition.clone_from(&module);
                if let Some(name) = name {
                    self.definitions.insert(name, module);
                }
                Ok(done)
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let module = match module {
                    Some(id) => self.definitions.get(id.name()).cloned().flatten(),
                    None => self.last_definition.clone(),
                };
                let name = instance.map(|id| id.name().to_string());
                self.instantiated(name, module.as_ref(), Done::Silent)
            }
            WastDirective::Register { name, module, .. } => self.register(name, module),
            WastDirective::Invoke(invoke) => match self.invoke(&invoke)? {
                Called::Results(_) => Ok(Done::Silent),
                called => unexpected(called),
            },
            WastDirective::AssertReturn { exec, results, .. } => match self.execute(exec)? {
                Called::Results(got) => same(&got, &results),
                called => unexpected(called),
            },
            WastDirective::AssertTrap { exec, message, .. } => {
                let called = self.execute(exec)?;
                traps(called, message, |_| true)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                let called = self.invoke(&call)?;
                traps(called, message, |trap| *trap == Trap::StackOverflow)
            }
            WastDirective::AssertUnlinkable { module, message, .. } => {
                match self.execute(WastExecute::Wat(module))? {
                    Called::Failed(error) if !error.is::<Trap>() => Ok(Done::Holds),
                    Called::Failed(_) | Called::Results(_) => Err(format!("is linked: {message}")),
                    called => unexpected(called),
                }
            }
            WastDirective::AssertInvalid { module, message, .. }
            | WastDirective::AssertMalformed { module, message, .. } => {
                self.invalid(module, message)
            }
            // The engine makes nothing of custom sections, as the specification lets it.
            WastDirective::AssertInvalidCustom { .. }
            | WastDirective::AssertMalformedCustom { .. } => Ok(Done::Silent),
            // What they are about is not even linked in: a module that it is tried in has been
            // refused.
            WastDirective::AssertException { exec, .. }
            | WastDirective::AssertSuspension { exec, .. } => match self.execute(exec)? {
                Called::Results(_) | Called::Failed(_) => Err("an exception was to be had".into()),
                called => unexpected(called),
            },
            WastDirective::Thread(_) | WastDirective::Wait { .. } => Ok(Done::PassedOver),
        }
    }

    fn compile(&self, bytes: Vec<u8>) -> (Option<Module>, Done) {
        match Module::new(self.engine, &bytes) {
            Ok(module) => (Some(module), Done::Silent),
            Err(_) => (None, Done::Refused(bytes)),
        }
    }

    /// Instantiates a module, and remembers that, or that it was refused.
    fn instantiated(
        &mut self,
        name: Option<String>,
        module: Option<&Module>,
        done: Done,
    ) -> Outcome {
        let instance = match module {
            Some(module) => self.instantiate(module),
            None => Ok(None),
        };
        let found = instance.as_ref().ok().copied().flatten();
        self.last = found;
        if let Some(name) = name {
            self.named.insert(name, found);
        }
        match (instance, done) {
            (Err(error), _) => Err(format!("{error:#}")),
            (Ok(None), Done::Silent) => Ok(Done::PassedOver),
            (Ok(_), done) => Ok(done),
        }
    }

    /// `None` where it needs what was refused.
    fn instantiate(&mut self, module: &Module) -> wasmtime::Result<Option<Instance>> {
        let made = self.linker.instantiate(&mut self.store, module);
        if made.is_err() && module.imports().any(|import| self.lost.contains(import.module())) {
            return Ok(None);
        }
        made.map(Some)
    }

    fn register(&mut self, name: &str, module: Option<Id<'_>>) -> Outcome {
        let Some(instance) = self.instance(module)? else {
            self.lost.insert(name.into());
            return Ok(Done::PassedOver);
        };
        self.lost.remove(name);
        let linked = self.linker.instance(&mut self.store, name, instance);
        linked.map(|_| Done::Silent).map_err(|error| error.to_string())
    }

    fn instance(&self, id: Option<Id<'_>>) -> Result<Option<Instance>, String> {
        match id {
            None => Ok(self.last),
            Some(id) => {
                let named = self.named.get(id.name()).copied();
                named.ok_or_else(|| format!("there is no instance {}", id.name()))
            }
        }
    }

    fn execute(&mut self, exec: WastExecute<'_>) -> Result<Called, String> {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(module) => self.execute_module(module),
            WastExecute::Get { module, global, .. } => {
                let Some(instance) = self.instance(module)? else { return Ok(Called::PassedOver) };
                match instance.get_export(&mut self.store, global) {
                    Some(Extern::Global(global)) => {
                        Ok(Called::Results(vec![global.get(&mut self.store)]))
                    }
                    _ => Err(format!("there is no global {global}")),
                }
            }
        }
    }

    fn execute_module(&mut self, mut module: Wat<'_>) -> Result<Called, String> {
        let bytes = module.encode().map_err(|error| error.to_string())?;
        match self.compile(bytes) {
            (Some(module), _) => Ok(match self.instantiate(&module) {
                Ok(Some(_)) => Called::Results(Vec::new()),
                Ok(None) => Called::PassedOver,
                Err(error) => Called::Failed(error),
            }),
            (None, Done::Refused(bytes)) => Ok(Called::Refused(bytes)),
            (None, _) => Err("it was neither compiled nor refused".into()),
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Called, String> {
        let Some(instance) = self.instance(invoke.module)? else { return Ok(Called::PassedOver) };
        let function = instance.get_func(&mut self.store, invoke.name);
        let function = function.ok_or_else(|| format!("there is no function {}", invoke.name))?;
        let args: Vec<Val> = invoke.args.iter().map(value).collect::<Result<_, _>>()?;
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        Ok(match function.call(&mut self.store, &args, &mut results) {
            Ok(()) => Called::Results(results),
            Err(error) => Called::Failed(error),
        })
    }

    fn invalid(&self, mut module: QuoteWat<'_>, message: &str) -> Outcome {
        match module.encode() {
            Ok(bytes) if Module::new(self.engine, &bytes).is_ok() => {
                Err(format!("was taken, but should not be: {message}"))
            }
            Ok(_) | Err(_) => Ok(Done::Holds),
        }
    }
}

/// What is done where results were to be had, and there are none.
fn unexpected(called: Called) -> Outcome {
    match called {
        Called::Results(_) => Err("it returned".into()),
        Called::Failed(error) => Err(format!("{error:#}")),
        Called::PassedOver => Ok(Done::PassedOver),
        Called::Refused(module) => Ok(Done::Refused(module)),
    }
}

fn traps(called: Called, message: &str, as_it_should: impl Fn(&Trap) -> bool) -> Outcome {
    match called {
        Called::Failed(error) if error.downcast_ref::<Trap>().is_some_and(as_it_should) => {
            Ok(Done::Holds)
        }
        Called::Failed(error) => Err(format!("does not trap as it should ({message}): {error:#}")),
        Called::Results(_) => Err(format!("does not trap: {message}")),
        called => unexpected(called),
    }
}

fn value(arg: &WastArg<'_>) -> Result<Val, String> {
    let WastArg::Core(arg) = arg else { return Err(format!("{arg:?} is no value of a module")) };
    Ok(match arg {
        WastArgCore::I32(value) => Val::I32(*value),
        WastArgCore::I64(value) => Val::I64(*value),
        WastArgCore::F32(value) => Val::F32(value.bits),
        WastArgCore::F64(value) => Val::F64(value.bits),
        WastArgCore::V128(value) => Val::V128(V128::from(u128::from_le_bytes(value.to_le_bytes()))),
        WastArgCore::RefNull(HeapType::Abstract { ty: AbstractHeapType::Func, .. }) => {
            Val::FuncRef(None)
        }
        other => return Err(format!("{other:?} is not known here")),
    })
}

fn same(got: &[Val], expected: &[WastRet<'_>]) -> Outcome {
    let is_same = |(got, expected): (&Val, &WastRet<'_>)| matches!(expected, WastRet::Core(expected) if matches(got, expected));
    if got.len() == expected.len() && got.iter().zip(expected).all(is_same) {
        return Ok(Done::Holds);
    }
    Err(format!("got {got:?}, expected {expected:?}"))
}

fn matches(got: &Val, expected: &WastRetCore<'_>) -> bool {
    match (got, expected) {
        (Val::I32(got), WastRetCore::I32(expected)) => got == expected,
        (Val::I64(got), WastRetCore::I64(expected)) => got == expected,
        (Val::F32(got), WastRetCore::F32(expected)) => float32(*got, *expected),
        (Val::F64(got), WastRetCore::F64(expected)) => float64(*got, expected),
        (Val::V128(got), WastRetCore::V128(expected)) => {
            branches(got.as_u128().to_le_bytes(), expected)
        }
        (Val::FuncRef(None), WastRetCore::RefNull(_))
        | (Val::FuncRef(Some(_)), WastRetCore::RefFunc(_)) => true,
        (got, WastRetCore::Either(choices)) => choices.iter().any(|one| matches(got, one)),
        _ => false,
    }
}

/// NaNs by their patterns (core specification, section "NaN propagation"), all else bit by bit.
fn float32(got: u32, expected: NanPattern<F32>) -> bool {
    match expected {
        NanPattern::CanonicalNan => got & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => got & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(value) => got == value.bits,
    }
}

fn float64(got: u64, expected: &NanPattern<F64>) -> bool {
    match expected {
        NanPattern::CanonicalNan => got & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => got & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(value) => got == value.bits,
    }
}

fn branches(got: [u8; 16], expected: &V128Pattern) -> bool {
    let lanes_are = |expected: Vec<u8>| got[..] == expected[..];
    match expected {
        V128Pattern::I8x16(branches) => {
            lanes_are(branches.iter().flat_map(|n| n.to_le_bytes()).collect())
        }
        V128Pattern::I16x8(branches) => {
            lanes_are(branches.iter().flat_map(|n| n.to_le_bytes()).collect())
        }
        V128Pattern::I32x4(branches) => {
            lanes_are(branches.iter().flat_map(|n| n.to_le_bytes()).collect())
        }
        V128Pattern::I64x2(branches) => {
            lanes_are(branches.iter().flat_map(|n| n.to_le_bytes()).collect())
        }
        V128Pattern::F32x4(branches) => {
            let got = got.as_chunks::<4>().0.iter().map(|branch| u32::from_le_bytes(*branch));
            got.zip(branches).all(|(got, branch)| float32(got, *branch))
        }
        V128Pattern::F64x2(branches) => {
            let got = got.as_chunks::<8>().0.iter().map(|branch| u64::from_le_bytes(*branch));
            got.zip(branches).all(|(got, branch)| float64(got, branch))
        }
    }
}

/// The module `spectest`, which scripts import (`interpreter/README.md`, section "Spectest host
/// module").
fn spectest(linker: &mut Linker<()>, store: &mut Store<()>) -> wasmtime::Result<()> {
    let name = "spectest";
    linker.func_wrap(name, "print", || {})?;
    linker.func_wrap(name, "print_i32", |_: i32| {})?;
    linker.func_wrap(name, "print_i64", |_: i64| {})?;
    linker.func_wrap(name, "print_f32", |_: f32| {})?;
    linker.func_wrap(name, "print_f64", |_: f64| {})?;
    linker.func_wrap(name, "print_i32_f32", |_: i32, _: f32| {})?;
    linker.func_wrap(name, "print_f64_f64", |_: f64, _: f64| {})?;
    let globals = [
        ("global_i32", ValType::I32, Val::I32(666)),
        ("global_i64", ValType::I64, Val::I64(666)),
        ("global_f32", ValType::F32, Val::F32(666.6_f32.to_bits())),
        ("global_f64", ValType::F64, Val::F64(666.6_f64.to_bits())),
    ];
    for (global, of, value) in globals {
        let made = Global::new(&mut *store, GlobalType::new(of, Mutability::Const), value)?;
        linker.define(&mut *store, name, global, made)?;
    }
    let table = TableType::new(RefType::FUNCREF, 10, Some(20));
    let table = Table::new(&mut *store, table, Ref::Func(None))?;
    linker.define(&mut *store, name, "table", table)?;
    let memory = Memory::new(&mut *store, MemoryType::new(1, Some(2)))?;
    linker.define(&mut *store, name, "memory", memory)?;
    Ok(())
}
