//! Which services a change touches, by what cargo builds them from.

mod changes;
#[cfg(test)]
mod filters;
mod graph;

use self::graph::{Graph, Purpose};
use crate::workspace::root;

const HELP: &str = "\
One name a line, none when the change touches no service. What is not committed counts too.

A service is touched when its folder or a crate that it builds or tests with changes, or what all are \
built by: the lock file, the toolchain's settings, the Dockerfile. The path filters in \
.github/workflows say the same, and a test compares them.";

/// Which change, and what for.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Since which revision: where it and HEAD parted. Without it, all are touched.
    #[arg(long, value_name = "REV")]
    base: Option<String>,

    /// Images that the change may alter, the auditor's among them, and no services that merely test
    /// with it.
    #[arg(long)]
    images: bool,
}

/// Prints the names of the services.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let root = root();
    let graph = Graph::read(&root)?;
    let changed = args.base.as_ref().map(|base| changes::since(&root, base)).transpose()?;
    let purpose = if args.images { Purpose::Image } else { Purpose::Test };
    let names: Vec<_> =
        if args.images { graph.images().collect() } else { graph.services().collect() };
    for name in names {
        let inputs = graph.inputs(name, purpose);
        let touched = |file: &String| inputs.iter().any(|input| matches(input, file));
        if changed.as_ref().is_none_or(|changed| changed.iter().any(touched)) {
            println!("{name}");
        }
    }
    Ok(())
}

/// The names of the services, in order.
#[cfg(test)]
pub(crate) fn services() -> anyhow::Result<Vec<String>> {
    Ok(Graph::read(&root())?.services().map(ToOwned::to_owned).collect())
}

/// Whether a file is what a pattern means: itself, or anything in `folder/**`.
fn matches(pattern: &str, file: &str) -> bool {
    match pattern.strip_suffix("**") {
        Some(folder) => file.starts_with(folder),
        None => file == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_folder_means_all_below_it_and_nothing_beside_it() {
        assert!(matches("services/cart/**", "services/cart/src/main.rs"));
        assert!(!matches("services/cart/**", "services/carts/src/main.rs"));
        assert!(matches("Cargo.lock", "Cargo.lock"));
        assert!(!matches("Cargo.lock", "fuzz/Cargo.lock"));
    }
}
