//! Releases are built from images that are named by digest.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use testkit::Scratch;

use super::{folder, own};

/// Plays the registries: the digest is of as many `a` as the name of the image is long.
const DOCKER: &str = r#"#!/usr/bin/env bash
[[ "$1 $2 $3" == 'buildx imagetools inspect' ]] || exit 2
echo "$4" >> "$ASKED"
printf 'sha256:%064d\n' "${#4}"
"#;

/// The files that name images, in a folder of their own.
struct Files(Scratch);

impl Files {
    fn new() -> Self {
        let files = [
            ("Dockerfile", own("Dockerfile")),
            ("cloudbuild.yaml", own("cloudbuild.yaml")),
            ("infra/gke/digests.sh", own("infra/gke/digests.sh")),
            ("infra/gke/build.sh", own("infra/gke/build.sh")),
            ("bin/docker", DOCKER.to_owned()),
        ];
        let folder = folder(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
        for program in ["infra/gke/digests.sh", "infra/gke/build.sh", "bin/docker"] {
            let executable = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(folder.path().join(program), executable).unwrap();
        }
        Self(folder)
    }

    fn run(&self, what: &str) -> Output {
        let path = std::env::var_os("PATH").unwrap();
        let own = [self.0.path().join("bin")];
        let folders = own.into_iter().chain(std::env::split_paths(&path));
        Command::new(self.0.path().join("infra/gke/digests.sh"))
            .arg(what)
            .env("PATH", std::env::join_paths(folders).unwrap())
            .env("ASKED", self.0.path().join("asked"))
            .output()
            .unwrap()
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let file = self.0.path().join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    }

    fn refusal(&self) -> String {
        let refused = self.run("args");
        assert!(!refused.status.success(), "{refused:?}");
        assert_eq!(String::from_utf8_lossy(&refused.stdout), "");
        String::from_utf8(refused.stderr).unwrap()
    }
}

#[test]
fn pinned_images_are_built_from() {
    let files = Files::new();

    let pinned = files.run("pin");

    assert!(pinned.status.success(), "{pinned:?}");
    let args = files.run("args");
    assert!(args.status.success(), "{args:?}");
    let args = String::from_utf8(args.stdout).unwrap();
    assert_eq!(args.matches("--build-arg\n").count(), 2, "{args}");
    for name in ["RUST_DIGEST=@sha256:0", "STATIC_DIGEST=@sha256:0"] {
        assert!(args.contains(name), "{args}");
    }
    let asked = std::fs::read_to_string(files.0.path().join("asked")).unwrap();
    assert!(asked.contains("gcr.io/distroless/static-debian12:nonroot\n"), "{asked}");
    let again = files.run("pin");
    assert!(again.status.success() && files.run("check").status.success(), "{again:?}");
}

#[test]
fn tags_without_digest_are_refused() {
    let files = Files::new();
    std::fs::write(files.0.path().join("infra/gke/digests"), "").unwrap();

    assert!(files.refusal().contains("rust:1.95.0-slim-bookworm"));

    files.run("pin");
    files.change("Dockerfile", "rust:1.95.0-slim", "rust:1.96.0-slim");
    assert!(files.refusal().contains("rust:1.96.0-slim-bookworm"), "the tag is another one");

    files.run("pin");
    files.change("Dockerfile", "${STATIC_DIGEST}", "");
    assert!(files.refusal().contains("static-debian12"));
}

#[test]
fn pipeline_steps_without_digest_are_refused() {
    let files = Files::new();
    files.run("pin");
    files.change(
        "cloudbuild.yaml",
        "google-cloud-cli:530.0.0@sha256:",
        "google-cloud-cli:531.0.0 # ",
    );

    assert!(files.refusal().contains("google-cloud-cli:531.0.0"));
}

#[test]
fn releases_refuse_unpinned_images() {
    let files = Files::new();
    let path = |name: &str| files.0.path().join(name);
    std::fs::write(path("names"), "order\n").unwrap();

    let refused = Command::new(path("infra/gke/build.sh"))
        .args([path("names"), path("images")])
        .arg("revision")
        .envs([("REGISTRY", "here"), ("ATTESTOR", "any"), ("KEY", "any")])
        .env("PATH", std::env::join_paths([path("bin"), "/usr/bin".into(), "/bin".into()]).unwrap())
        .env("ASKED", path("asked"))
        .output()
        .unwrap();

    assert!(!refused.status.success(), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("digests.sh pin"), "{refused:?}");
    assert!(!path("asked").exists(), "nothing is built");
}
