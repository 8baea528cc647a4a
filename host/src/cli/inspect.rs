//! `host plugin inspect`.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use bytesize::ByteSize;

use super::Exit;
use super::installed;
use super::say::plain;
use crate::output::pretty_json;
use crate::plugin::{Engine, Inspection, Manifest, inspect as look};
use crate::process::Kind;
use crate::spec::Problem;

/// Prints what the plugin in the file `path`, or of that name, is. Exits with 1 where it would not
/// run.
pub(super) fn inspect(path: &Path, json: bool) -> Result<Exit, Problem> {
    let engine = Engine::new().map_err(Problem::new)?;
    let found = look(&engine, &installed::find(path)?)
        .map_err(|error| Problem::new(&error).hint(error.hint()))?;
    let text = if json {
        pretty_json(&found).map_err(Problem::new)?
    } else {
        describe(&found).map_err(Problem::new)?
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(Problem::new(error)),
        _ => {}
    }
    Ok(if found.trouble.is_none() && found.kind.is_some() { Exit::Done } else { Exit::Failed })
}

fn describe(found: &Inspection) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let out = &mut text;
    let size = |bytes: u64| ByteSize(bytes).display().iec();
    let kind = match found.kind {
        Some(Kind::Aggregator) => "aggregator: bytes in, one result out",
        Some(Kind::Transformer) => "transformer: bytes in, bytes out",
        None => "none: it exports neither aggregate nor transform",
    };
    writeln!(out, "kind         {kind}")?;
    if let Some(manifest) = &found.manifest {
        describe_manifest(out, manifest)?;
    }
    if let Some(trouble) = &found.trouble {
        writeln!(out, "trouble      {}", plain(trouble))?;
    }
    let (file, code) = (size(found.bytes), size(found.code_bytes));
    writeln!(out, "size         {file} ({:?}), {code} compiled", found.binary)?;
    writeln!(out, "simd         {}", if found.simd { "yes" } else { "no" })?;
    let initial = size(found.memory_bytes_initial);
    writeln!(out, "memory       {} memories, at most {initial} to start with", found.memories)?;
    writeln!(out, "tables       {}", found.tables)?;
    writeln!(out, "imports      {}", list(&found.imports))?;
    writeln!(out, "exports      {}", list(&found.exports))?;
    Ok(text)
}

fn describe_manifest(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let Manifest { name, version, summary, framing, output_type, header_records, .. } = manifest;
    writeln!(out, "name         {} {}", plain(name), plain(version))?;
    writeln!(out, "summary      {}", plain(summary))?;
    writeln!(out, "framing      {}", plain(framing))?;
    writeln!(out, "scope        {:?}, order {:?}", manifest.scope, manifest.order)?;
    if *header_records > 0 {
        let records = if *header_records == 1 { "record" } else { "records" };
        writeln!(out, "header       {header_records} {records}")?;
    }
    writeln!(out, "output       {}", plain(output_type))?;
    for setting in &manifest.settings {
        let default = match &setting.default {
            Some(default) => format!("default {default:?}"),
            None => "required".to_string(),
        };
        let (key, summary) = (plain(&setting.key), plain(&setting.summary));
        writeln!(out, "setting      {key}: {summary} [{default}]")?;
    }
    for property in &manifest.properties {
        writeln!(out, "property     {} = {}", plain(&property.key), plain(&property.value))?;
    }
    Ok(())
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_string() } else { plain(&names.join(", ")) }
}
