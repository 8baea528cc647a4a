//! What several subjects need: the binary, the built plugins, jobs in this process, guests and
//! stages of our own, compressed texts, what changes while it is read, web servers, a store and
//! what stands before it, oracles.

pub(crate) mod between;
pub(crate) mod front;
pub(crate) mod guest;
pub(crate) mod host;
pub(crate) mod job;
pub(crate) mod kills;
pub(crate) mod made;
pub(crate) mod meddle;
pub(crate) mod moto;
pub(crate) mod oracle;
pub(crate) mod pack;
pub(crate) mod plugins;
pub(crate) mod sandbox;
pub(crate) mod search;
pub(crate) mod shuffle;
pub(crate) mod tree;
pub(crate) mod wast;
pub(crate) mod web;
