//! The lines that were added to one file, as a job; and their commit.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use parking_lot::Mutex;

use super::Follow;
use super::edges::{self, Edges};
use super::file::{Role, State};
use super::outputs::{Appended, Appender, Unopened};
use crate::job::Observer;
use crate::ledger::{Change, FollowStage, Inode};
use crate::prepare::FoundSource;
use crate::process::{Failure, FailureKind};
use crate::settings::Decompress;
use crate::settings::limits::{FOLLOW_BYTES, WATCH_SCAN_BLIND};
use crate::source::{OpenFile, Way};
use crate::spec::{InputSpec, JobSpec, OutputSpec};
use crate::watch::batch::{End, Heard};
use crate::watch::{Given, Interrupted, backoff, on_a_stack};

/// How a job over a part of a file went.
pub(super) enum Went {
    /// Its output is written up to there, and not committed.
    Written(u64),
    /// The file changed, or is gone: it is looked at again.
    Again,
    /// Nothing comes of it.
    Failed(Box<Failure>),
    /// A disk takes nothing, or the job was stopped.
    Stopped(String),
}

impl Follow<'_> {
    /// Does what there is to do with one file.
    pub(super) fn step(&mut self, inode: Inode) -> Result<(), Interrupted> {
        let Some(file) = self.files.get_mut(&inode) else { return Ok(()) };
        let seen = file.row.seen_bytes;
        let bytes = match file.look() {
            Ok(State::Goes(bytes)) => bytes,
            Ok(State::Gone) => {
                file.is_due = false;
                return Ok(());
            }
            Ok(State::Other) => return self.begin_anew(inode),
            Err(error) => {
                file.due = Some(Instant::now() + WATCH_SCAN_BLIND);
                let (path, first) = (file.path().to_path_buf(), file.row.why.is_none());
                file.row.why = Some(error.to_string());
                if first {
                    self.note(&path, &format!("{error}: is read when it can be"));
                }
                return Ok(());
            }
        };
        if file.row.stage == FollowStage::Failed && bytes < seen {
            (file.row.stage, file.row.attempts) = (FollowStage::Follows, 0);
        }
        // What cannot be processed stays there, until somebody asks for it or the file is cut.
        if bytes == file.row.done_bytes || file.row.stage == FollowStage::Failed {
            (file.is_due, file.due) = (false, None);
            return Ok(());
        }
        if file.row.done_bytes == 0 && file.role == Role::Own {
            file.role = Role::New; // a copy of it may have been taken since
        }
        if file.role != Role::Own && !self.settle_copy(inode)? {
            return Ok(());
        }
        self.take_part(inode, bytes)
    }

    /// Processes what is whole of what was added.
    fn take_part(&mut self, inode: Inode, bytes: u64) -> Result<(), Interrupted> {
        let idle = self.spec.watch.idle.0;
        if let Err(failure) = self.begin_well(inode) {
            return self.failed(inode, &failure);
        }
        let Some(file) = self.files.get_mut(&inode) else { return Ok(()) };
        let done = file.row.done_bytes;
        if done == bytes {
            return Ok(()); // of a copy, all is done
        }
        let to = bytes.min(done.saturating_add(FOLLOW_BYTES));
        let (grown, is_gone) = (file.grown, file.is_gone);
        let opened = file.open().and_then(|open| open.map(File::try_clone).transpose());
        let Ok(Some(open)) = opened else { return Ok(()) };
        let Ok(end) = edges::last_line_end(&open, done, to) else {
            return Ok(()); // it is shorter by now, which the next look tells
        };
        let is_last = to == bytes;
        let end = match end {
            Some(end) => end,
            None if !is_last || is_gone || grown.elapsed() >= idle => to,
            None => {
                // With --once nobody waits for its end.
                file.is_due = !self.spec.watch.once;
                file.due = Some(grown + idle);
                return Ok(());
            }
        };
        let Ok(edges) = Edges::read(&open, end) else { return Ok(()) };
        let before = Edges::of(&file.row);
        let part = Arc::new(OpenFile { file: open, part: Some(done..end) });
        let (path, output) = (file.path().to_path_buf(), file.output().to_path_buf());
        let way = Way::Opened(Arc::clone(&part));
        let went = self.process(&path, &output, (way, end - done), done > 0)?;
        // What was read is what is there, before and behind where it began.
        let is_same = [before, edges].iter().all(|it| it.begin(&part.file).unwrap_or_default());
        match (went, is_same) {
            (Went::Written(length), true) => {
                let Some(file) = self.files.get_mut(&inode) else { return Ok(()) };
                edges.put(&mut file.row);
                file.row.stage = FollowStage::Follows;
                (file.row.attempts, file.row.why) = (0, None);
                (file.row.at, file.due) = (SystemTime::now(), None);
                file.is_due = file.row.seen_bytes > end;
                let row = file.row.clone();
                self.commit(&output, length, vec![Change::Followed(Box::new(row))])?;
                self.ended.bytes += end - done;
                Ok(())
            }
            (Went::Failed(failure), true) => self.failed(inode, &failure),
            (Went::Stopped(why), _) => {
                self.pause.begin(&why, &**self.events);
                Ok(())
            }
            // It was cut or replaced meanwhile: what was read may be of both.
            (Went::Written(_) | Went::Again | Went::Failed(_), _) => Ok(()),
        }
    }

    /// Finds out where the output of a file goes, and whether it is text whose lines end in a line
    /// feed, before anything of it is processed.
    fn begin_well(&mut self, inode: Inode) -> Result<(), Failure> {
        let Some(file) = self.files.get_mut(&inode) else { return Ok(()) };
        if file.row.done_bytes == 0
            && let Ok(Some(open)) = file.open()
            && edges::is_wide(open).unwrap_or_default()
        {
            let why = "is UTF-16 or UTF-32: only text whose lines end in one byte is followed";
            return Err(Failure::new(FailureKind::Decode, why).hint("write it as UTF-8"));
        }
        if file.row.output.is_empty() {
            let path = file.path().to_path_buf();
            let output = self.output_of(&path).map_err(|problem| {
                let failure = Failure::new(FailureKind::Write, problem.text());
                match problem.advice() {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            })?;
            if let Some(file) = self.files.get_mut(&inode) {
                file.row.output = output.into_os_string().into_encoded_bytes();
            }
        }
        Ok(())
    }

    /// Runs the job over one source, and leaves its output behind what is committed.
    pub(super) fn process(
        &mut self,
        path: &Path,
        output: &Path,
        (way, bytes): (Way, u64),
        is_within: bool,
    ) -> Result<Went, Interrupted> {
        let (rows, warning) = match self.outputs.open(output, &self.reader) {
            Ok(opened) => opened,
            Err(Unopened::Ledger(error)) => return Err(error.into()),
            Err(Unopened::Io(error)) if error.kind() == io::ErrorKind::AlreadyExists => {
                let message = format!("{}: {error}", output.display());
                let hint = "move it away, or write elsewhere";
                let failure = Failure::new(FailureKind::Write, message).hint(hint);
                return Ok(Went::Failed(Box::new(failure)));
            }
            Err(Unopened::Io(error)) => {
                return Ok(Went::Stopped(format!("{}: {error}", output.display())));
            }
        };
        let (file, end) = match rows.writer() {
            Ok(writer) => writer,
            Err(error) => return Ok(Went::Stopped(error.to_string())),
        };
        let appended = Arc::new(Mutex::new(Appended { file, end, failed: None }));
        if let Some(warning) = warning {
            self.note(output, &warning);
        }
        let named = self.trees.name(path).unwrap_or_else(|| path.to_path_buf());
        let source = FoundSource { path: named, way, bytes };
        let spec = self.spec_of(&source, is_within);
        let directories = self.trees.named();
        let given = Given { named: &directories, remembers: None, found: Some(source) };
        let heard = Heard::new(self.events);
        let listener = Arc::clone(&heard) as Arc<dyn Observer>;
        let out = Box::new(Appender(Arc::clone(&appended)));
        let runs = self.runs;
        let ran = on_a_stack(runs, || runs.run(&spec, &given, &listener, out))?;
        let (end, failed) = {
            let mut appended = appended.lock();
            (appended.end, appended.failed.take())
        };
        let Some(rows) = self.outputs.opened(output) else { return Ok(Went::Again) };
        rows.tried(end);
        if let Some(error) = failed {
            return Ok(Went::Stopped(format!("{}: {error}", output.display())));
        }
        let summary = match ran {
            Ok(ended) => ended.summary,
            Err(problem) => return Ok(Went::Stopped(problem.text())),
        };
        match (heard.first(), summary) {
            (Some(End::Failed(failure)), _) => Ok(Went::Failed(failure)),
            (Some(End::Unread), _) => Ok(Went::Stopped("the job was stopped".into())),
            (Some(_), _) => Ok(Went::Again),
            (None, Ok(summary)) if summary.unread > 0 || summary.failed > 0 => Ok(Went::Again),
            (None, Ok(_)) => match rows.finish(end) {
                Ok(end) => Ok(Went::Written(end)),
                Err(error) => Ok(Went::Stopped(format!("{}: {error}", output.display()))),
            },
            (None, Err(error)) => Ok(Went::Stopped(error.to_string())),
        }
    }

    /// The job over a part of a file, or over a compressed one.
    fn spec_of(&self, source: &FoundSource, is_within: bool) -> JobSpec {
        let inputs = &self.spec.inputs;
        let is_open = matches!(source.way, Way::Opened(_));
        let decompress = if is_open { Decompress::None } else { inputs.decompress.clone() };
        let encoding = if is_within { "none".into() } else { inputs.encoding.clone() };
        let inputs = InputSpec {
            files: vec![source.path.clone()],
            include: Vec::new(),
            exclude: Vec::new(),
            archives: false,
            decompress,
            encoding,
            ..inputs.clone()
        };
        let output = OutputSpec { out: "-".into(), name: None, ..self.spec.output.clone() };
        JobSpec { inputs, output, ..self.spec.clone() }
    }

    /// Commits output up to there, and what it is of.
    pub(super) fn commit(
        &mut self,
        output: &Path,
        length: u64,
        mut changes: Vec<Change>,
    ) -> Result<(), Interrupted> {
        use std::os::unix::ffi::OsStrExt;
        let path = output.as_os_str().as_bytes().to_vec();
        changes.push(Change::Appended { job: self.job, path, bytes: length });
        let ticket = self.ledger.change(changes)?;
        self.ledger.wait(ticket)?;
        if let Some(rows) = self.outputs.opened(output) {
            rows.settle(length);
        }
        self.ended.committed += 1;
        self.pause.end(&**self.events);
        Ok(())
    }

    /// What comes next in a file cannot be processed: it is tried again, or stays.
    fn failed(&mut self, inode: Inode, failure: &Failure) -> Result<(), Interrupted> {
        let Some(file) = self.files.get_mut(&inode) else { return Ok(()) };
        file.row.attempts += 1;
        file.row.why = Some(format!("{}: {failure}", failure.kind.word()));
        let is_final = file.row.attempts > self.spec.watch.retries;
        let at = file.row.done_bytes;
        let path = file.path().to_path_buf();
        if is_final {
            file.row.stage = FollowStage::Failed;
            file.is_due = false;
            self.ended.failed += 1;
        } else {
            file.due = Some(Instant::now() + backoff(file.row.attempts));
        }
        let row = file.row.clone();
        let next = if is_final {
            format!("stays at byte {at} until `host ledger retry`")
        } else {
            format!("tried again in {}", humantime::format_duration(backoff(row.attempts)))
        };
        let hint = failure.hint.as_deref().map(|hint| format!("; hint: {hint}"));
        self.note(&path, &format!("{failure}: {next}{}", hint.unwrap_or_default()));
        self.ledger.change(vec![Change::Followed(Box::new(row))])?;
        Ok(())
    }
}
