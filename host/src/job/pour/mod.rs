//! Takes what comes out of transformers, part by part: into one output in the order of the sources, or into one of each source.

mod flight;
mod packing;
mod single;
mod tree;

pub(super) use single::Single;
pub(super) use tree::Tree;
