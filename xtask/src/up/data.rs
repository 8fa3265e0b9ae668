//! The folder that the shop keeps its things in between runs.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Says that a folder is ours, and holds the lock of whoever uses it.
const MARKER: &str = "souk.lock";

/// A data folder that nobody else uses as long as this lives.
#[derive(Debug)]
pub(crate) struct Data {
    path: PathBuf,
    /// Locked; the system unlocks it when this process ends, in whatever way.
    _marker: File,
}

impl Data {
    /// Takes a folder: one that is not there, an empty one, or one of an earlier run.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))?;
        let path = path.canonicalize()?;
        let marker = path.join(MARKER);
        ensure!(
            marker.is_file() || fs::read_dir(&path)?.next().is_none(),
            "{} holds other things; choose a folder of its own with --data",
            path.display()
        );
        let mut file =
            OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(&marker)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "the shop already runs on {} (pid {}); stop it, or choose another folder with --data",
                path.display(),
                fs::read_to_string(&marker)?.trim()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).context("locking the data folder");
            }
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { path, _marker: file })
    }

    /// Deletes everything in it.
    pub(crate) fn empty(&self) -> anyhow::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name() == MARKER {
                continue;
            }
            let path = entry.path();
            let removed = if entry.file_type()?.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.with_context(|| format!("deleting {}", path.display()))?;
        }
        Ok(())
    }

    /// A folder in it, made when it is not there.
    pub(crate) fn folder(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// The log of a part, empty to begin with.
    pub(crate) fn fresh_log(&self, part: &str) -> io::Result<PathBuf> {
        let log = self.folder("logs")?.join(format!("{part}.log"));
        File::create(&log)?;
        Ok(log)
    }

    /// A secret of this folder, made up at its first use; only its owner may read the file.
    pub(crate) fn secret(&self, name: &str) -> anyhow::Result<String> {
        let path = self.folder("secrets")?.join(name);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            kept => {
                let kept = kept.with_context(|| format!("reading {}", path.display()))?;
                return Ok(kept.trim().to_owned());
            }
        }
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).ok().context("the system has no random numbers")?;
        let secret = URL_SAFE_NO_PAD.encode(bytes);
        self.replace(&path, secret.as_bytes())?;
        Ok(secret)
    }

    /// Writes a file that others read at any time: they see the old one or the new one, whole.
    pub(crate) fn write(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        self.replace(&self.path.join(name), contents)
    }

    /// Reads a file, if it is there.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Deletes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn replace(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let next = self.path.join("next");
        let mut file =
            OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&next)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(next, path)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use testkit::Scratch;

    use super::*;

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let scratch = Scratch::new().unwrap();
        fs::write(scratch.path().join("thesis.txt"), "years of work").unwrap();

        let refusal = Data::open(scratch.path()).unwrap_err().to_string();

        assert!(refusal.contains("holds other things"), "{refusal}");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    }

    #[test]
    fn two_runs_cannot_use_one_folder() {
        let scratch = Scratch::new().unwrap();
        let first = Data::open(scratch.path()).unwrap();

        let refusal = Data::open(scratch.path()).unwrap_err().to_string();

        assert!(refusal.contains(&format!("pid {}", std::process::id())), "{refusal}");
        drop(first);
        Data::open(scratch.path()).unwrap();
    }

    #[test]
    fn a_secret_is_kept_for_its_owner_alone_until_the_folder_is_emptied() {
        let scratch = Scratch::new().unwrap();
        let data = Data::open(scratch.path()).unwrap();

        let secret = data.secret("jwt-key").unwrap();

        assert!(secret.len() >= 32);
        assert_eq!(data.secret("jwt-key").unwrap(), secret);
        let kept = fs::metadata(scratch.path().join("secrets/jwt-key")).unwrap();
        assert_eq!(kept.permissions().mode() & 0o777, 0o600);
        data.empty().unwrap();
        assert_ne!(data.secret("jwt-key").unwrap(), secret);
    }
}
