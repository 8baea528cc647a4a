//! What jobs share: with all others of their host, and with those of their tenant.

use std::path::PathBuf;
use std::sync::Arc;

use super::compilers::Compilers;
use super::fair::Id;
use super::slots::Slots;
use super::spec::Tenant;
use super::usage::Account;
use crate::plugin::Engine;
use crate::settings::Sandbox;
use crate::source::Roots;
use crate::stats::MemoryBudget;

/// What all jobs share.
pub(super) struct Shared {
    pub(super) engine: Engine,
    /// What the engine was made for.
    pub(super) sandbox: Sandbox,
    pub(super) slots: Slots,
    pub(super) slots_count: usize,
    pub(super) compilers: Compilers,
    pub(super) memory: Arc<MemoryBudget>,
    pub(super) cache: Option<PathBuf>,
}

/// A tenant of the host.
pub(super) struct Member {
    pub(super) tenant: Tenant,
    /// The directory of its inputs, from which each of them is opened.
    pub(super) roots: Roots,
    pub(super) id: Id,
    pub(super) account: Account,
}
