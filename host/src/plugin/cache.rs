//! Compiled code on disk, so that a plugin is compiled once.
//!
//! Code that is loaded runs unchecked, so nothing is loaded but what this user's host has written:
//! the directory is private, and a keyed MAC covers the name and the bytes of each entry. Any doubt
//! means that the plugin is compiled again; a cache that cannot be used is no error.
//!
//! A process that goes into a jail takes the code of its plugins with it, and nothing else: no
//! directory, and no key that would have others believe what it writes.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use parking_lot::Mutex;

use super::sealed::Sealed;
use crate::name::Shown;
use crate::settings::limits::{BULK_PIECE_BYTES, CACHE_BYTES_MAX};

const KEY_BYTES: usize = 32;
const MAC_BYTES: usize = blake3::OUT_LEN;

/// Compiled code by the names of what it was compiled from.
#[derive(Debug)]
pub struct Cache(Place);

#[derive(Debug)]
enum Place {
    Dir(Dir),
    /// The memory of this process.
    Memory(Mutex<BTreeMap<String, Vec<u8>>>),
}

/// A directory of compiled code.
#[derive(Debug)]
struct Dir {
    path: PathBuf,
    key: [u8; KEY_BYTES],
}

/// What a directory of compiled code is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheState {
    /// Plugins whose code is kept.
    pub entries: u64,
    /// Bytes of their code.
    pub bytes: u64,
    /// Permissions of the directory.
    pub mode: u32,
}

/// Compiled code that may be run: its MAC is right, or this process has just had it compiled.
pub(super) enum Trusted {
    /// What a compiler has answered that this process has started, or what this user's host has
    /// written, in this process's own memory.
    Compiled(Vec<u8>),
    /// What this user's host has written, in memory that is sealed.
    Kept(Sealed),
}

impl Cache {
    /// Opens the cache in `dir`, which is made where it is missing.
    ///
    /// # Errors
    /// When it cannot be made or read, or others can reach into it.
    pub fn open(dir: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        private(&fs::symlink_metadata(dir)?, 0o077)?;
        let key = key(&dir.join("key"))?;
        Ok(Self(Place::Dir(Dir { path: dir.to_path_buf(), key })))
    }

    /// One that is this process's own, and ends with it.
    pub fn in_memory() -> Self {
        Self(Place::Memory(Mutex::default()))
    }

    /// Looks at the directory, and whether it can be written to; `None` where there is none. Makes
    /// nothing that stays.
    ///
    /// # Errors
    /// When it could not be used.
    pub fn look(dir: &Path) -> io::Result<Option<CacheState>> {
        let found = match fs::symlink_metadata(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found?,
        };
        private(&found, 0o077)?;
        tempfile::tempfile_in(dir)?;
        let mut state = CacheState { mode: found.mode() & 0o7777, ..CacheState::default() };
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.path().extension().is_some_and(|extension| extension == "code") {
                state.entries += 1;
                state.bytes += entry.metadata()?.len();
            }
        }
        Ok(Some(state))
    }

    /// The name of what `component` compiles to in `engine` on this machine.
    pub(super) fn name(engine: &wasmtime::Engine, component: &[u8]) -> String {
        let mut digest = Digest(blake3::Hasher::new());
        // Covers the engine's version, its switches, and the CPU features that it compiles for.
        engine.precompile_compatibility_hash().hash(&mut digest);
        digest.0.update(env!("CARGO_PKG_VERSION").as_bytes());
        digest.0.update(&BULK_PIECE_BYTES.to_le_bytes());
        digest.0.update(component);
        digest.0.finalize().to_hex().to_string()
    }

    /// The code of that name, if it is there and as it was written.
    pub(super) fn load(&self, name: &str) -> Option<Trusted> {
        match &self.0 {
            Place::Dir(dir) => dir.load(name),
            Place::Memory(kept) => {
                let kept = kept.lock();
                kept.get(name).map(|code| Trusted::Compiled(code.clone()))
            }
        }
    }

    /// Keeps code under a name.
    pub(super) fn store(&self, name: &str, code: &[u8]) -> io::Result<()> {
        match &self.0 {
            Place::Dir(dir) => dir.store(name, code),
            Place::Memory(kept) => {
                let mut kept = kept.lock();
                kept.insert(name.to_string(), code.to_vec());
                Ok(())
            }
        }
    }
}

impl Dir {
    fn load(&self, name: &str) -> Option<Trusted> {
        let mut file = File::open(self.file(name)).ok()?;
        let mut mac = [0; MAC_BYTES];
        file.read_exact(&mut mac).ok()?;
        let mut found = self.hasher(name);
        let code = if let Ok(sealed) = Sealed::copy(&mut file, |part| _ = found.update(part)) {
            Trusted::Kept(sealed)
        } else {
            // No such files are to be had here.
            let mut code = Vec::new();
            file.seek(SeekFrom::Start(MAC_BYTES as u64)).ok()?;
            file.read_to_end(&mut code).ok()?;
            found = self.hasher(name);
            found.update(&code);
            Trusted::Compiled(code)
        };
        // `blake3::Hash` compares in constant time.
        if found.finalize() != blake3::Hash::from_bytes(mac) {
            tracing::warn!(
                "{}: not what was written: compiling again",
                Shown::of(&self.file(name))
            );
            return None;
        }
        let _ = file.set_modified(SystemTime::now()); // only decides what is dropped first
        Some(code)
    }

