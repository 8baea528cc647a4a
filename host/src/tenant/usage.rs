//! What a tenant has used, and whether that is too much. Knows neither jobs nor threads.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::error::{QuotaExceeded, Which};
use crate::settings::Quotas;

/// What a tenant has used so far, over all of its jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Processor time: of guests, and of the host on their behalf.
    pub cpu: Duration,
    /// Bytes that plugins took.
    pub bytes_in: u64,
    /// Bytes that plugins gave.
    pub bytes_out: u64,
    /// Jobs that run now.
    pub jobs: usize,
}

/// A tenant's account.
#[derive(Debug)]
pub(super) struct Account {
    tenant: String,
    quotas: Quotas,
    used: Mutex<Used>,
}

impl Account {
    pub(super) fn new(tenant: String, quotas: Quotas) -> Self {
        Self { tenant, quotas, used: Mutex::default() }
    }

    pub(super) fn used(&self) -> Used {
        *self.lock()
    }

    /// Adds to what was used.
    ///
    /// # Errors
    /// When it is too much then.
    pub(super) fn charge(
        &self,
        cpu: Duration,
        bytes_in: u64,
        bytes_out: u64,
    ) -> Result<(), QuotaExceeded> {
        let mut used = self.lock();
        used.cpu += cpu;
        used.bytes_in += bytes_in;
        used.bytes_out += bytes_out;
        self.check(&used)
    }

    /// One more job.
    ///
    /// # Errors
    /// When there are as many as there may be, or nothing is left to use.
    pub(super) fn begin_job(&self) -> Result<(), QuotaExceeded> {
        let mut used = self.lock();
        self.check(&used)?;
        let jobs = used.jobs + 1;
        if let Some(allowed) = self.quotas.jobs.filter(|allowed| jobs > *allowed) {
            return Err(self.exceeded(Which::Jobs, jobs as u64, allowed as u64));
        }
        used.jobs = jobs;
        Ok(())
    }

    /// One less.
    pub(super) fn end_job(&self) {
        let mut used = self.lock();
        used.jobs = used.jobs.saturating_sub(1);
    }

    fn check(&self, used: &Used) -> Result<(), QuotaExceeded> {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let quotas = [
            (Which::Cpu, ms(used.cpu), self.quotas.cpu.map(ms)),
            (Which::BytesIn, used.bytes_in, self.quotas.bytes_in),
            (Which::BytesOut, used.bytes_out, self.quotas.bytes_out),
        ];
        for (which, used, allowed) in quotas {
            if let Some(allowed) = allowed.filter(|allowed| used > *allowed) {
                return Err(self.exceeded(which, used, allowed));
            }
        }
        Ok(())
    }

    fn exceeded(&self, which: Which, used: u64, allowed: u64) -> QuotaExceeded {
        QuotaExceeded { tenant: self.tenant.clone(), which, used, allowed }
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quota_is_reported_by_name_with_its_figures() {
        let account = |quotas| Account::new("a".into(), quotas);
        let cpu = account(Quotas { cpu: Some(Duration::from_secs(1)), ..Quotas::default() });
        assert_eq!(cpu.charge(Duration::from_secs(1), 10, 10), Ok(()));
        let error = cpu.charge(Duration::from_millis(5), 0, 0).unwrap_err();
        let said = "tenant `a` has used 1005 ms of processor time, of 1000 that it may use";
        assert_eq!(error.to_string(), said);
        assert_eq!(cpu.begin_job(), Err(error));

        let bytes_in = account(Quotas { bytes_in: Some(9), ..Quotas::default() });
        let error = bytes_in.charge(Duration::ZERO, 10, 100).unwrap_err();
        assert_eq!((error.which, error.used, error.allowed), (Which::BytesIn, 10, 9));
        let bytes_out = account(Quotas { bytes_out: Some(99), ..Quotas::default() });
        let error = bytes_out.charge(Duration::ZERO, 10, 100).unwrap_err();
        assert_eq!((error.which, error.used, error.allowed), (Which::BytesOut, 100, 99));

        let jobs = account(Quotas { jobs: Some(1), ..Quotas::default() });
        assert_eq!(jobs.begin_job(), Ok(()));
        let error = jobs.begin_job().unwrap_err();
        assert_eq!((error.which, error.used, error.allowed), (Which::Jobs, 2, 1));
        jobs.end_job();
        assert_eq!(jobs.begin_job(), Ok(()));
    }
}
