//! What there is to say at the end of a run, and how the process ends.

use std::io::{self, IsTerminal};

use bytesize::ByteSize;

use super::Exit;
use super::losses::Losses;
use super::say::{self, Teller};
use crate::job::Error;
use crate::name::number;
use crate::prepare::JobEnded;
use crate::spec::{JobSpec, Problem};
use crate::stats::{Report, Stats};

/// Says what there is to say at the end, and how the process ends.
pub(super) fn conclude<'a>(
    ended: JobEnded,
    spec: &'a JobSpec,
    stats: &'a Stats,
    interrupted: bool,
    teller: &'a Teller,
) -> Result<Exit, Problem> {
    let JobEnded { summary: ended, sources: all, report } = ended;
    let losses = Losses::of(&spec.output, teller, stats);
    let non_regular = stats.non_regular();
    if non_regular > 0 {
        let (one, many) =
            ("entry that is no regular file was", "entries that are no regular files were");
        say::line(&format!("{} skipped", number(non_regular, one, many)));
    }
    if let Ok(summary) = &ended
        && !interrupted
        && summary.unread > 0
    {
        let all = number(all, "source", "sources");
        let were = if summary.unread == 1 { "was" } else { "were" };
        say::line(&format!("{} of {all} {were} not read to the end", summary.unread));
    }
    losses.report_replaced();
    losses.report_unopened();
    if let Ok(summary) = &ended {
        losses.report(&summary.set_aside);
    }
    let output = &spec.output;
    if output.summary || !output.quiet && io::stderr().is_terminal() {
        say::line(&in_one_line(&report));
    }
    match ended {
        Ok(summary) if interrupted => {
            let done = all - summary.unread;
            let all = number(all, "source is", "sources are");
            say::line(&format!("interrupted: {done} of {all} done"));
            Ok(Exit::Interrupted)
        }
        Ok(summary) if summary.failed > 0 => {
            let all = summary.sources + summary.unread;
            let all = number(all, "source", "sources");
            say::line(&format!("{} of {all} failed", summary.failed));
            Ok(Exit::Failed)
        }
        Ok(summary) if summary.total_failed || summary.unread > 0 => Ok(Exit::Failed),
        Ok(summary) if losses.are_unasked(summary.set_aside.records) => Ok(Exit::Failed),
        Ok(_) => Ok(Exit::Done),
        Err(error) => without_end(error, &losses),
    }
}

/// How much was done, in which time, with how much memory.
fn in_one_line(report: &Report) -> String {
    let Report { files, failed, bytes, seconds, peak_rss_bytes, .. } = *report;
    let size = |bytes: u64| ByteSize(bytes).display().iec();
    let sources = number(files, "source", "sources");
    let speed = match report.mb_per_second {
        fast if fast >= 1000.0 => format!("{:.1} GB/s", fast / 1000.0),
        slow => format!("{slow:.1} MB/s"),
    };
    let (read, peak) = (size(bytes), size(peak_rss_bytes));
    format!("{sources}, {read} in {seconds:.2} s ({speed}), peak memory {peak}, {failed} failed")
}

/// How the process ends where the job came to no end.
fn without_end(error: Error, losses: &Losses<'_>) -> Result<Exit, Problem> {
    match error {
        // The reader of the results has closed the pipe. Losses up to then are still reported.
        Error::Write(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(losses.so_far()),
        // The failure has been shown with its source.
        Error::Failed(_) => {
            say::line("the plugin cannot go on: the run ended early");
            Ok(Exit::Failed)
        }
        Error::Write(error) => {
            say::abort(&Problem::new(Error::Write(error)));
            Ok(Exit::Failed)
        }
        Error::File(error) => {
            let hint = error.hint();
            say::abort(&Problem::new(&error).hint(hint));
            Ok(Exit::Failed)
        }
        Error::Object(error) => {
            let hint = error.hint();
            say::abort(&Problem::new(&error).hint(hint));
            Ok(Exit::Failed)
        }
        error => Err(Problem::new(error)),
    }
}
