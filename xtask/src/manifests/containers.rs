//! The fleet of a laptop's cluster in containers: the images as they are built, under what the
//! manifests say of users, roots, rights, memory, environment and files.

mod pod;
mod podman;
mod stage;
mod volume;

use std::net::Ipv4Addr;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, anyhow, ensure};
use futures_util::FutureExt as _;
use testkit::fleet::Service;
use testkit::{Client, Shopper, Staff};
use tokio::net::TcpListener;
use tokio::process::Command;

use self::podman::Podman;
use self::stage::Stage;
use super::cluster::{Cluster, REGISTRY};
use super::render;
use crate::up::{Ingress, Routes, say};
use crate::workspace::root;

/// No image of a service is larger, in bytes.
const LARGEST: u64 = 40_000_000;

const HELP: &str = "\
Takes podman. Where it or an image that nobody builds here is not to be had, it says so and is done.

A pod's containers share a network, its volumes are podman's, its probes are asked as a cluster asks \
them. What it does not play: network policies, priorities, spreading, and the ingress controller, \
whose place the one of `cargo xtask up` takes.";

/// How the fleet is run.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Take the images that are there, instead of building them.
    #[arg(long)]
    without_build: bool,
}

/// Builds the images, runs the fleet, and buys something.
pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let root = root();
    let podman = match Podman::find().await {
        Ok(podman) => podman,
        Err(reason) => return skip(&reason),
    };
    let cluster = render::one(&root, "dev", &[]).await?;
    for image in foreign(&cluster) {
        if let Err(reason) = podman.fetch(&image).await {
            return skip(&reason.context(format!("{image} is not to be had")));
        }
    }
    if !args.without_build {
        for program in Service::ALL.map(Service::name).into_iter().chain(["auditor"]) {
            build(&podman, &root, program).await?;
        }
    }
    let stage = Stage::open(podman, cluster).await?;
    let bought = tokio::select! {
        bought = play(&stage, &root) => bought,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("stopped")),
    };
    if let Err(reason) = &bought {
        say(format_args!("{reason:#}\n{}", stage.logs().await));
    }
    stage.close().await;
    bought
}

/// Builds the image of a program, and looks at its size.
async fn build(podman: &Podman, root: &Path, program: &str) -> anyhow::Result<()> {
    let tag = format!("{REGISTRY}{program}");
    say(format_args!("building {tag}"));
    let began = Instant::now();
    let file = root.join("Dockerfile");
    let args = ["build", "--layers", "--network", "host", "--file", text(&file)?];
    let service = format!("SERVICE={program}");
    podman
        .watch(&[&args[..], &["--build-arg", &service, "--tag", &tag, text(root)?]].concat())
        .await?;
    let size = podman.run(&["image", "inspect", "--format", "{{.Size}}", &tag]).await?;
    say(format_args!("{tag} has {size} bytes and took {:.0?}", began.elapsed()));
    ensure!(size.parse::<u64>()? < LARGEST, "{tag} is too large");
    Ok(())
}

/// Starts the fleet, puts an ingress before it, and tries it there.
async fn play(stage: &Stage, root: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    stage.start().await?;
    say(format_args!("all pods are ready after {:.0?}", began.elapsed()));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let shop = format!("http://{}", listener.local_addr()?);
    let routes = Routes::read(&root.join("infra/k8s/base/ingress.yaml"))?;
    let ingress = Ingress::new(routes, &stage.addresses().await?)?.serve(listener);
    let smoke = Command::new(root.join("infra/gke/smoke.sh")).arg(&shop).status().await?;
    ensure!(smoke.success(), "infra/gke/smoke.sh fails");
    // A step that fails panics, and the pods are to go all the same.
    let bought = AssertUnwindSafe(buy(Client::at(shop))).catch_unwind().await;
    bought.map_err(|_| anyhow!("nothing can be bought"))?;
    ingress.close();
    ingress.finish().await;
    Ok(())
}

/// Sells something, and buys it.
async fn buy(client: Client) {
    let (email, password) = stage::ADMINISTRATOR;
    let staff = Staff { client: Shopper::sign_in(&client, email, password).await.client };
    staff.sells("Lamp", &[("LAMP", 4_900, 3)]).await;
    let order = Shopper::guest(&client).await.buys("LAMP", 2, "pm_card_visa").await;
    say(format_args!("order {} is {}", order.text_of("id"), order.text_of("status")));
}

#[expect(clippy::unnecessary_wraps, reason = "it stands for a run")]
fn skip(reason: &anyhow::Error) -> anyhow::Result<()> {
    say(format_args!("no containers are run here: {reason:#}"));
    Ok(())
}

/// The images that somebody else builds.
fn foreign(cluster: &Cluster) -> Vec<String> {
    let containers = cluster.pods().flat_map(super::cluster::Pods::containers);
    let foreign = containers.filter(|it| !it.image().starts_with(REGISTRY));
    let mut images: Vec<_> = foreign.map(|it| podman::name(it.image())).collect();
    images.sort();
    images.dedup();
    images
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_built_here_is_not_fetched() {
        let dev = render::one(&root(), "dev", &[]).await.unwrap();

        let images = foreign(&dev);

        assert_eq!(images.len(), 2, "{images:?}");
        assert!(images.iter().all(|image| image.contains("mongo") || image.contains("nats")));
    }
}
