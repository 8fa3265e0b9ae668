//! The command that runs containers.

use std::process::Stdio;

use anyhow::{Context as _, ensure};
use tokio::process::Command;

/// A podman that runs here.
#[derive(Clone, Debug)]
pub(super) struct Podman;

/// The full name of an image, so that nobody guesses where it is from.
pub(super) fn name(image: &str) -> String {
    match image.split('/').collect::<Vec<_>>()[..] {
        [_] => format!("docker.io/library/{image}"),
        _ => image.to_owned(),
    }
}

impl Podman {
    /// Asks whether it is there and works.
    pub(super) async fn find() -> anyhow::Result<Self> {
        Self.run(&["info", "--format", "{{.Version.Version}}"]).await.context("no podman")?;
        Ok(Self)
    }

    /// Sees that an image is there.
    pub(super) async fn fetch(&self, image: &str) -> anyhow::Result<()> {
        if self.run(&["image", "exists", image]).await.is_err() {
            self.run(&["pull", "--quiet", image]).await?;
        }
        Ok(())
    }

    /// Runs a command to its end; says what it printed.
    pub(super) async fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new("podman");
        let output = command.args(args).stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "podman {}: {}", args.join(" "), said.trim());
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs a command that takes long, and lets it be seen.
    pub(super) async fn watch(&self, args: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new("podman");
        let status = command.args(args).stdin(Stdio::null()).kill_on_drop(true).status().await?;
        ensure!(status.success(), "podman {} failed", args.join(" "));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn an_image_is_named_in_full() {
        assert_eq!(name("nats:2.12.2"), "docker.io/library/nats:2.12.2");
        assert_eq!(name("souk.invalid/cart"), "souk.invalid/cart");
        assert_eq!(name("gcr.io/a/b@sha256:0"), "gcr.io/a/b@sha256:0");
    }
}
