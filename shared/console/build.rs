//! Compresses the files of `public/` and lists them, so that none can be forgotten.

use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() -> io::Result<()> {
    let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../public");
    let out = PathBuf::from(variable("OUT_DIR")?);
    println!("cargo::rerun-if-changed={}", public.display());
    let mut paths = Vec::new();
    walk(&public, &mut paths)?;
    paths.sort();
    let mut table = String::from("&[\n");
    for (number, path) in paths.iter().enumerate() {
        let bytes = fs::read(path)?;
        fs::write(out.join(format!("{number}.gz")), gzip(&bytes)?)?;
        let name = path.strip_prefix(&public).map_err(io::Error::other)?;
        let (name, tag) = (name.to_string_lossy().replace('\\', "/"), tag(&bytes));
        let packed = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{number}.gz\"))");
        let _ = writeln!(table, "File {{ path: {name:?}, tag: \"\\\"{tag:016x}\\\"\", packed: {packed} }},");
    }
    table.push(']');
    fs::write(out.join("files.rs"), table)
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        match path.is_dir() {
            _ if hidden => {}
            true => walk(&path, paths)?,
            false => paths.push(path),
        }
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Tells one version of a file from another; nothing depends on its being hard to forge.
fn tag(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[expect(clippy::disallowed_methods, reason = "this is cargo's word to a build script, not a setting")]
fn variable(name: &str) -> io::Result<String> {
    std::env::var(name).map_err(io::Error::other)
}
