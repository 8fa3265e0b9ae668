//! Faults that were made on purpose.

use serde_json::{Value, json};

use super::*;

/// The overlay for laptops with something changed in one of its objects.
async fn with(kind: &str, name: &str, change: impl FnOnce(&mut Value)) -> Cluster {
    let mut dev = dev().await;
    let object = dev.0.iter_mut().find(|it| it.kind() == kind && it.name() == name);
    change(&mut object.unwrap_or_else(|| panic!("no {kind} {name}")).0);
    dev
}

fn service(deployment: &mut Value) -> &mut Value {
    deployment.pointer_mut("/spec/template/spec/containers/0").unwrap()
}

/// What is said of an overlay: one thing, which has these words in it.
async fn assert_seen(cluster: &Cluster, words: &[&str]) {
    let problems = problems(&root(), "dev", cluster, &settings().await).await.unwrap();

    let is_seen = |problem: &&String| words.iter().all(|word| problem.contains(word));
    assert_eq!(problems.iter().filter(is_seen).count(), 1, "{words:?} in {problems:#?}");
}

#[tokio::test]
async fn a_setting_that_the_service_does_not_know() {
    let setting = json!({ "name": "SOUK_GRAECE", "value": "20s" });

    let faulty = with("Deployment", "cart-depl", |it| {
        service(it)["env"].as_array_mut().unwrap().push(setting);
    });

    assert_seen(&faulty.await, &["cart-depl", "SOUK_GRAECE is no setting"]).await;
}

#[tokio::test]
async fn a_setting_that_the_service_cannot_use() {
    let faulty = with("Deployment", "order-depl", |it| {
        let setting = json!({ "name": "SOUK_PAY_BY", "value": "soon" });
        service(it)["env"].as_array_mut().unwrap().push(setting);
    });

    assert_seen(&faulty.await, &["order-depl", "SOUK_PAY_BY"]).await;
}

#[tokio::test]
async fn a_setting_that_is_required_and_not_given() {
    let faulty = with("Deployment", "product-depl", |it| {
        service(it)["env"].as_array_mut().unwrap().retain(|it| it["name"] != "NATS_URL");
    });

    assert_seen(&faulty.await, &["product-depl", "NATS_URL is not given"]).await;
}

#[tokio::test]
async fn a_secret_that_nobody_makes() {
    let faulty = with("Deployment", "auth-depl", |it| {
        let variables = service(it)["env"].as_array_mut().unwrap();
        let key = variables.iter_mut().find(|it| it["name"] == "JWT_KEY").unwrap();
        key["valueFrom"]["secretKeyRef"]["name"] = "jwt-secrets".into();
    });

    assert_seen(&faulty.await, &["auth-depl", "jwt-secrets", "JWT_KEY"]).await;
}

#[tokio::test]
async fn settings_that_are_not_there() {
    let faulty = with("Deployment", "cart-depl", |it| {
        service(it)["envFrom"][1]["configMapRef"]["name"] = "cart-setting".into();
    });

    assert_seen(&faulty.await, &["cart-depl", "no ConfigMap cart-setting"]).await;
}

#[tokio::test]
async fn a_probe_at_a_port_that_is_not_there() {
    let faulty = with("Deployment", "order-depl", |it| {
        service(it)["readinessProbe"]["httpGet"]["port"] = "operations".into();
    });

    assert_seen(&faulty.await, &["order-depl", "readinessProbe", "operations"]).await;
}

#[tokio::test]
async fn a_volume_that_is_not_there() {
    let faulty = with("Deployment", "nats-depl", |it| {
        service(it)["volumeMounts"][0]["name"] = "configuration".into();
    });

    assert_seen(&faulty.await, &["nats-depl", "no volume configuration"]).await;
}

#[tokio::test]
async fn a_selector_that_selects_nothing() {
    let faulty = with("Service", "payment-srv", |it| {
        it["spec"]["selector"]["app.kubernetes.io/name"] = "payments".into();
    });

    assert_seen(&faulty.await, &["payment-srv selects the pods of 0 owners"]).await;
}

#[tokio::test]
async fn a_budget_that_holds_everything() {
    let faulty = with("PodDisruptionBudget", "cart-depl", |it| it["spec"]["selector"] = json!({}));

    assert_seen(&faulty.await, &["PodDisruptionBudget cart-depl", "not of one"]).await;
}

