//! Which service answers which path, as the Ingress manifest says.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

/// The rules of an Ingress manifest, the longest path first.
#[derive(Debug)]
pub(crate) struct Routes(Vec<Route>);

/// All paths that begin with these elements go to one service.
#[derive(Debug)]
struct Route {
    elements: Vec<String>,
    service: String,
}

impl Routes {
    /// Reads the rules from a file.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file);
        text.map_err(anyhow::Error::from)
            .and_then(|text| Self::parse(&text))
            .with_context(|| format!("reading the routes in {}", file.display()))
    }

    /// Reads the rules from a manifest; what cannot be followed here is refused.
    pub(super) fn parse(manifest: &str) -> anyhow::Result<Self> {
        let ingress: Manifest = yaml_serde::from_str(manifest)?;
        ensure!(
            ingress.api_version == "networking.k8s.io/v1" && ingress.kind == "Ingress",
            "a networking.k8s.io/v1 Ingress is needed, not a {} {}",
            ingress.api_version,
            ingress.kind
        );
        let paths = ingress.spec.rules.into_iter().flat_map(|rule| rule.http.paths);
        let mut routes = paths.map(Route::try_from).collect::<anyhow::Result<Vec<_>>>()?;
        ensure!(!routes.is_empty(), "it has no paths");
        routes.sort_by_key(|route| std::cmp::Reverse(route.elements.len()));
        Ok(Self(routes))
    }

    /// The service for a path: the longest prefix wins, and prefixes end where elements end.
    pub(crate) fn service(&self, path: &str) -> Option<&str> {
        let elements: Vec<_> = elements(path).collect();
        let found = self.0.iter().find(|route| route.holds(&elements))?;
        Some(&found.service)
    }

    /// Every service that a path leads to.
    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|route| route.service.as_str())
    }
}

impl Route {
    fn holds(&self, path: &[&str]) -> bool {
        path.len() >= self.elements.len() && self.elements.iter().zip(path).all(|(a, b)| a == b)
    }
}

impl TryFrom<ManifestPath> for Route {
    type Error = anyhow::Error;

    fn try_from(entry: ManifestPath) -> anyhow::Result<Self> {
        let path = entry.path;
        ensure!(path.starts_with('/'), "{path} does not begin with a slash");
        if entry.path_type != "Prefix" {
            bail!("{path} is of type {}; only Prefix is understood", entry.path_type);
        }
        let name = entry.backend.service.name;
        let service = name.strip_suffix("-srv").with_context(|| {
            format!("{path} leads to {name}; services are called <service>-srv")
        })?;
        Ok(Self { elements: elements(&path).map(str::to_owned).collect(), service: service.into() })
    }
}

/// The elements of a path; a slash at its end makes no difference.
fn elements(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').filter(move |_| !path.is_empty())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    api_version: String,
    kind: String,
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    paths: Vec<ManifestPath>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestPath {
    path: String,
    path_type: String,
    backend: Backend,
}

#[derive(Deserialize)]
struct Backend {
    service: BackendService,
}

#[derive(Deserialize)]
struct BackendService {
    name: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use testkit::fleet::Service;

    use super::*;
    use crate::up::{MANIFEST, place};

    /// A manifest with these paths; JSON is YAML too.
    fn manifest(paths: &[(&str, &str, &str)]) -> String {
        let paths = paths.iter().map(|(path, kind, service)| {
            let service = json!({ "name": service, "port": { "name": "http" } });
            json!({ "path": path, "pathType": kind, "backend": { "service": service } })
        });
        let rule = json!({ "http": { "paths": paths.collect::<Vec<_>>() } });
        let spec = json!({ "rules": [rule] });
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": spec }).to_string()
    }

    fn routes(paths: &[(&str, &str)]) -> Routes {
        let paths: Vec<_> = paths.iter().map(|(path, to)| (*path, "Prefix", *to)).collect();
        Routes::parse(&manifest(&paths)).unwrap()
    }

    #[test]
    fn a_prefix_ends_where_an_element_ends() {
        let routes = routes(&[("/api/cart", "cart-srv")]);

        for path in ["/api/cart", "/api/cart/", "/api/cart/items/TEA-1", "/api/cart//x"] {
            assert_eq!(routes.service(path), Some("cart"), "{path}");
        }
        for path in [
            "/",
            "/api",
            "/api/carts",
            "/api/cart-x",
            "/api/Cart",
            "/x/api/cart",
            "//api/cart",
            "*",
        ] {
            assert_eq!(routes.service(path), None, "{path}");
        }
    }

    #[test]
    fn a_slash_at_the_end_of_a_prefix_makes_no_difference() {
        let routes = routes(&[("/api/cart/", "cart-srv")]);

        assert_eq!(routes.service("/api/cart"), Some("cart"));
        assert_eq!(routes.service("/api/cart/items"), Some("cart"));
        assert_eq!(routes.service("/api/carts"), None);
    }

    #[test]
    fn the_longest_prefix_wins_wherever_it_stands() {
        let routes = routes(&[("/", "page-srv"), ("/a", "short-srv"), ("/a/b", "long-srv")]);

        assert_eq!(routes.service("/a/b/c"), Some("long"));
        assert_eq!(routes.service("/a/bc"), Some("short"));
        assert_eq!(routes.service("/other"), Some("page"));
        assert_eq!(routes.service("/"), Some("page"));
    }

    #[test]
    fn the_manifest_leads_every_path_to_the_service_that_serves_it() {
        let routes = Routes::read(&place(MANIFEST)).unwrap();

        for service in Service::ALL {
            for path in service.paths() {
                let below = format!("{path}/x");
                assert_eq!(routes.service(path), Some(service.name()), "{path}");
                assert_eq!(routes.service(&below), Some(service.name()), "{below}");
            }
        }
        let names = Service::ALL.map(Service::name);
        assert!(routes.services().all(|service| names.contains(&service)));
        assert_eq!(routes.service("/metrics"), None);
    }

    #[test]
    fn what_cannot_be_followed_here_is_refused() {
        let why = |path, kind, service| {
            Routes::parse(&manifest(&[(path, kind, service)])).unwrap_err().to_string()
        };

        assert!(why("/a", "Exact", "a-srv").contains("only Prefix"));
        assert!(why("a", "Prefix", "a-srv").contains("slash"));
        assert!(why("/a", "Prefix", "a").contains("<service>-srv"));
        let other = manifest(&[("/a", "Prefix", "a-srv")]).replace("Ingress", "Service");
        assert!(Routes::parse(&other).is_err());
    }
}
