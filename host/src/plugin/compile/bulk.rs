//! Cuts `memory.fill` and `memory.copy` into pieces, so that a guest can be stopped within one.
//!
//! The engine looks at its clock where a guest calls and loops, not within an instruction, and one
//! instruction may touch all of a memory: 5 s for 4 GiB. Here each becomes a call of a function of
//! the module's own, which does the same in pieces, in a loop. No plugin runs slower for it, as the
//! instruction itself is a call into the host.

use std::collections::BTreeSet;
use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, Component, ComponentSectionId, Function, FunctionSection, Instruction,
    InstructionSink, Module, ModuleSection, NestedComponentSection, RawSection, TypeSection,
    ValType,
};
use wasmparser::{
    Chunk, CodeSectionReader, FunctionSectionReader, Operator, OperatorsReader, Parser, Payload,
    TypeRef, TypeSectionReader,
};

use crate::settings::limits::BULK_PIECE_BYTES;
use crate::slices;

type Encoded<T> = Result<T, Error<Infallible>>;

/// A component with its large instructions cut. All else of it is as it was, byte for byte.
///
/// # Errors
/// When it cannot be read.
pub(super) fn cut(component: &[u8]) -> Encoded<Vec<u8>> {
    Ok(components(Parser::new(0), component, component)?.finish())
}

/// The component `part` of `whole`, whose modules, and those of the components in it, are cut.
fn components(mut parser: Parser, mut part: &[u8], whole: &[u8]) -> Encoded<Component> {
    let mut component = Component::new();
    while !part.is_empty() {
        let Chunk::Parsed { consumed, payload } = parser.parse(part, true)? else {
            return Err(Error::UnexpectedNonComponentSection);
        };
        part = slices::part(part, consumed..);
        let inner = match &payload {
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => Some(unchecked_range.clone()),
            _ => None,
        };
        let range = inner.clone().or_else(|| payload.as_section().map(|(_, range)| range));
        let Some(range) = range else { continue };
        let bytes = whole.get(range).ok_or(Error::UnexpectedNonComponentSection)?;
        if inner.is_some() {
            part = slices::part(part, bytes.len()..);
        }
        match payload {
            Payload::ModuleSection { parser, .. } => {
                let mut cutter = Cutter::of(bytes, BULK_PIECE_BYTES)?;
                if cutter.bulk.is_empty() {
                    let id = ComponentSectionId::CoreModule.into();
                    component.section(&RawSection { id, data: bytes });
                } else {
                    component.section(&ModuleSection(&cutter.module(parser, bytes)?));
                }
            }
            Payload::ComponentSection { parser, .. } => {
                let inner = components(parser, bytes, whole)?;
                component.section(&NestedComponentSection(&inner));
            }
            other => {
                if let Some((id, _)) = other.as_section() {
                    component.section(&RawSection { id, data: bytes });
                }
            }
        }
    }
    Ok(component)
}

/// An instruction that may touch all of a memory, with the memories that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bulk {
    ChunkReader { memory: u32 },
    Copy { to: u32, from: u32 },
}

impl Bulk {
    fn of(operator: &Operator<'_>) -> Option<Self> {
        match *operator {
            Operator::MemoryFill { mem } => Some(Self::ChunkReader { memory: mem }),
            Operator::MemoryCopy { dst_mem, src_mem } => {
                Some(Self::Copy { to: dst_mem, from: src_mem })
            }
            _ => None,
        }
    }
}

/// Encodes a module again, with a function behind its own for each instruction in `bulk`.
struct Cutter {
    bulk: BTreeSet<Bulk>,
    types: u32,
    functions: u32,
    piece: i32,
}

impl Cutter {
    fn of(module: &[u8], piece_bytes: u32) -> Encoded<Self> {
        let (bulk, piece) = (BTreeSet::new(), piece_bytes.cast_signed());
        let mut cutter = Self { bulk, types: 0, functions: 0, piece };
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(types) => cutter.types = types.count(),
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        if matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                            cutter.functions += 1;
                        }
                    }
                }
                Payload::FunctionSection(functions) => cutter.functions += functions.count(),
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader()? {
                        cutter.bulk.extend(Bulk::of(&operator?));
                    }
                }
                _ => {}
            }
        }
        Ok(cutter)
    }

    fn module(&mut self, parser: Parser, bytes: &[u8]) -> Encoded<Module> {
        let mut module = Module::new();
        utils::parse_core_module(self, &mut module, parser, bytes)?;
        Ok(module)
    }
}

impl Reencode for Cutter {
    type Error = Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: TypeSectionReader<'_>,
    ) -> Encoded<()> {
        utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I32; 3], []);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Encoded<()> {
        utils::parse_function_section(self, functions, section)?;
        for _ in &self.bulk {
            functions.function(self.types);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Encoded<()> {
        utils::parse_code_section(self, code, section)?;
        for bulk in &self.bulk {
            code.function(&in_pieces(*bulk, self.piece));
        }
        Ok(())
    }

    fn parse_instruction<'a>(
        &mut self,
        reader: &mut OperatorsReader<'a>,
    ) -> Encoded<Instruction<'a>> {
        let operator = reader.read()?;
        let Some(bulk) = Bulk::of(&operator) else { return self.instruction(operator) };
        let before = self.bulk.range(..bulk).count();
        // There are at most as many as instructions of the module, which are counted in 32 bits.
        Ok(Instruction::Call(self.functions.saturating_add(u32::try_from(before).unwrap_or(0))))
    }
}

