//! Why a job is not taken, and why one that was taken did not come to its end.

use std::path::PathBuf;

use thiserror::Error;

use crate::job;
use crate::name::Shown;
use crate::settings::limits::{JOBS_MAX, TENANT_NAME_BYTES_MAX, WEIGHT_MAX};
use crate::spec::Problem;

/// A tenant, or a job of one, was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// A tenant cannot be called that.
    #[error(
        "`{name}` is no name for a tenant: it has 1 to {TENANT_NAME_BYTES_MAX} of a-z, 0-9, - and _"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A tenant cannot have that weight.
    #[error("a weight is from 1 to {WEIGHT_MAX}, not {weight}")]
    Weight {
        /// The weight.
        weight: u32,
    },
    /// There is one of that name.
    #[error("there is a tenant `{name}` already")]
    Known {
        /// The name.
        name: String,
    },
    /// There is none of that name.
    #[error("there is no tenant `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// One of its directories cannot be used.
    #[error("{}: {reason}", Shown::of(&path))]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A setting of the job is not one that a run can have.
    #[error(transparent)]
    Spec(#[from] Problem),
    /// The job asks for more than the tenant may have.
    #[error("{setting} is {asked}, more than {allowed}, which the tenant may ask for")]
    Ceiling {
        /// What is asked for, in the unit of its name.
        setting: &'static str,
        /// How much.
        asked: u64,
        /// What is allowed.
        allowed: u64,
    },
    /// The job asks for what no job of this host has.
    #[error("{setting} is not that of the host, which all jobs share")]
    Shared {
        /// What is asked for.
        setting: &'static str,
    },
    /// The tenant has used up what it may use.
    #[error(transparent)]
    Quota(#[from] QuotaExceeded),
    /// The host is at its limit.
    #[error("{JOBS_MAX} jobs are running, which is as many as there may be")]
    Busy,
}

/// What a quota is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Processor time, in milliseconds.
    Cpu,
    /// Bytes that plugins took.
    BytesIn,
    /// Bytes that plugins gave.
    BytesOut,
    /// Jobs at the same time.
    Jobs,
}

impl Which {
    fn unit(self) -> &'static str {
        match self {
            Self::Cpu => "ms of processor time",
            Self::BytesIn => "bytes of input",
            Self::BytesOut => "bytes of output",
            Self::Jobs => "jobs at the same time",
        }
    }
}

/// A tenant has used up what it may use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("tenant `{tenant}` has used {used} {}, of {allowed} that it may use", which.unit())]
pub struct QuotaExceeded {
    /// The tenant.
    pub tenant: String,
    /// What there is too much of.
    pub which: Which,
    /// How much was used, in the unit of the quota.
    pub used: u64,
    /// How much may be.
    pub allowed: u64,
}

/// Why a job did not come to its end. A source that failed is no such reason.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JobError {
    /// It cannot be run as it is described.
    #[error(transparent)]
    Spec(#[from] Problem),
    /// A name is not of a file beneath the tenant's directory.
    #[error("{}: is not in the tenant's directory", Shown::of(&path))]
    Outside {
        /// As it was named.
        path: PathBuf,
    },
    /// The job ended early.
    #[error(transparent)]
    Job(#[from] job::Error),
    /// The tenant has used up what it may use.
    #[error(transparent)]
    Quota(QuotaExceeded),
    /// Somebody cancelled it.
    #[error("the job was cancelled")]
    Cancelled,
    /// The host has a flaw.
    #[error("the job crashed in the host")]
    Crashed,
}
