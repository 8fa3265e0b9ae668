//! Sending webhooks.

use std::time::Duration;

use contracts::Timestamp;

use crate::provider::ProviderError;
use crate::provider::signature::Signer;

/// Where their signature travels.
pub(super) const HEADER: &str = "souk-sandbox-signature";
/// How long the shop may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Brings webhooks to the shop.
#[derive(Clone)]
pub(super) struct Messenger {
    http: reqwest::Client,
    url: String,
    signer: Signer,
}

impl Messenger {
    pub(super) fn new(url: String, signer: Signer) -> Result<Self, ProviderError> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
        let http = http.map_err(|error| ProviderError::Refused(error.to_string()))?;
        Ok(Self { http, url, signer })
    }

    /// Sends one; it is done when the shop says so.
    pub(super) async fn send(&self, body: String, now: Timestamp) -> reqwest::Result<()> {
        let signature = self.signer.sign(body.as_bytes(), now);
        let request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .header(HEADER, signature)
            .body(body);
        request.send().await?.error_for_status().map(drop)
    }
}