/// The parameters of both instructions: where to, the byte or where from, and how many bytes.
const TO: u32 = 0;
const FROM: u32 = 1;
const BYTES: u32 = 2;

/// A function that does what the instruction does, in pieces. What leaves the memory ends in a
/// trap, as it does within one instruction, although pieces before it may be done by then: nobody
/// sees a memory after a trap.
fn in_pieces(bulk: Bulk, piece: i32) -> Function {
    let mut function = Function::new([]);
    let mut sink = function.instructions();
    sink.block(BlockType::Empty).loop_(BlockType::Empty);
    sink.local_get(BYTES).i32_const(piece).i32_le_u().br_if(1);
    // What remains once the piece is done, so that the addresses below are those of one that is
    // inside, or trap.
    sink.local_get(BYTES).i32_const(piece).i32_sub().local_set(BYTES);
    match bulk {
        Bulk::ChunkReader { memory } => {
            sink.local_get(TO).local_get(FROM).i32_const(piece).memory_fill(memory);
            step(&mut sink, TO, piece);
        }
        Bulk::Copy { to, from } => {
            // Within one memory, what is not yet copied must not be written over: from the front
            // where it moves down.
            sink.local_get(TO).local_get(FROM).i32_le_u().if_(BlockType::Empty);
            sink.local_get(TO).local_get(FROM).i32_const(piece).memory_copy(to, from);
            step(&mut sink, TO, piece);
            step(&mut sink, FROM, piece);
            sink.else_();
            for start in [TO, FROM] {
                // An end beyond all addresses would be one at their beginning.
                sink.local_get(start).local_get(BYTES).i32_add();
                sink.local_get(start).i32_lt_u();
                sink.if_(BlockType::Empty).unreachable().end();
            }
            sink.local_get(TO).local_get(BYTES).i32_add();
            sink.local_get(FROM).local_get(BYTES).i32_add();
            sink.i32_const(piece).memory_copy(to, from).end();
        }
    }
    sink.br(0).end().end();
    sink.local_get(TO).local_get(FROM).local_get(BYTES);
    match bulk {
        Bulk::ChunkReader { memory } => sink.memory_fill(memory),
        Bulk::Copy { to, from } => sink.memory_copy(to, from),
    };
    sink.end();
    function
}

/// Goes on behind a piece; beyond the last address it traps.
fn step(sink: &mut InstructionSink<'_>, local: u32, piece: i32) {
    sink.local_get(local).i32_const(piece).i32_add().local_tee(local);
    // A piece that ends with the last address leaves nothing for the rest.
    sink.i32_const(piece).i32_lt_u();
    sink.if_(BlockType::Empty).unreachable().end();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wasmtime::{Engine, Instance, Store};

    use super::*;

    const MEMORY: u32 = 2 << 16;

    /// The memory after one instruction, or `None` after a trap. It begins with bytes that all
    /// differ from their neighbours.
    fn after(module: &[u8], call: &str, (to, from, bytes): (u32, u32, u32)) -> Option<Vec<u8>> {
        let engine = Engine::default();
        let module = wasmtime::Module::new(&engine, module).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        for (byte, value) in memory.data_mut(&mut store).iter_mut().zip(0_u32..) {
            *byte = (value % 251) as u8;
        }
        let function = instance.get_typed_func::<(u32, u32, u32), ()>(&mut store, call).unwrap();
        let done = function.call(&mut store, (to, from, bytes));
        done.is_ok().then(|| memory.data(&store).to_vec())
    }

    fn module() -> Vec<u8> {
        let text = r#"(module
            (memory (export "memory") 2 2)
            (func (export "fill") (param i32 i32 i32)
                (memory.fill (local.get 0) (local.get 1) (local.get 2)))
            (func (export "copy") (param i32 i32 i32)
                (memory.copy (local.get 0) (local.get 1) (local.get 2))))"#;
        wat::parse_str(text).unwrap()
    }

    fn address() -> impl Strategy<Value = u32> {
        prop_oneof![0..64_u32, MEMORY - 64..MEMORY + 64, u32::MAX - 64..=u32::MAX, 0..MEMORY]
    }

    fn bytes() -> impl Strategy<Value = u32> {
        prop_oneof![0..64_u32, 0..MEMORY, u32::MAX - 64..=u32::MAX]
    }

    #[test]
    fn modules_in_components_are_cut_and_all_else_stays() {
        let idle = "(core module (func)) (component (core module (func)))";
        let busy = "(core module (memory 1)
            (func (memory.fill (i32.const 1) (i32.const 2) (i32.const 3))))";
        for (text, is_cut) in [
            (format!("(component {idle})"), false),
            (format!("(component {idle} {busy})"), true),
            (format!("(component {idle} (component (component {busy}) {idle}))"), true),
        ] {
            let component = wat::parse_str(&text).unwrap();
            let cut = cut(&component).unwrap();
            assert_eq!(cut != component, is_cut, "{text}");
            wasmparser::validate(&cut).unwrap();
            for length in 8..component.len() {
                let _error_or_component = super::cut(&component[..length]); // must not panic
            }
        }
    }

    proptest! {
        #[test]
        fn pieces_do_what_the_instruction_does(
            call in prop_oneof![Just("fill"), Just("copy")],
            arguments in (address(), address(), bytes()),
            piece in prop_oneof![1..70_u32, Just(1 << 12)],
        ) {
            let module = module();
            let cut = Cutter::of(&module, piece).unwrap().module(Parser::new(0), &module).unwrap();
            prop_assert_eq!(after(&module, call, arguments), after(&cut.finish(), call, arguments));
        }
    }
}
