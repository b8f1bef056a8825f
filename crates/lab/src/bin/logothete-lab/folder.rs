//! The folder of a run: what stands in it, and how it comes to the disk.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use lab::render::{Dossier, FILES, File};

use crate::output;

/// Where folders of runs are, unless another place is asked for.
const RUNS: &str = "lab-runs";

/// What the folders within a folder are called: those of single runs that failed, with their seeds.
const WITHIN: &str = "failed-";

/// Whether and where the folder of a run is written.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Folder {
    /// Where the report is written; a folder of its own in lab-runs when not given
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_report")]
    out: Option<PathBuf>,
    /// Write no report
    #[arg(long)]
    no_report: bool,
}

impl Folder {
    /// A recorder, unless no report is wanted.
    pub(crate) fn recorder(&self) -> Option<lab::Recorder> {
        (!self.no_report).then(lab::Recorder::default)
    }

    /// Writes the folder of a run, unless none is wanted, and says where it is. The name is that of the run, such as
    /// `attack-equivocate`; the seed is put behind it.
    pub(crate) fn write(&self, name: &str, dossier: &Dossier) -> Result<(), String> {
        match self.place(&format!("{name}-{}", dossier.report.seed))? {
            Some(place) => place.write(dossier.files()),
            None => Ok(()),
        }
    }

    /// Where a report of this name goes, unless none is wanted. What runs for long asks before, so that it does not run
    /// in vain.
    pub(crate) fn place(&self, name: &str) -> Result<Option<Place>, String> {
        if self.no_report {
            return Ok(None);
        }
        let folder = self.out.clone().unwrap_or_else(|| Path::new(RUNS).join(slug(name)));
        check(&folder)?;
        Ok(Some(Place { folder }))
    }
}

/// A place that a report may be put into.
#[derive(Debug)]
pub(crate) struct Place {
    folder: PathBuf,
}

/// What the files of a report are, if they can be made.
type Made = Result<Vec<File>, serde_json::Error>;

impl Place {
    /// Writes a report, and says where it is.
    pub(crate) fn write(self, files: Made) -> Result<(), String> {
        let draft = self.draft()?;
        draft.add(files)?;
        draft.finish()
    }

    /// Begins a report in a folder beside the place.
    pub(crate) fn draft(self) -> Result<Draft, String> {
        let folder = self.folder;
        let parent = match folder.parent() {
            Some(parent) if parent != Path::new("") => parent,
            Some(_) | None => Path::new("."),
        };
        let name = folder.file_name().ok_or_else(|| {
            format!("{} is no name of a folder: give --out another", folder.display())
        })?;
        let beside = |what: &str| {
            let name = name.to_string_lossy();
            parent.join(format!(".{name}.{}.{what}", std::process::id()))
        };
        let (new, old) = (beside("new"), beside("old"));
        fs::create_dir_all(parent).map_err(cannot(parent))?;
        fs::create_dir(&new).map_err(cannot(&new))?;
        Ok(Draft { folder, new, old })
    }
}

/// A report that is being written. It is put into its place as a whole, or not at all.
#[derive(Debug)]
pub(crate) struct Draft {
    folder: PathBuf,
    new: PathBuf,
    old: PathBuf,
}

impl Draft {
    /// Writes the files of the report itself.
    pub(crate) fn add(&self, files: Made) -> Result<(), String> {
        put(&self.new, files)
    }

    /// Writes the report of a run of this seed into a folder within, and gives the way from the one page to the other.
    pub(crate) fn add_failed(&self, seed: u64, files: Made) -> Result<String, String> {
        let name = format!("{WITHIN}{seed}");
        let folder = self.new.join(&name);
        fs::create_dir(&folder).map_err(cannot(&folder))?;
        put(&folder, files)?;
        Ok(format!("{name}/report.html"))
    }

    /// Puts it into its place, and says where that is. What is there already is replaced only if nothing but files of a
    /// report stands in it.
    pub(crate) fn finish(self) -> Result<(), String> {
        let Self { folder, new, old } = &self;
        check(folder)?;
        let placed = || {
            if folder.exists() {
                fs::rename(folder, old)?;
            }
            fs::rename(new, folder)
        };
        let placed = placed().map_err(cannot(folder));
        if placed.is_err() && old.exists() && !folder.exists() {
            fs::rename(old, folder).map_err(cannot(folder))?;
        }
        placed?;
        remove(old);
        output::complain(&format!("report: {}", folder.join("report.html").display()));
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        remove(&self.new);
    }
}

/// A name as part of a path.
fn slug(name: &str) -> String {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let slug: String = name.chars().map(safe).take(80).collect();
    slug.trim_matches('-').to_owned()
}

fn cannot(path: &Path) -> impl FnOnce(std::io::Error) -> String {
    let path = path.display().to_string();
    move |error| format!("cannot write {path}: {error}")
}

/// Writes files into a folder.
fn put(folder: &Path, files: Made) -> Result<(), String> {
    let files = files.map_err(|error| format!("cannot write the report: {error}"))?;
    files.iter().try_for_each(|(name, text)| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(cannot(&path))
    })
}

/// Whether a folder may be put into this place.
fn check(folder: &Path) -> Result<(), String> {
    let shown = folder.display();
    let found = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("cannot look at {shown}: {error}")),
        Ok(found) => found,
    };
    if !found.is_dir() {
        return Err(format!("{shown} is there and is no folder: give --out another, or remove it"));
    }
    match foreign(folder, true)? {
        None => Ok(()),
        Some(name) => Err(format!(
            "{shown} has {name} in it, which is no file of a report: give --out another folder"
        )),
    }
}

/// Something in a folder that no report has in it.
fn foreign(folder: &Path, outer: bool) -> Result<Option<String>, String> {
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let (name, kind) = (entry.file_name(), entry.file_type().map_err(cannot)?);
        let shown = name.display().to_string();
        if kind.is_dir() && outer && is_within(&name) {
            if let Some(inner) = foreign(&entry.path(), false)? {
                return Ok(Some(format!("{shown}/{inner}")));
            }
        } else if !kind.is_file() || !FILES.iter().any(|ours| name == **ours) {
            return Ok(Some(shown));
        }
    }
    Ok(None)
}

/// Whether a folder in a report has the name of one of ours.
fn is_within(name: &OsStr) -> bool {
    let seed = name.to_str().and_then(|name| name.strip_prefix(WITHIN));
    seed.is_some_and(|seed| seed.parse::<u64>().is_ok())
}

/// Removes the files of a report and then their folder. What cannot be removed is left.
fn remove(folder: &Path) {
    let within = fs::read_dir(folder).into_iter().flatten().flatten();
    let within = within.filter(|entry| is_within(&entry.file_name()));
    for folder in within.map(|entry| entry.path()).chain([folder.to_owned()]) {
        for name in FILES {
            fs::remove_file(folder.join(name)).ok();
        }
        fs::remove_dir(folder).ok();
    }
}
