//! What changed since a revision.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// The files that differ from where this revision and HEAD parted; a moved file counts twice.
pub(super) fn since(root: &Path, base: &str) -> anyhow::Result<BTreeSet<String>> {
    let parted =
        git(root, &["merge-base", "--end-of-options", base, "HEAD"]).with_context(|| {
            format!("{base} and HEAD have no common commit here: fetch its history")
        })?;
    let changed = git(root, &["diff", "--name-only", "--no-renames", "-z", parted.trim()])?;
    let new = git(root, &["ls-files", "--others", "--exclude-standard", "-z"])?;
    let files = changed.split('\0').chain(new.split('\0'));
    Ok(files.filter(|file| !file.is_empty()).map(ToOwned::to_owned).collect())
}

fn git(root: &Path, args: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git").arg("-C").arg(root).args(args).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git {}: {}", args.join(" "), said.trim());
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use testkit::Scratch;

    use super::*;

    /// A repository with one commit, and on it changes of each kind.
    fn repository() -> Scratch {
        let scratch = Scratch::new().unwrap();
        let script = "
            git init -q . && git config user.name a && git config user.email a@b
            mkdir old && echo 1 > old/a && echo 1 > kept && git add . && git commit -qm one
            git tag base && git mv old new && git commit -qm two
            echo 2 > kept && echo 3 > 'un seen'";
        let script = Command::new("sh").args(["-ec", script]).current_dir(scratch.path()).output();
        assert!(script.unwrap().status.success());
        scratch
    }

    #[test]
    fn what_was_moved_edited_or_added_counts_committed_or_not() {
        let repository = repository();

        let changed = since(repository.path(), "base").unwrap();

        assert_eq!(changed.into_iter().collect::<Vec<_>>(), ["kept", "new/a", "old/a", "un seen"]);
    }

    #[test]
    fn a_revision_that_is_not_there_is_named() {
        let repository = repository();

        let unknown = since(repository.path(), "elsewhere").unwrap_err();

        assert!(unknown.to_string().contains("elsewhere"), "{unknown}");
    }
}
