//! What the manifests mean: whether all that they name is there, whether the services understand
//! what they are told, and who may reach whom.

mod cluster;
mod confinement;
pub(crate) mod containers;
mod defaults;
mod environment;
mod images;
mod memory;
mod network;
mod policy;
mod references;
mod render;
mod secrets;
mod selection;
mod settings;
#[cfg(test)]
mod tests;
mod visitors;

use std::path::Path;

use anyhow::bail;

pub(crate) use self::cluster::Cluster;
pub(crate) use self::render::all as rendered;
use self::settings::Settings;
use crate::up::build;

/// Checks what was rendered, and says all that is wrong.
pub(crate) async fn run(root: &Path, rendered: &[(String, Cluster)]) -> anyhow::Result<()> {
    let settings = Settings::ask(&build(false).await?).await?;
    let mut wrong = vec![];
    for (name, cluster) in rendered {
        let problems = problems(root, name, cluster, &settings).await?;
        wrong.extend(problems.into_iter().map(|problem| format!("{name}: {problem}")));
    }
    if !wrong.is_empty() {
        bail!("the manifests do not hold together:\n{}", wrong.join("\n"));
    }
    eprintln!("passed: what the manifests mean");
    Ok(())
}

/// All that is wrong with the ingress controller, which is in a namespace of its own and may ask the
/// API server.
fn controller_problems(cluster: &Cluster) -> Vec<String> {
    [
        references::problems(cluster),
        selection::problems(cluster),
        images::problems(cluster, &images::Artifacts::new()),
        memory::problems(render::CONTROLLER, cluster),
        confinement::problems_of_containers(cluster),
        defaults::problems(cluster),
    ]
    .concat()
}

/// All that is wrong with what a cluster is to be.
async fn problems(
    root: &Path,
    overlay: &str,
    cluster: &Cluster,
    settings: &Settings,
) -> anyhow::Result<Vec<String>> {
    if overlay == render::CONTROLLER {
        return Ok(controller_problems(cluster));
    }
    let mut problems = [
        references::problems(cluster),
        secrets::problems(cluster, &secrets::Documented::read(root)?),
        selection::problems(cluster),
        images::problems(cluster, &images::artifacts(root)?),
        settings.problems(cluster).await?,
        network::problems(cluster),
        memory::problems(overlay, cluster),
        confinement::problems(cluster),
        defaults::problems(cluster),
    ]
    .concat();
    problems.dedup();
    Ok(problems)
}
