//! What the file system tells of changes, as hints: they shorten the wait until the next scan, and
//! nothing depends on one of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

use notify::event::{AccessKind, AccessMode, CreateKind, Event, EventKind, ModifyKind, RenameMode};
use notify::{Config, ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::ready::Hint;

/// What the watch is woken by.
#[derive(Debug)]
pub(super) enum Signal {
    /// Something became of a file.
    File(PathBuf, Hint),
    /// A directory is there that was not.
    Directory(PathBuf),
    /// Events were lost.
    Lost,
    /// The job that ran has ended.
    Ended,
    /// Whoever started the watch wants it to end.
    Stop,
}

/// Hears of changes while it is there.
pub(super) struct Ears {
    _watcher: RecommendedWatcher,
    overflowed: Arc<AtomicBool>,
}

impl Ears {
    /// Listens to these directories, and all below them. Signals that do not fit are dropped, which
    /// is told.
    ///
    /// # Errors
    /// With why nothing can be heard, and what can be done about it.
    pub(super) fn listen<'p>(
        directories: impl Iterator<Item = &'p Path>,
        signals: &SyncSender<Signal>,
    ) -> Result<Self, String> {
        let overflowed = Arc::new(AtomicBool::new(false));
        let (lost, signals) = (Arc::clone(&overflowed), signals.clone());
        let send = move |signal| {
            if let Err(TrySendError::Full(_)) = signals.try_send(signal) {
                lost.store(true, Ordering::Release);
            }
        };
        let heard = move |event: notify::Result<Event>| match event {
            Ok(event) => signals_of(event, &send),
            Err(_) => send(Signal::Lost),
        };
        let config = Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(heard, config).map_err(|error| hinted(&error))?;
        for directory in directories {
            watcher.watch(directory, RecursiveMode::Recursive).map_err(|error| hinted(&error))?;
        }
        Ok(Self { _watcher: watcher, overflowed })
    }

    /// Whether signals were dropped since this was asked last.
    pub(super) fn overflowed(&self) -> bool {
        self.overflowed.swap(false, Ordering::AcqRel)
    }
}

fn signals_of(event: Event, send: &impl Fn(Signal)) {
    if event.need_rescan() {
        send(Signal::Lost);
    }
    let hint = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Hint::Closed,
        EventKind::Create(CreateKind::Folder) => {
            return event.paths.into_iter().for_each(|path| send(Signal::Directory(path)));
        }
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Hint::MovedIn,
        EventKind::Create(_) => Hint::Made,
        EventKind::Access(AccessKind::Open(_)) => Hint::Opened,
        EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => Hint::Touched,
        _ => return,
    };
    for path in event.paths {
        // What is moved in may be a directory.
        let signal = match hint {
            Hint::MovedIn if path.is_dir() => Signal::Directory(path),
            _ => Signal::File(path, hint),
        };
        send(signal);
    }
}

/// Why nothing is heard, with the limit that has to be raised, where it is one.
fn hinted(error: &notify::Error) -> String {
    match &error.kind {
        ErrorKind::MaxFilesWatch => {
            "too many directories: raise the limit with `sysctl fs.inotify.max_user_watches=1048576`"
                .into()
        }
        ErrorKind::Io(error) if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            "too many watches: raise the limit with `sysctl fs.inotify.max_user_instances=1024`".into()
        }
        _ => error.to_string(),
    }
}
