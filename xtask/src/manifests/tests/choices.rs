//! What differs between a laptop and a shop that sells, and has to be chosen.

use std::process::Command;

use testkit::Scratch;

use super::cluster::Pods;
use super::*;

/// A variable of the container of a service; empty where it has none.
fn variable(cluster: &Cluster, owner: &str, name: &str) -> String {
    let pods: Pods<'_> = cluster.pods().find(|pods| pods.name() == owner).unwrap();
    let variables = environment(cluster, pods, pods.running().next().unwrap());
    variables.into_iter().find(|it| it.name == name).map(|it| it.value).unwrap_or_default()
}

/// The manifests with another list of components in `overlays/gke`, rendered.
async fn gke_with(components: &str) -> anyhow::Result<Cluster> {
    let scratch = Scratch::new()?;
    std::fs::create_dir_all(scratch.path().join("target"))?;
    std::fs::create_dir_all(scratch.path().join("infra"))?;
    let (from, to) = (root().join("infra/k8s"), scratch.path().join("infra"));
    assert!(Command::new("cp").arg("-r").arg(from).arg(to).status()?.success());
    let file = scratch.path().join("infra/k8s/overlays/gke/kustomization.yaml");
    let shipped = std::fs::read_to_string(&file)?;
    let changed = shipped.replacen("  - ../../components/stripe\n", components, 1);
    assert_ne!(shipped, changed, "the component is listed");
    std::fs::write(&file, changed.replace("components:\nconfigMap", "configMap"))?;
    render::one(scratch.path(), "gke", &[]).await
}

#[tokio::test]
async fn sandbox_pays_on_laptops_alone() {
    let (dev, gke) = (dev().await, gke().await);

    let chosen = |cluster| {
        ["SOUK_PROVIDER", "SOUK_ALLOW_SANDBOX"].map(|name| variable(cluster, "payment-depl", name))
    };

    assert_eq!(chosen(&dev), ["sandbox", "true"]);
    assert_eq!(chosen(&gke), ["stripe", "false"]);
}

#[tokio::test]
async fn gke_without_provider_is_not_rendered() {
    let refusal = gke_with("").await.unwrap_err().to_string();

    assert!(refusal.contains("payment-choice"), "{refusal}");
}

#[tokio::test]
async fn gke_takes_sandbox_when_chosen() {
    let gke = gke_with("  - ../../components/sandbox\n").await.unwrap();

    assert_eq!(variable(&gke, "payment-depl", "SOUK_ALLOW_SANDBOX"), "true");
    let problems = settings().await.problems(&gke).await.unwrap();
    assert!(problems.is_empty(), "{problems:?}");
}

#[tokio::test]
async fn payment_refuses_sandbox_that_is_not_allowed() {
    let mut gke = gke_with("  - ../../components/sandbox\n").await.unwrap();
    for object in &mut gke.0 {
        if object.name().starts_with("payment-settings") {
            object.0["data"]["SOUK_ALLOW_SANDBOX"] = "false".into();
        }
    }

    let problems = settings().await.problems(&gke).await.unwrap();

    assert!(problems.iter().any(|it| it.contains("SOUK_ALLOW_SANDBOX=true")), "{problems:?}");
}

#[tokio::test]
async fn short_keys_are_for_laptops_alone() {
    assert_eq!(variable(&dev().await, "auth-depl", "SOUK_ALLOW_SHORT_KEY"), "true");
    for (name, cluster) in render::all(&root()).await.unwrap() {
        if name.starts_with("gke") {
            assert_eq!(variable(&cluster, "auth-depl", "SOUK_ALLOW_SHORT_KEY"), "", "{name}");
        }
    }
}
