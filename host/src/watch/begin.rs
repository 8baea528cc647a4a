//! What a watch begins with: its directories, when it was first begun, the file for its rows, and
//! ears.

use std::time::SystemTime;

use super::append::{Found, Rows};
use super::events::Ears;
use super::tree::{Trees, real};
use super::{Inbox, Interrupted, after, is_tree};
use crate::job::Observer;
use crate::ledger::{Change, JobId, Ledger, Reader};
use crate::name::Shown;
use crate::settings::limits::WATCH_SCAN_BLIND;
use crate::settings::{AfterCommit, OnFail};
use crate::source::Filter;
use crate::spec::{JobSpec, Problem};

/// The directories that are watched, without those that the watch writes to.
pub(super) fn open(spec: &JobSpec, ledger: &Ledger) -> Result<Trees, Problem> {
    let (inputs, watch, output) = (&spec.inputs, &spec.watch, &spec.output);
    let filter = Filter::new(&inputs.include, &inputs.exclude).map_err(Problem::new)?;
    let mut own = ledger.files();
    own.push(output.out.clone());
    own.extend(output.rejects.clone());
    if let AfterCommit::Move(to) = &watch.after {
        own.extend(Some(after::directory(to)).filter(|it| !it.as_os_str().is_empty()));
    }
    if let OnFail::Move(to) = &watch.on_fail {
        own.push(to.clone());
    }
    Trees::open(&inputs.files, filter, own)
}

/// Before what a watch that follows files was told of those that were there.
const APPEND: &str = "append ";

/// When the watch was begun for the first time. What it was told of files that were there stays.
pub(super) fn founded(
    spec: &JobSpec,
    ledger: &Ledger,
    reader: &Reader,
    job: JobId,
) -> Result<SystemTime, Interrupted> {
    let words = spec.watch.existing.to_string();
    let existing = if spec.watch.append { format!("{APPEND}{words}") } else { words.clone() };
    match reader.founded(job)? {
        Some((then, at)) if then == existing => Ok(at),
        Some((then, _)) if then.starts_with(APPEND) != spec.watch.append => {
            let how = if spec.watch.append { "without" } else { "with" };
            let message = format!("⟦append⟧: this watch was begun {how} it");
            let hint = "another ⟦ledger⟧ and another ⟦out⟧ begin anew";
            Err(Problem::new(message).of("append").hint(Some(hint)).into())
        }
        Some((then, _)) => {
            let then = then.strip_prefix(APPEND).unwrap_or(&then);
            let message = format!("⟦existing⟧ {words}: this watch was begun with {then}");
            let hint = format!("⟦existing⟧ {then} goes on; another ⟦ledger⟧ begins anew");
            Err(Problem::new(message).of("existing").hint(Some(&hint)).into())
        }
        None => {
            let at = SystemTime::now();
            let ticket = ledger.change(vec![Change::Founded { job, existing, at }])?;
            ledger.wait(ticket)?;
            Ok(at)
        }
    }
}

/// Says what is watched, and where the ledger is.
pub(super) fn announce(doing: &str, trees: &Trees, ledger: &Ledger, events: &dyn Observer) {
    let names: Vec<_> = trees.named().iter().map(|it| Shown::of(it).to_string()).collect();
    let place = ledger.files().into_iter().next().unwrap_or_default();
    events.note(&format!("{doing} {}; ledger {}", names.join(", "), Shown::of(&place)));
}

/// The file that takes rows, as long as it was committed.
pub(super) fn rows(
    spec: &JobSpec,
    reader: &Reader,
    job: JobId,
    events: &dyn Observer,
) -> Result<Option<Rows>, Interrupted> {
    let out = &spec.output.out;
    if is_tree(out) {
        return Ok(None);
    }
    let path = real(out);
    let committed = reader.appended(job, path.as_os_str().as_encoded_bytes())?;
    let opened = Rows::open(&path, committed, spec.output.durable);
    let (rows, found) = opened.map_err(|error| {
        let hint = "name a file that is not there yet, and that no other watch writes to";
        Problem::new(format!("⟦out⟧ {}: {error}", Shown::of(out))).of("out").hint(Some(hint))
    })?;
    match found {
        Found::AsLeft => {}
        Found::Cut(bytes) => {
            let what = "bytes behind the last committed row are cut off";
            events.note(&format!("{}: {bytes} {what}", Shown::of(out)));
        }
        Found::Shorter => events.note(&format!(
            "{}: is shorter than it was left; new rows come behind what is there",
            Shown::of(out)
        )),
    }
    Ok(Some(rows))
}

/// Listens for changes; where that is not possible, all is listed more often.
pub(super) fn listen(trees: &Trees, inbox: &Inbox, events: &dyn Observer) -> Option<Ears> {
    match Ears::listen(trees.real(), &inbox.signals) {
        Ok(ears) => Some(ears),
        Err(why) => {
            let pause = WATCH_SCAN_BLIND.as_secs();
            events.note(&format!("no events, so all is listed every {pause} s: {why}"));
            None
        }
    }
}