    /// Visible only when whole. Drops the oldest where there is too much.
    fn store(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
        file.write_all(self.mac(name, code).as_bytes())?;
        file.write_all(code)?;
        file.persist(self.file(name))?;
        self.prune(CACHE_BYTES_MAX)
    }

    fn prune(&self, bytes_max: u64) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.path().extension().is_some_and(|extension| extension == "code") {
                let metadata = entry.metadata()?;
                entries.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        entries.sort_unstable_by(|a, b| b.cmp(a));
        let mut bytes = 0;
        for (_, length, path) in entries {
            bytes += length;
            if bytes > bytes_max {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn mac(&self, name: &str, code: &[u8]) -> blake3::Hash {
        self.hasher(name).update(code).finalize()
    }

    fn hasher(&self, name: &str) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(name.as_bytes());
        hasher
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name).with_extension("code")
    }
}

/// The key file, made where it is missing. Two hosts that make it at once agree: only one can link
/// its own.
fn key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    if !path.exists() {
        let mut fresh = [0; KEY_BYTES];
        File::open("/dev/urandom")?.read_exact(&mut fresh)?;
        let dir = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().make_in(dir, |path| {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
        })?;
        file.write_all(&fresh)?;
        match file.persist_noclobber(path) {
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(error.error);
            }
            _ => {}
        }
    }
    let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path)?;
    private(&file.metadata()?, 0o077)?;
    let mut key = [0; KEY_BYTES];
    file.read_exact(&mut key)?;
    Ok(key)
}

/// Refuses what is somebody else's, or what others can read or change.
fn private(metadata: &fs::Metadata, others: u32) -> io::Result<()> {
    if metadata.is_symlink() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("it is not this user's own"));
    }
    if metadata.mode() & others != 0 {
        return Err(io::Error::other("others have access to it; want mode 0700, its key 0600"));
    }
    Ok(())
}

struct Digest(blake3::Hasher);

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.finalize();
        hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn cache() -> (tempfile::TempDir, Dir) {
        let dir = tempfile::tempdir().unwrap();
        let cache = open(&dir.path().join("cache"));
        (dir, cache)
    }

    fn open(path: &Path) -> Dir {
        match Cache::open(path).unwrap().0 {
            Place::Dir(dir) => dir,
            Place::Memory(_) => unreachable!("a directory was opened"),
        }
    }

    #[test]
    fn what_is_kept_comes_back_under_its_own_name_only() {
        let (_dir, cache) = cache();
        cache.store("a", b"code").unwrap();
        let Some(Trusted::Kept(code)) = cache.load("a") else { panic!("it is there") };
        assert_eq!(code.bytes().unwrap(), b"code");
        assert!(cache.load("b").is_none());
        fs::copy(cache.file("a"), cache.file("b")).unwrap();
        assert!(cache.load("b").is_none(), "the MAC covers the name");
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let (_dir, cache) = cache();
        cache.store("a", b"code").unwrap();
        let whole = fs::read(cache.file("a")).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(cache.file("a"), &bytes).unwrap();
            assert!(cache.load("a").is_none(), "byte {at}");
            fs::write(cache.file("a"), &whole[..at]).unwrap();
            assert!(cache.load("a").is_none(), "cut at {at}");
        }
    }

    #[test]
    fn a_cache_with_another_key_is_not_believed() {
        let (_dir, cache) = cache();
        cache.store("a", b"code").unwrap();
        fs::write(cache.path.join("key"), [7; KEY_BYTES]).unwrap();
        assert!(open(&cache.path).load("a").is_none());
    }

    #[test]
    fn a_directory_that_others_can_reach_is_refused() {
        let (_dir, cache) = cache();
        fs::set_permissions(&cache.path, fs::Permissions::from_mode(0o755)).unwrap();
        let error = Cache::open(&cache.path).unwrap_err();
        assert!(error.to_string().contains("others have access"), "{error}");
    }

    #[test]
    fn the_oldest_is_dropped_first() {
        let (_dir, cache) = cache();
        for (name, age) in [("old", 300), ("new", 0), ("middle", 100)] {
            cache.store(name, &[0; 100]).unwrap();
            let time = SystemTime::now() - std::time::Duration::from_secs(age);
            File::options().write(true).open(cache.file(name)).unwrap().set_modified(time).unwrap();
        }
        cache.prune(2 * (100 + MAC_BYTES as u64)).unwrap();
        let kept = ["old", "middle", "new"].map(|name| cache.load(name).is_some());
        assert_eq!(kept, [false, true, true]);
    }
}
