//! All checks.

use super::check::Check;
use super::prepared::{MODULES, RENDERED};

/// What holds where, in the order in which it is told.
pub(super) const ALWAYS: [Check; 10] = [
    Check { name: "YAML", program: "yamllint", args: &["--strict"], on: &["."] },
    Check {
        name: "fields of manifests",
        program: "kubernetes-validate",
        args: &["--strict", "--quiet", "-k", "1.32"],
        on: &[RENDERED],
    },
    Check {
        name: "keys of workflows",
        program: "check-jsonschema",
        args: &["--builtin-schema", "vendor.github-workflows"],
        on: &[".github/workflows/*"],
    },
    Check {
        name: "expressions of workflows",
        program: "actionlint",
        // Whether these two are at hand differs between machines.
        args: &["-no-color", "-shellcheck=", "-pyflakes="],
        on: &[".github/workflows/*"],
    },
    Check {
        name: "rights of workflows",
        program: "zizmor",
        args: &["--offline", "--no-progress", "--quiet", "--persona", "pedantic"],
        on: &[".github/workflows/*"],
    },
    Check {
        name: "keys of the pipeline",
        program: "check-jsonschema",
        args: &["--builtin-schema", "vendor.cloudbuild"],
        on: &["cloudbuild.yaml"],
    },
    Check {
        name: "keys of skaffold.yaml",
        program: "check-jsonschema",
        args: &["--schemafile", "infra/schemas/skaffold-v4beta14.json"],
        on: &[MODULES],
    },
    Check { name: "image", program: "hadolint", args: &["--no-color"], on: &["Dockerfile"] },
    Check {
        name: "licences, sources and banned crates",
        program: "cargo-deny",
        args: &["--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"],
        on: &[],
    },
    Check { name: "unused dependencies", program: "cargo-shear", args: &[], on: &[] },
];

/// Whether containers may do more than they need; the tool is large.
pub(super) const HARDENING: Check = Check {
    name: "hardening",
    program: "checkov",
    args: &[
        "--skip-download",
        "--compact",
        "--quiet",
        "--framework=kubernetes",
        "--config-file=infra/checkov.yaml",
        // Of several files it would look at one.
        "--directory=target/checks/overlays",
    ],
    on: &[],
};