#[tokio::test]
async fn a_path_that_leads_nowhere() {
    let faulty = with("Ingress", "souk", |it| {
        *it.pointer_mut("/spec/rules/0/http/paths/0/backend/service/name").unwrap() =
            "a-srv".into();
    });

    assert_seen(&faulty.await, &["/api/auth", "leads nowhere"]).await;
}

#[tokio::test]
async fn an_image_without_a_version() {
    let faulty = with("Deployment", "nats-depl", |it| service(it)["image"] = "nats:latest".into());

    assert_seen(&faulty.await, &["nats:latest", "no exact version"]).await;
}

#[tokio::test]
async fn a_container_that_may_write_where_it_likes() {
    let faulty = with("Deployment", "cart-depl", |it| {
        service(it)["securityContext"]["readOnlyRootFilesystem"] = false.into();
    });

    assert_seen(&faulty.await, &["cart-depl", "may do too much"]).await;
}

#[tokio::test]
async fn memory_without_a_bound() {
    let faulty = with("Deployment", "nats-depl", |it| {
        service(it)["resources"]["limits"] = json!({});
    });

    assert_seen(&faulty.await, &["nats-depl", "memory"]).await;
}

#[tokio::test]
async fn more_memory_than_a_laptop_has() {
    let faulty = with("Deployment", "nats-depl", |it| {
        service(it)["resources"]["limits"]["memory"] = "1Gi".into();
    });

    assert_seen(&faulty.await, &["all pods may take 3", "MiB"]).await;
}

#[tokio::test]
async fn a_service_that_may_reach_the_database_of_another() {
    let mut faulty = with("NetworkPolicy", "order-depl", |it| {
        *it.pointer_mut("/spec/egress/0/to/0/podSelector/matchLabels").unwrap() =
            json!({ "app.kubernetes.io/component": "mongo" });
    })
    .await;
    let theirs = faulty.0.iter_mut().find(|it| it.title() == "NetworkPolicy product-mongo");
    let from = theirs.unwrap().0.pointer_mut("/spec/ingress/0/from/0/podSelector").unwrap();
    *from = json!({ "matchLabels": { "app.kubernetes.io/component": "service" } });

    let words = ["order-depl may reach", "product-mongo at port 27017"];
    assert_seen(&faulty, &words).await;
}

#[tokio::test]
async fn a_service_that_may_not_reach_its_own() {
    let faulty = with("NetworkPolicy", "order-mongo", |it| it["spec"]["ingress"] = json!([]));

    assert_seen(&faulty.await, &["order-depl may not reach order-mongo at port 27017"]).await;
}

#[tokio::test]
async fn a_service_that_may_go_out() {
    let faulty = with("NetworkPolicy", "services", |it| {
        let anywhere = json!({ "to": [{ "ipBlock": { "cidr": "0.0.0.0/0" } }] });
        it["spec"]["egress"].as_array_mut().unwrap().push(anywhere);
    });

    assert_seen(&faulty.await, &["cart-depl may reach the ports", "of the internet"]).await;
}

#[tokio::test]
async fn a_database_that_the_world_may_ask() {
    let faulty = with("NetworkPolicy", "audited-databases", |it| {
        it["spec"]["ingress"] = json!([{ "from": [{ "namespaceSelector": {} }] }]);
    });

    assert_seen(&faulty.await, &["order-mongo can be reached from elsewhere"]).await;
}

#[tokio::test]
async fn a_collector_that_nobody_is_told_of() {
    let mut faulty = render::one(&root(), "dev", &["otel"]).await.unwrap();
    let told = faulty.0.iter_mut().find(|it| it.title().starts_with("ConfigMap souk-settings"));
    told.unwrap().0["data"].as_object_mut().unwrap().remove("OTEL_EXPORTER_OTLP_ENDPOINT");

    assert_seen(&faulty, &["cart-depl may reach, but need not, otel-depl at port 4318"]).await;
}

#[tokio::test]
async fn a_collector_that_a_service_may_not_reach() {
    let mut faulty = render::one(&root(), "dev", &["otel"]).await.unwrap();
    faulty.0.retain(|it| it.title() != "NetworkPolicy traced-services");

    assert_seen(&faulty, &["cart-depl may not reach otel-depl at port 4318"]).await;
}

