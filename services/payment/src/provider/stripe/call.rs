//! One request to Stripe, as it looks on the wire.

use reqwest::{Method, Url};

/// What Stripe is asked: a form that is posted, or a question in the address.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    /// The key that makes a repeat of it the same.
    pub(super) key: Option<String>,
    fields: Vec<(&'static str, String)>,
}

impl Call {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), key: None, fields: Vec::new() }
    }

    /// With a key: repeated with the same, it happens once.
    pub(super) fn key(self, key: &impl ToString) -> Self {
        Self { key: Some(key.to_string()), ..self }
    }

    pub(super) fn without_key(self) -> Self {
        Self { key: None, ..self }
    }

    /// With one more field.
    pub(super) fn with(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.fields.push((name, value.to_string()));
        self
    }

    /// Where it goes, and the form that goes along.
    pub(super) fn to(&self, base: &Url) -> (Url, Option<String>) {
        let mut url = base.clone();
        url.set_path(&self.path);
        if self.fields.is_empty() {
            return (url, None);
        }
        // The query of an address is encoded as a form is.
        url.query_pairs_mut().extend_pairs(&self.fields);
        if self.method == Method::GET {
            return (url, None);
        }
        let form = url.query().map(str::to_owned);
        url.set_query(None);
        (url, form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        "https://api.stripe.com".parse().unwrap()
    }

    #[test]
    fn what_is_posted_travels_as_a_form() {
        let call = Call::post("/v1/refunds").with("metadata[refund_id]", "re & so=on ü");

        let (url, form) = call.to(&base());

        assert_eq!(url.as_str(), "https://api.stripe.com/v1/refunds");
        assert_eq!(form.unwrap(), "metadata%5Brefund_id%5D=re+%26+so%3Don+%C3%BC");
    }

    #[test]
    fn what_is_asked_travels_in_the_address() {
        let (url, form) = Call::get("/v1/refunds").with("limit", &100).to(&base());

        assert_eq!(url.as_str(), "https://api.stripe.com/v1/refunds?limit=100");
        assert_eq!(form, None);
    }

    #[test]
    fn no_name_leads_elsewhere() {
        let (url, _) = Call::get("/v1/payment_intents/../x?a=b#c").to(&base());

        assert_eq!(url.host_str(), Some("api.stripe.com"));
        assert_eq!(url.query(), None);
    }
}
