//! The first administrator as a Secret of the cluster.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Certificate, StatusCode};
use serde_json::{Value, json};

/// The Secret that auth reads its first administrator from.
const SECRET: &str = "first-administrator";
/// Random bytes of a password.
const LENGTH: usize = 18;
const TIMEOUT: Duration = Duration::from_secs(10);

/// The API server of the cluster, as a service account may use it.
#[derive(Debug)]
pub struct ApiServer {
    http: reqwest::Client,
    url: String,
    token: String,
    namespace: String,
}

/// The first administrator of a shop.
#[derive(Clone)]
pub struct Administrator {
    email: String,
    password: String,
}

impl ApiServer {
    /// Reads `token`, `namespace` and `ca.crt` of a service account. The server's certificate has to
    /// be of that authority.
    ///
    /// # Errors
    /// When a file is missing or the certificate is none.
    pub fn open(url: &str, account: &Path) -> anyhow::Result<Self> {
        let read = |name: &str| {
            let file = account.join(name);
            std::fs::read_to_string(&file).with_context(|| file.display().to_string())
        };
        let authority = Certificate::from_pem_bundle(read("ca.crt")?.as_bytes())?;
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT);
        Ok(Self {
            http: http.tls_certs_only(authority).build()?,
            url: url.trim_end_matches('/').to_owned(),
            token: read("token")?.trim().to_owned(),
            namespace: read("namespace")?.trim().to_owned(),
        })
    }
}

impl Administrator {
    /// One with a random password of 144 bits.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn random(email: &str) -> anyhow::Result<Self> {
        let mut drawn = [0; LENGTH];
        aws_lc_rs::rand::fill(&mut drawn).context("no randomness")?;
        let hex: Vec<_> = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { email: email.to_owned(), password: hex.concat() })
    }

    /// Creates the Secret; `false` when there is one, which stays as it is.
    ///
    /// # Errors
    /// When the API server does not answer or refuses.
    pub async fn create(&self, server: &ApiServer) -> anyhow::Result<bool> {
        let url = format!("{}/api/v1/namespaces/{}/secrets", server.url, server.namespace);
        let answer = server.http.post(&url).bearer_auth(&server.token).json(&self.secret());
        let answer = answer.send().await.context("the API server does not answer")?;
        match answer.status() {
            StatusCode::CREATED => Ok(true),
            StatusCode::CONFLICT => Ok(false),
            status => bail!("{url} answered {status}: {}", answer.text().await?),
        }
    }

    fn secret(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            // What was deployed is deleted in the end; the database knows this password, so it stays.
            "metadata": { "name": SECRET, "labels": { "souk/keep": "yes" } },
            "type": "Opaque",
            "stringData": {
                "SOUK_ADMIN_EMAIL": self.email,
                "SOUK_ADMIN_PASSWORD": self.password,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::extract::State;
    use axum::http::{HeaderMap, header};
    use axum::routing::post;
    use axum::{Json, Router};
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;

    type Stored = Arc<Mutex<Vec<Value>>>;

    async fn create(
        State(stored): State<Stored>,
        headers: HeaderMap,
        Json(secret): Json<Value>,
    ) -> StatusCode {
        if headers[header::AUTHORIZATION] != "Bearer of-the-account" {
            return StatusCode::FORBIDDEN;
        }
        let mut stored = stored.lock().unwrap();
        if stored.iter().any(|it| it["metadata"]["name"] == secret["metadata"]["name"]) {
            return StatusCode::CONFLICT;
        }
        stored.push(secret);
        StatusCode::CREATED
    }

    async fn server(token: &str) -> (ApiServer, Stored, JoinSet<std::io::Result<()>>) {
        let stored = Stored::default();
        let router = Router::new().route("/api/v1/namespaces/souk/secrets", post(create));
        let router = router.with_state(Arc::clone(&stored));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(axum::serve(listener, router).into_future());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (token, namespace) = (token.to_owned(), "souk".to_owned());
        (ApiServer { http, url, token, namespace }, stored, server)
    }

    #[tokio::test]
    async fn administrator_is_created_once() {
        let (server, stored, _serving) = server("of-the-account").await;
        let [first, second] = ["a@souk.example"; 2].map(|it| Administrator::random(it).unwrap());

        assert!(first.create(&server).await.unwrap());
        assert!(!second.create(&server).await.unwrap());

        let stored = stored.lock().unwrap();
        let [secret] = &stored[..] else { panic!("{stored:?}") };
        assert_eq!(secret["stringData"]["SOUK_ADMIN_PASSWORD"], first.password);
        assert_eq!((first.password.len(), first.password == second.password), (36, false));
    }

    #[tokio::test]
    async fn refusal_hides_the_password() {
        let (server, _stored, _serving) = server("of-another").await;
        let administrator = Administrator::random("a@souk.example").unwrap();

        let refusal = format!("{:#}", administrator.create(&server).await.unwrap_err());

        assert!(refusal.contains("403"), "{refusal}");
        assert!(!refusal.contains(&administrator.password));
    }
}