#[tokio::test]
async fn a_service_of_which_the_balancer_cannot_know_whether_it_is_well() {
    let mut faulty = gke().await;
    let service = faulty.0.iter_mut().find(|it| it.title() == "Service cart-srv").unwrap();
    service.0["metadata"]["annotations"] = json!({});
    faulty.0.retain(|it| it.title() != "BackendConfig order");

    let problems = references::problems(&faulty);

    let cart = "Service cart-srv names no BackendConfig";
    assert_eq!(problems, ["Service order-srv: there is no BackendConfig order", cart]);
}

/// The overlay for Google's cloud with something changed in the policy that lets requests in.
async fn with_front(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut faulty = gke().await;
    let policy = faulty.0.iter_mut().find(|it| it.title() == "NetworkPolicy services").unwrap();
    change(&mut policy.0["spec"]["ingress"][0]);
    network::problems(&faulty)
}

/// That this is said of all five services, and nothing else of anybody.
#[track_caller]
fn assert_all_services(problems: &[String], words: &[&str]) {
    let is_seen = |problem: &&String| words.iter().all(|word| problem.contains(word));
    assert_eq!(problems.iter().filter(is_seen).count(), 5, "{words:?} in {problems:#?}");
    assert_eq!(problems.len(), 5, "{problems:#?}");
}

#[tokio::test]
async fn services_of_which_googles_health_checks_hear_nothing() {
    let problems = with_front(|rule| rule["ports"] = json!([{ "port": 3000 }])).await;

    let words = ["by 35.191.0.0 at {3000}, not at {3000, 9000}", "by 130.211.3.255 at {3000}"];
    assert_all_services(&problems, &words);
}

#[tokio::test]
async fn services_that_one_range_of_google_cannot_reach() {
    let problems = with_front(|rule| drop(rule["from"].as_array_mut().unwrap().pop())).await;

    assert_all_services(&problems, &["elsewhere by 130.211.0.0 at {}, not at {3000, 9000}"]);
}

#[tokio::test]
async fn services_that_more_than_google_may_reach() {
    let wide = |rule: &mut Value| rule["from"][0]["ipBlock"]["cidr"] = "35.184.0.0/13".into();

    let problems = with_front(wide).await;

    assert_all_services(&problems, &["35.190.255.255 at {3000, 9000}, not at {}"]);
}

#[tokio::test]
async fn services_that_every_namespace_may_ask() {
    let faulty = with("NetworkPolicy", "services", |it| {
        it["spec"]["ingress"][0]["from"] = json!([{ "namespaceSelector": {} }]);
    });

    let problems = network::problems(&faulty.await);

    assert_all_services(&problems, &["the namespace default at {3000}, not at {}"]);
}

#[tokio::test]
async fn services_that_all_pods_beside_them_may_ask() {
    let faulty = with("NetworkPolicy", "services", |it| {
        let beside = json!({ "podSelector": {} });
        it["spec"]["ingress"][0]["from"].as_array_mut().unwrap().push(beside);
    });

    let problems = network::problems(&faulty.await);

    assert_all_services(&problems, &["the component none at {3000}, not at {}"]);
}

#[tokio::test]
async fn services_that_nobody_measures() {
    let faulty = with("NetworkPolicy", "watched-services", |it| {
        it["spec"]["ingress"][0]["from"][1]["namespaceSelector"]["matchExpressions"][0]["values"] =
            json!(["monitoring"]);
    });

    let problems = network::problems(&faulty.await);

    assert_all_services(&problems, &["the namespace gmp-system at {}, not at {9000}"]);
}

#[tokio::test]
async fn a_console_that_sees_neither_services_nor_the_bus() {
    let mut faulty = with("NetworkPolicy", "watched-services", |it| {
        it["spec"]["ingress"][0]["from"].as_array_mut().unwrap().remove(0);
    })
    .await;
    faulty.0.retain(|it| it.title() != "NetworkPolicy watched-nats");

    let problems = network::problems(&faulty);

    let services = "the component console at {}, not at {9000}";
    assert_eq!(problems.iter().filter(|it| it.contains(services)).count(), 5, "{problems:#?}");
    let bus =
        "nats-depl can be reached from elsewhere by the component console at {}, not at {8222}";
    assert_eq!(problems.iter().filter(|it| it.contains(bus)).count(), 1, "{problems:#?}");
}
