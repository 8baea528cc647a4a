//! Files whose size is not what can be read of them: those that the kernel makes as they are read
//! (proc(5), sysfs(5)), and others that have 0 bytes and say something all the same. They are read
//! to their end, as a pipe is.

use std::fs::File;
use std::os::unix::fs::FileExt;

use rustix::fs::{Dev, Stat};

use crate::platform;

/// `f_type` of file systems of that kind (statfs(2), and `include/uapi/linux/magic.h`).
const KERNELS_OWN: [u64; 16] = [
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x7363_6673, // securityfs
    0xf97c_ff8c, // selinuxfs
    0xcafe_4a11, // bpf
    0x6265_6570, // configfs
    0xde5e_81e4, // efivarfs
    0x6165_676c, // pstore
    0x6573_5543, // fusectl
    0x4249_4e4d, // binfmt_misc
    0x4341_5d53, // smackfs
    0x0765_5821, // resctrl
];

/// Which devices are of the kernel's own making, as far as they have been met: each is asked for
/// once.
#[derive(Debug, Default)]
pub(super) struct Devices(Vec<(Dev, bool)>);

impl Devices {
    /// Whether a regular file has to be read to know what is in it.
    pub(super) fn is_pseudo(&mut self, file: &File, stat: &Stat) -> bool {
        if stat.st_size == 0 {
            // An empty one gives nothing here, either.
            return file.read_at(&mut [0], 0).is_ok_and(|got| got > 0);
        }
        // Disks have device numbers of their own.
        rustix::fs::major(stat.st_dev) == 0 && self.is_kernels_own(file, stat.st_dev)
    }

    fn is_kernels_own(&mut self, file: &File, device: Dev) -> bool {
        if let Some((_, known)) = self.0.iter().find(|(met, _)| *met == device) {
            return *known;
        }
        let kind = platform::file_system(file);
        let is_own = kind.is_some_and(|kind| KERNELS_OWN.contains(&(kind & 0xffff_ffff)));
        self.0.push((device, is_own));
        is_own
    }
}
