//! What a plugin is loaded with, as plain data: knows nothing of how it is loaded, nor of what
//! runs.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::budget::Budget;
use super::repro::Keeper;
use crate::process::{LogSink, Pause};
use crate::settings::Sandbox;
use crate::stats::Stats;

/// What a plugin is loaded with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Settings for the plugin, as key and value.
    pub settings: Vec<(String, String)>,
    /// What one sandbox may use, and how long it lives.
    pub sandbox: Sandbox,
    /// What all sandboxes of the job have together.
    pub budget: Arc<Budget>,
    /// Where its instances are counted.
    pub stats: Arc<Stats>,
    /// Set when running guests shall end.
    pub stop: Arc<AtomicBool>,
    /// What becomes of records that are set aside.
    pub rejects: Rejects,
    /// Where failures are kept, to be run again.
    pub repro: Option<Arc<Keeper>>,
    /// Takes what it logs; `tracing` does where there is none.
    pub log: Option<Arc<dyn LogSink>>,
    /// Who lets running guests wait, if anybody does.
    pub pause: Option<Arc<dyn Pause>>,
}

/// What becomes of records that a plugin sets aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rejects {
    /// They are counted; the first of each call is reported.
    #[default]
    Count,
    /// They are kept, for [`Instance::take_rejects`](crate::process::Instance::take_rejects).
    Keep,
}
