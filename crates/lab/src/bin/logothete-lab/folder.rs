//! The folder of a run: what stands in it, and how it comes to the disk.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use lab::render::{Dossier, FILES};

use crate::output;

/// Where folders of runs are, unless another place is asked for.
const RUNS: &str = "lab-runs";

/// Whether and where the folder of a run is written.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Folder {
    /// Where the report of the run is written; lab-runs/NAME-SEED when not given
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
        if self.no_report {
            return Ok(());
        }
        let usual = || Path::new(RUNS).join(format!("{}-{}", slug(name), dossier.report.seed));
        let folder = self.out.clone().unwrap_or_else(usual);
        write(&folder, dossier)?;
        output::complain(&format!("report: {}", folder.join("report.html").display()));
        Ok(())
    }
}

/// A name as part of a path.
fn slug(name: &str) -> String {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let slug: String = name.chars().map(safe).take(80).collect();
    slug.trim_matches('-').to_owned()
}

/// Writes the files into a new folder beside the place, and puts it into the place when it is whole.
///
/// What is there already is replaced only if nothing but files of a report stands in it.
fn write(folder: &Path, dossier: &Dossier) -> Result<(), String> {
    let files = dossier.files().map_err(|error| format!("cannot write the report: {error}"))?;
    let cannot = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("cannot write {path}: {error}")
    };
    check(folder)?;
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
    let written = files.iter().try_for_each(|(name, text)| {
        let path = new.join(name);
        fs::write(&path, text).map_err(cannot(&path))
    });
    let placed = written.and_then(|()| {
        if folder.exists() {
            fs::rename(folder, &old).map_err(cannot(folder))?;
        }
        fs::rename(&new, folder).map_err(cannot(folder))
    });
    if placed.is_err() && old.exists() && !folder.exists() {
        fs::rename(&old, folder).map_err(cannot(folder))?;
    }
    remove(&new);
    remove(&old);
    placed
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
    let entries = fs::read_dir(folder).map_err(|error| format!("cannot read {shown}: {error}"))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("cannot read {shown}: {error}"))?;
        let name = entry.file_name();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_file || !FILES.iter().any(|ours| name == **ours) {
            return Err(format!(
                "{shown} has {} in it, which is no file of a report: give --out another folder",
                name.display()
            ));
        }
    }
    Ok(())
}

/// Removes the files of a report and then their folder. What cannot be removed is left.
fn remove(folder: &Path) {
    for name in FILES {
        fs::remove_file(folder.join(name)).ok();
    }
    fs::remove_dir(folder).ok();
}
